"""Load generators and baselines. Each prints a table, and with --json one JSON object a line."""
