"""Rows of the importer's schema as values of the domain, and back."""
