-- An erased customer's name goes from what tills were told too: nothing else of it is changed.

GRANT UPDATE (pages) ON directory TO authorizer;
GRANT UPDATE (answer) ON search TO authorizer;
