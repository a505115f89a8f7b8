"""Rows to domain values and back. The statements stand in services/authorizer/sql/."""
