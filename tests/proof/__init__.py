"""What is proved, beyond examples: see docs/proof.md."""
