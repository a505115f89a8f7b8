"""What tills were told of money since a moment, in the bytes of then, some at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from runtime.answers import Answer
from runtime.sql import statements
from runtime.transaction import Tx
from schemas.values import account_key
from services.authorizer.answers import TOPIC, cancellation_ce_id

sql: Final = statements("services.authorizer", "sql/recover.sql")

STEP_BYTES: Final = 1_000_000
"""Of answers; the last of a step may make it more."""

STATEMENTS: Final[Mapping[str, str]] = {
    "sale": sql.sales_after,
    "cancellation": sql.cancellations_after,
}


async def after(
    tx: Tx, kind: str, environment: int, last: str | None, since: datetime, most: int
) -> tuple[str | None, list[Answer]]:
    """The last of the next sales or cancellations (None: there are no more), and what was approved
    or taken back of them since."""
    rows = await tx.fetch(STATEMENTS[kind], environment, last, since, most, STEP_BYTES)
    told = [
        Answer(
            TOPIC,
            account_key(environment, r["account"]),
            cancellation_ce_id(r["type"], environment, r["id"]),
            r["type"],
            r["decided_at"],
            r["answer"],
        )
        for r in rows
        if r["answer"] is not None
    ]
    return (rows[-1]["id"] if rows else None), told
