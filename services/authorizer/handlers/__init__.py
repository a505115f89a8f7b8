"""One module per message family: lock, recall, decide, record, answer."""
