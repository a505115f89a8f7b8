"""The sentences themselves: (English, Dutch), with their words in braces. See messages.py."""

from __future__ import annotations

from typing import Final

Sentence = tuple[str, str]

CELLS: Final[dict[str, Sentence]] = {
    "not_text": (
        "'{value}' is a yes/no, not a text; type it as text",
        "'{value}' is een ja/nee en geen tekst; typ het als tekst",
    ),
    "is_date": (
        "Excel made a date of this cell ({value}); format it as text and type it again",
        "Excel maakte een datum van deze cel ({value}); maak er tekst van en typ het opnieuw",
    ),
    "is_error": (
        "the cell shows the error {value}; mend its formula or type the value",
        "de cel toont de fout {value}; herstel de formule of typ de waarde",
    ),
    "too_long": (
        "'{value}' is too long: at most {at_most} characters; shorten it",
        "'{value}' is te lang: ten hoogste {at_most} tekens; maak het korter",
    ),
    "damaged_number": (
        "Excel keeps only 15 digits of a number, so the last ones of '{value}' are lost;"
        " format the cell as text and type the number again",
        "Excel bewaart van een getal maar 15 cijfers, de laatste van '{value}' zijn dus verloren;"
        " maak van de cel tekst en typ het nummer opnieuw",
    ),
    "scientific": (
        "'{value}' is shortened and may have lost digits; type the whole number as text",
        "'{value}' is afgekort en mist misschien cijfers; typ het hele nummer als tekst",
    ),
    "is_masked": (
        "the format of the cell shows other digits than '{value}', which it holds; format the cell"
        " as text and type what is meant",
        "de opmaak van de cel toont andere cijfers dan '{value}', dat erin staat; maak van de cel"
        " tekst en typ wat bedoeld is",
    ),
    "is_money": (
        "'{value}' is shown as an amount of money; format the cell as text and type what is meant",
        "'{value}' wordt getoond als geldbedrag; maak van de cel tekst en typ wat bedoeld is",
    ),
    "no_result": (
        "the result of the formula {value} was never stored; open the workbook in Excel and save"
        " it, or type the value",
        "het resultaat van de formule {value} is nooit bewaard; open de werkmap in Excel en sla"
        " haar op, of typ de waarde",
    ),
    "is_merged": (
        "'{value}' stands in a merged cell of several rows; unmerge it and fill in each row",
        "'{value}' staat in een samengevoegde cel van meer rijen; splits de cel en vul elke rij in",
    ),
    "says_none": (
        "'{value}' says that there is none, or that nobody knows; leave the cell empty, or write"
        " what is meant",
        "'{value}' zegt dat er geen is, of dat niemand het weet; laat de cel leeg, of schrijf wat"
        " bedoeld is",
    ),
    "is_iban": (
        "'{value}' is the number of a bank account (IBAN), not of an account here; write it like"
        " 28900001, or call the column IBAN: then it is left alone",
        "'{value}' is het nummer van een bankrekening (IBAN), niet van een rekening hier; schrijf"
        " het zoals 28900001, of noem de kolom IBAN: dan blijft zij buiten beschouwing",
    ),
    "not_an_account": (
        "'{value}' is not an account number; write it like 28900001, or leave the cell empty",
        "'{value}' is geen rekeningnummer; schrijf het zoals 28900001, of laat de cel leeg",
    ),
    "several_accounts": (
        "'{value}' is more than one account number; give each a row of its own",
        "'{value}' is meer dan één rekeningnummer; geef elk een eigen rij",
    ),
    "not_a_count": (
        "'{value}' is not a number of accounts; write a whole number from 0 to {at_most}",
        "'{value}' is geen aantal rekeningen; schrijf een heel getal van 0 tot en met {at_most}",
    ),
    "not_yes_or_no": (
        "'{value}' is neither yes nor no; write yes or no",
        "'{value}' is geen ja of nee; schrijf ja of nee",
    ),
    "not_a_status": (
        "'{value}' is not a status; write active, inactive, blocked or closed",
        "'{value}' is geen status; schrijf actief, inactief, geblokkeerd of gesloten",
    ),
    "of_people": (
        "'{value}' says what somebody is, not whether the account is open; write active, inactive,"
        " blocked or closed, or call the column otherwise: then it is left alone",
        "'{value}' zegt wat iemand is, niet of de rekening open is; schrijf actief, inactief,"
        " geblokkeerd of gesloten, of noem de kolom anders: dan blijft zij buiten beschouwing",
    ),
    "of_a_day": (
        "'{value}' can be closed already, or open until a day to come; write closed, or active",
        "'{value}' kan al gesloten zijn, of nog open tot een dag die komt; schrijf gesloten, of"
        " actief",
    ),
    "not_a_language": (
        "'{value}' is not a language that we write; write nl or en",
        "'{value}' is geen taal waarin wij schrijven; schrijf nl of en",
    ),
    "not_a_country": (
        "'{value}' is not a country that we know; write its code of two letters, like NL",
        "'{value}' is geen land dat wij kennen; schrijf de code van twee letters, zoals NL",
    ),
    "not_an_email": (
        "'{value}' is not one e-mail address; write it like info@club.nl, or leave it empty",
        "'{value}' is niet één e-mailadres; schrijf het zoals info@club.nl, of laat het leeg",
    ),
    "not_a_chamber_number": (
        "'{value}' is not a chamber of commerce number; it has 8 digits",
        "'{value}' is geen KVK-nummer; dat heeft 8 cijfers",
    ),
    "not_a_postcode": (
        "'{value}' is not a postcode of {where}; write it like {write}"
        ", or the right country in a column Country",
        "'{value}' is geen postcode van {where}; schrijf haar zoals {write}"
        ", of het juiste land in een kolom Land",
    ),
    "not_a_postcode_and_city": (
        "'{value}' is not a postcode of {where} with its town behind it; write it like {write}",
        "'{value}' is geen postcode van {where} met de plaats erachter; schrijf het zoals {write}",
    ),
    "not_a_vat_number": (
        "'{value}' is not a valid VAT number of {where}; correct it, or leave it empty",
        "'{value}' is geen geldig btw-nummer van {where}; verbeter het of laat het leeg",
    ),
    "not_a_peppol_id": (
        "'{value}' is not a Peppol id; write scheme:value, like 0106:12345678",
        "'{value}' is geen Peppol-id; schrijf schema:waarde, zoals 0106:12345678",
    ),
    "not_an_amount": (
        "'{value}' is not an amount; write a number like {write}, or 'none' for no limit",
        "'{value}' is geen bedrag; schrijf een getal zoals {write}, of 'geen' voor geen limiet",
    ),
    "other_currency": (
        "'{value}' is not in {where}, in which limits are kept here; write the amount in {where}",
        "'{value}' is niet in {where}, waarin limieten hier staan; schrijf het bedrag in {where}",
    ),
    "unclear_amount": (
        "'{value}' can be two amounts; write {write} if that is meant",
        "'{value}' kan twee bedragen zijn; schrijf {write} als dat bedoeld is",
    ),
    "too_many_decimals": (
        "'{value}' has more than two decimals; write it with two, like 12,50",
        "'{value}' heeft meer dan twee decimalen; schrijf er twee, zoals 12,50",
    ),
    "negative_amount": (
        "'{value}' is less than nothing; a limit is 0 or more",
        "'{value}' is minder dan niets; een limiet is 0 of meer",
    ),
    "amount_too_large": (
        "'{value}' is more than 99.999.999,99; write less, or 'none' for no limit",
        "'{value}' is meer dan 99.999.999,99; schrijf minder, of 'geen' voor geen limiet",
    ),
}

