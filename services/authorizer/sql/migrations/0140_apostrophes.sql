-- What is searched has apostrophes of one kind (domain/names.py): van 't Hof was not found with that
-- of a phone (U+2019 and its like), nor who was written with that with a keyboard's.
UPDATE account SET searched = translate(searched, U&'\2018\2019\02BC\2032', '''''''''')
WHERE searched ~ U&'[\2018\2019\02BC\2032]';
UPDATE customer SET searched = translate(searched, U&'\2018\2019\02BC\2032', '''''''''')
WHERE searched ~ U&'[\2018\2019\02BC\2032]';
