"""Sales that a till made and that could not be booked: finding them, and booking them after all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import NAMESPACE_URL, uuid5

from cli.amounts import Misuse
from cli.client import Client
from cli.messages import Json, now
from cli.outgoing import encode
from cli.till import line
from schemas.values import RATE_PATTERN

_SPACE = uuid5(NAMESPACE_URL, "https://onaccount/unbooked")
MUST_BE_MENDED = {
    "currency_mismatch": "its currency is not the environment's",
    "invalid_total": "its amounts do not add up, or come to less than nothing",
    "invalid_vat_rate": "a VAT rate of it is none",
}
"""Reasons that the same lines would be declined for once more."""


async def unbooked(client: Client, environment: int | None) -> list[Json]:
    """All that waits or waited, oldest first."""
    states = await client.view("pos.unbooked", environment=environment)
    return sorted(states.values(), key=lambda one: (str(one["noted_at"]), str(one["sale_id"])))


def waiting(states: Sequence[Json], sale_id: str, content: str | None) -> Json:
    """The one that waits under this id; raises Misuse where none does, or several."""
    text = sale_id.strip().lower()
    if not text:  # which every id begins with
        raise Misuse("Say which sale: its id, or the beginning of it.")
    found = [
        one
        for one in states
        if one["sale_id"].startswith(text)
        and one["status"] == "open"
        and (content is None or one["content"].startswith(content.lower()))
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise Misuse(
            f"No sale {sale_id} is waiting to be booked; `onaccount sales unbooked` lists those "
            "that are."
        )
    raise Misuse(
        f"{len(found)} sales wait under {sale_id}; tell them apart with --content: "
        f"{', '.join(one['content'][:12] for one in found)}."
    )


def booking(state: Json, account: str, lines: Sequence[Json] | None, currency: str) -> Json:
    """The sale.recorded that books it on an account; `lines` where its own can't be.

    Its id is made from what is booked and where: who repeats it, or does the same elsewhere,
    books it once. Raises Misuse where lines are needed and not given, and for what would be
    declined: that would wait under its own id, beside the sale that it is to stand for.
    """
    sale = state.get("sale")
    if lines is not None and (why := _wrong(lines)):
        raise Misuse(f"That can't be booked: {MUST_BE_MENDED[why]}.")
    if lines is None:
        if sale is None:
            raise Misuse(
                "The till's message could not be read, so nobody knows what was sold: add it, as "
                'in "2 x Pils 3,50 21%".'
            )
        other = "currency_mismatch" if sale["currency"] != currency else None
        if said := MUST_BE_MENDED.get(_wrong(sale["lines"]) or other or state["reason"]):
            raise Misuse(
                f'This sale is wrong in itself ({said}): add what was sold, as in "Pils 3,50 21%".'
            )
        lines, currency = sale["lines"], sale["currency"]
    what = encode({"lines": list(lines), "account": account, "currency": currency}).decode()
    name = f"{state['environment']}/{state['sale_id']}/{state['content']}/{what}"
    # The time is the till's own; unreadable, it is when the sale came in.
    told = sale or {"terminal": "onaccount", "at": state.get("noted_at") or now()}
    return {
        "type": "sale.recorded",
        "sale_id": str(uuid5(_SPACE, name)),
        "environment": state["environment"],
        "terminal": told["terminal"],
        "account": account,
        "at": told["at"],
        "currency": currency,
        "total": sum(one["total"] for one in lines),
        "lines": list(lines),
        **{name: told[name] for name in ("operator", "note") if told.get(name)},
        "moved_from": state["sale_id"],
    }


def _wrong(lines: Sequence[Json]) -> str | None:
    """For which reason these lines would be declined, on whatever account."""
    if not all(re.fullmatch(RATE_PATTERN, one["vat_rate"]) for one in lines):
        return "invalid_vat_rate"
    reckoned = [
        line("", one["unit_price"], one["vat_rate"], quantity=one["quantity"])["total"]
        for one in lines
    ]
    if sum(reckoned) < 0 or reckoned != [one["total"] for one in lines]:
        return "invalid_total"
    return None
