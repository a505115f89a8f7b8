"""Tests of the local stack, on the real thing."""
