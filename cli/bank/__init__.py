"""Bank statements as banks export them: CAMT.053, MT940, and tables (CSV, TAB)."""
