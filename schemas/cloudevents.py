"""The CloudEvents 1.0 headers on what we send (Kafka protocol binding, binary mode)."""

from __future__ import annotations

from typing import Final

SPEC_VERSION: Final = "1.0"

CE_SPECVERSION: Final = "ce_specversion"
CE_ID: Final = "ce_id"
CE_TYPE: Final = "ce_type"
CE_SOURCE: Final = "ce_source"
CE_TIME: Final = "ce_time"
CONTENT_TYPE: Final = "content-type"
TRACEPARENT: Final = "traceparent"

JSON: Final = "application/json"

SOURCES: Final[dict[str, str]] = {
    "authorizer": "/onaccount/authorizer",
    "ledger": "/onaccount/ledger",
    "importer": "/onaccount/importer",
    "invoicer": "/onaccount/invoicer",
    "cli": "/onaccount/cli",
}
"""ce_source by sender, a URI reference as CloudEvents wants it."""
