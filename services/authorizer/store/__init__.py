"""Rows to the domain's values and back. SQL stands in sql/."""
