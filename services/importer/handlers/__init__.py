"""One module per message family: what it takes, what it answers, what it changes."""
