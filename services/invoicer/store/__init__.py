"""Rows to values and back: one module per noun. SQL text stands in ../sql."""
