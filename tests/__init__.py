"""The tests; their tree mirrors the project's."""
