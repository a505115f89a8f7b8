"""What the invoicer does on each topic's messages; one module per family."""
