"""The authorizer, in plain values and on a real PostgreSQL."""
