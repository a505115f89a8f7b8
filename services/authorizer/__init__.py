"""Environments, customers, accounts and limits; answers tills."""
