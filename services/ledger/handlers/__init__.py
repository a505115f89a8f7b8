"""What the ledger takes from the log, one module per family of messages."""
