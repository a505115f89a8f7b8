"""Opening accounts by the number: environment + series, skipping what exists."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from cli.amounts import Misuse
from cli.client import Client
from cli.messages import Json, command
from cli.screen import Gauge

MOST = 10_000
AT_ONCE = 200
"""How many are asked for before the first is answered."""

TAKEN = "account_exists"


def numbers(environment: int, count: int, known: Iterable[str]) -> list[str]:
    """The first free numbers: environment + at least four digits, as an import makes them.

    Raises Misuse for a count that can't be meant.
    """
    if not 1 <= count <= MOST:
        raise Misuse(f"A series has 1 to {MOST:,} accounts, not {count:,}.")
    taken = set(known)
    found: list[str] = []
    at = 0
    while len(found) < count:
        at += 1
        number = f"{environment}{at:04}"
        if number not in taken:
            found.append(number)
    return found


def skipped(environment: int, series: Sequence[str]) -> int:
    """How many numbers between the first and the last of a series are left out of it."""
    first, last = (place_of(environment, number) for number in (series[0], series[-1]))
    return last - first + 1 - len(series)


def place_of(environment: int, number: str) -> int:
    """Which of its environment's series a number is: 289010000 of 2890 is the 10,000th."""
    return int(number.removeprefix(str(environment)))


async def open_all(
    client: Client,
    environment: int,
    accounts: list[str],
    gauge: Gauge,
    *,
    by: str,
    timeout_s: float,
    **fields: Any,
) -> list[Json]:
    """Ask for each account and give the outcomes, in their order.

    A description gets the series' number: "Tafel" makes Tafel 1, Tafel 2, and so on. Each is a
    command of its own: one that somebody else opened meanwhile is refused alone, also where it is
    as it was asked for: two who open forty each are to have eighty.
    """
    outcomes: list[Json] = []
    called = fields.pop("description", None)

    def order(number: str) -> Json:
        said = f"{called} {place_of(environment, number)}" if called else None
        its = {"account": number, "description": said, **fields}
        return command("account.open", environment, by=by, **its)

    for start in range(0, len(accounts), AT_ONCE):
        part = accounts[start : start + AT_ONCE]
        asked = (client.ask(order(number), timeout_s=timeout_s) for number in part)
        replies = await asyncio.gather(*asked)
        outcomes += [_only_if_made(reply.message) for reply in replies]
        gauge(len(outcomes), len(accounts))
    return outcomes


def _only_if_made(outcome: Json) -> Json:
    """The outcome of one account of a series, which must not have been there: the registry calls it
    unchanged where it was, and no refusal."""
    changes = outcome.get("changes", ())
    if not changes or changes[0]["change"] == "created":
        return outcome
    head = {name: outcome[name] for name in ("command_id", "environment")}
    message = f"Account {changes[0]['id']} was opened by somebody else meanwhile."
    return {"type": "command.refused", **head, "reason": TAKEN, "field": "account",
            "message": message}  # fmt: skip
