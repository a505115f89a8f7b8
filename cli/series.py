"""Opening accounts by the number: environment + series, skipping what exists."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
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
    command of its own: one that somebody else opened meanwhile is refused alone.
    """
    outcomes: list[Json] = []

    def numbered(number: str) -> dict[str, Any]:
        if not fields.get("description"):
            return fields
        series = int(number.removeprefix(str(environment)))
        return {**fields, "description": f"{fields['description']} {series}"}

    for start in range(0, len(accounts), AT_ONCE):
        part = accounts[start : start + AT_ONCE]
        orders = [
            command("account.open", environment, by=by, account=number, **fields) for number in part
        ]
        replies = await asyncio.gather(*(client.ask(o, timeout_s=timeout_s) for o in orders))
        outcomes += [reply.message for reply in replies]
        gauge(len(outcomes), len(accounts))
    return outcomes
