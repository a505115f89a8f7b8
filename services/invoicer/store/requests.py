"""What was asked and what was answered, byte for byte."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from runtime.answers import Answer
from runtime.sql import statements
from runtime.transaction import Tx

sql = statements("services.invoicer", "sql/requests.sql")

Kind = Literal["run", "command", "payment", "statement", "document", "move", "pending"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """A request that was seen before. `touched` are ids of invoices."""

    digest: bytes
    asked_at: datetime
    touched: tuple[str, ...]
    answers: tuple[Answer, ...]


async def recall(tx: Tx, environment: int, kind: Kind, id: str) -> Recalled | None:
    row = await tx.fetchrow(sql.recall, environment, kind, id)
    if row is None:
        return None
    answers = await tx.fetch(sql.answers, environment, kind, id)
    return Recalled(
        digest=row["digest"],
        asked_at=row["asked_at"],
        touched=tuple(row["touched"]),
        answers=tuple(
            Answer(r["topic"], r["key"], r["ce_id"], r["ce_type"], r["ce_time"], r["value"])
            for r in answers
        ),
    )


async def remember(
    tx: Tx,
    environment: int,
    kind: Kind,
    id: str,
    digest: bytes,
    answers: Sequence[Answer],
    touched: Iterable[str] = (),
) -> None:
    """Record a request with its answers. A unique violation means: decide again."""
    await tx.execute(sql.add, environment, kind, id, digest, list(touched))
    await add_answers(tx, environment, kind, id, answers)


async def add_answers(
    tx: Tx, environment: int, kind: Kind, id: str, answers: Sequence[Answer], *, after: int = 0
) -> None:
    """The answers of a request that was recorded before (a run's, when it is done), `after` so many
    that it has already."""
    if answers:
        await tx.execute(
            sql.add_answers,
            environment,
            kind,
            id,
            list(range(after, after + len(answers))),
            [a.topic for a in answers],
            [a.key for a in answers],
            [a.id for a in answers],
            [a.type for a in answers],
            [a.time for a in answers],
            [a.value for a in answers],
        )
