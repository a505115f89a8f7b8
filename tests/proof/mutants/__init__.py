"""Mutation testing: small faults put into the code that guards money, one at a time.

`make prove-mutants` (docs/proof.md). Each fault must make a test fail; what survives is a gap in
the tests, or is explained there.
"""