ROWS: Final[dict[str, Sentence]] = {
    "nobody": (
        "the row names nobody: fill in a name, a company or an account number",
        "de rij noemt niemand: vul een naam, een bedrijf of een rekeningnummer in",
    ),
    "part_too_long": (
        "'{value}' stands between first and last name and is too long: at most {at_most}"
        " characters; shorten it, or put a company's name in a column Company",
        "'{value}' staat tussen voor- en achternaam en is te lang: ten hoogste {at_most} tekens;"
        " maak het korter, of zet de naam van een bedrijf in een kolom Bedrijf",
    ),
    "no_name": (
        "a new customer needs a name or a company",
        "een nieuwe klant heeft een naam of een bedrijf nodig",
    ),
    "no_name_column": (
        "a new customer needs a name or a company, and no column was taken for one; write Name or"
        " Company above the column that holds it",
        "een nieuwe klant heeft een naam of een bedrijf nodig, en geen kolom is daarvoor herkend;"
        " schrijf Naam of Bedrijf boven de kolom waarin die staat",
    ),
    "count_and_account": (
        "give either an account number or a number of accounts, not both",
        "geef een rekeningnummer of een aantal rekeningen, niet allebei",
    ),
    "limit_without_account": (
        "is not used: the row has neither an account number nor a number of accounts",
        "wordt niet gebruikt: de rij heeft geen rekeningnummer en geen aantal rekeningen",
    ),
    "twice": (
        "account {value} stands in row {other} already, and has one holder; give one of them"
        " another number, or remove this row if it says the same or names who shares the account",
        "rekening {value} staat al in rij {other} en heeft één houder; geef een van beide een ander"
        " nummer, of verwijder deze rij als er hetzelfde staat of iemand die de rekening deelt",
    ),
    "claimed": (
        "account {value} stands in row {other} too, for somebody else; give one of them another"
        " number",
        "rekening {value} staat ook in rij {other}, bij iemand anders; geef een van beide een ander"
        " nummer",
    ),
    "joins": (
        "is about the same customer as row {other}, who is registered once",
        "gaat over dezelfde klant als rij {other}; die wordt één keer aangemaakt",
    ),
    "total": (
        "'{value}' is a total and nobody's: the row is left out; if it is a customer, write an"
        " address or an account number beside it",
        "'{value}' is een totaal en van niemand: de rij wordt overgeslagen; zet er een adres of een"
        " rekeningnummer bij als het een klant is",
    ),
    "header_again": (
        "repeats the names of the columns: the row is left out",
        "herhaalt de namen van de kolommen: de rij wordt overgeslagen",
    ),
    "no_account": (
        "'{value}' becomes a customer without an account; fill in an account number, or remove the"
        " row if it is nobody",
        "'{value}' wordt een klant zonder rekening; vul een rekeningnummer in, of verwijder de rij"
        " als het niemand is",
    ),
    "contradicts": (
        "row {other} is about the same customer and says '{theirs}' here; make them the same, or"
        " give two customers each an e-mail address of their own",
        "rij {other} gaat over dezelfde klant en zegt hier '{theirs}'; maak ze gelijk, of geef"
        " twee klanten elk een eigen e-mailadres",
    ),
    "ambiguous": (
        "several customers are called so; add the account number or the e-mail address",
        "meer klanten heten zo; voeg het rekeningnummer of het e-mailadres toe",
    ),
    "ambiguous_new": (
        "several customers are called so, and none of them has this account; add the e-mail address"
        " of the one that is meant, or that of somebody else who is called so",
        "meer klanten heten zo, en geen van hen heeft deze rekening; voeg het e-mailadres toe van"
        " wie bedoeld is, of dat van een ander die zo heet",
    ),
    "ambiguous_email": (
        "several customers have this e-mail address; add the account number",
        "meer klanten hebben dit e-mailadres; voeg het rekeningnummer toe",
    ),
    "shared_email": (
        "several customers have this e-mail address, and none of them is called so; leave it empty"
        " if this is a new customer, and fill it in once the account is there",
        "meer klanten hebben dit e-mailadres, en geen van hen heet zo; laat het leeg als dit een"
        " nieuwe klant is, en vul het in als de rekening er is",
    ),
    "email_taken": (
        "e-mail address {value} is that of {theirs}; write that name if this is the same customer;"
        " if not, leave the address empty, and fill it in once the account is there",
        "e-mailadres {value} is van {theirs}; schrijf die naam als dit dezelfde klant is; laat het"
        " adres anders leeg, en vul het in als de rekening er is",
    ),
    "torn": (
        "e-mail address {value} is that of {theirs}, and the name is that of another customer;"
        " correct one of the two, or add the account number",
        "e-mailadres {value} is van {theirs}, en de naam is die van een andere klant; verbeter een"
        " van beide, of voeg het rekeningnummer toe",
    ),
    "other_holder": (
        "account {value} belongs to {theirs}; give this row another number, or first change the"
        " holder (`onaccount account unlink`, then `onaccount account link`)",
        "rekening {value} is van {theirs}; geef deze rij een ander nummer, of wijzig eerst de"
        " houder (`onaccount account unlink`, dan `onaccount account link`)",
    ),
    "renames": (
        "changes the name of the holder of account {other}, now {theirs}",
        "wijzigt de naam van de houder van rekening {other}, nu {theirs}",
    ),
    "renames_mailed": (
        "changes the name of the customer with this e-mail address, now {theirs}; leave the address"
        " empty if this is somebody else",
        "wijzigt de naam van de klant met dit e-mailadres, nu {theirs}; laat het adres leeg als"
        " dit iemand anders is",
    ),
    "closed_account": (
        "account {value} is closed and stays so; write active in a column Status to open it",
        "rekening {value} is gesloten en blijft dat; schrijf actief in een kolom Status om haar te"
        " openen",
    ),
    "no_address": (
        "without {value} this customer cannot be invoiced",
        "zonder {value} kan aan deze klant geen factuur worden gestuurd",
    ),
    "spaced_account": (
        "'{value}' is another account than {other}; write it so if that is meant",
        "'{value}' is een andere rekening dan {other}; schrijf het zo als die bedoeld is",
    ),
    "unlike_environment": (
        "this number does not begin with that of the environment, {other}",
        "dit nummer begint niet met dat van de omgeving, {other}",
    ),
    "fictitious": (
        "'{value}' is a fictitious address: nothing is ever mailed to it",
        "'{value}' is een fictief adres: daar wordt nooit iets heen gemaild",
    ),
    "depends": (
        "row {other}, which this row builds on, was refused",
        "rij {other}, waar deze rij op voortbouwt, is geweigerd",
    ),
    "given_up": (
        "not carried out because of a fault on our side; import the workbook again for it",
        "niet uitgevoerd door een fout aan onze kant; importeer de werkmap daarvoor opnieuw",
    ),
}
