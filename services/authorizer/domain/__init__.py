"""What the authorizer decides, on plain values: no driver, broker, clock or randomness."""
