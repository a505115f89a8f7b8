"""The reference model: contract.md and design.md once more, in the plainest way.

Written from those two and docs/decisions/ alone, never from the services: it shares no line with
them, keeps everything in dictionaries, and knows no batches, locks or bytes. Messages come in as
plain JSON values; what comes out is an `Expected`.
"""
