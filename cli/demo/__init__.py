"""The demo: the whole story on a stack of its own."""
