"""The reference model: schemas/, docs/tills.md and docs/money.md once more, in the plainest way.

Written from what these say and docs/decisions/ alone, never from the services: it shares no line
with them, keeps everything in dictionaries, and knows no batches, locks or bytes. Messages come in
as plain JSON values; what comes out is an `Expected`.
"""
