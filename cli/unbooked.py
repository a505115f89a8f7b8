"""Sales that a till made and that could not be booked: finding them, and booking them after all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from uuid import NAMESPACE_URL, uuid5

from cli.amounts import Misuse
from cli.client import Client
from cli.messages import SAME_COMMAND, Json, now
from cli.replies import holding
from schemas.values import is_vat_rate, line_total

_SPACE = uuid5(NAMESPACE_URL, "https://onaccount/unbooked")
REUSED = "sale_id_reused"
LONGEST_KEPT = timedelta(days=46)
"""A till may keep a sale for 45 days before it tells of it."""
A_DAY = timedelta(days=1)
"""Its clock may be off by this, and is believed."""
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


def _to_book(state: Json, states: Sequence[Json]) -> list[Json]:
    """What is listed of another sale that this one was to book, and could not either.

    Not where only others are listed under that id: beside a sale that stands, which this one moves.
    """
    origin = (state.get("sale") or {}).get("moved_from")
    return [
        one
        for one in states
        if one["sale_id"] == origin != state["sale_id"]
        and one["reason"] not in (REUSED, "invalid_message")
    ]


def caution(state: Json, states: Sequence[Json]) -> str:
    """What a person has to know before one is booked that was to book another; commonly nothing."""
    for one in _to_book(state, states):
        origin = one["sale_id"]
        return (
            f"This was to book sale {origin}, which was seen to since: see "
            f"`onaccount sales explain {origin}`. "
        )
    if was_seen_to_unread(state, states):
        return (
            "What its till said of it before could not be read, and was booked, dismissed or taken "
            "back: see "
            f"`onaccount sales explain {state['sale_id']}`. "
        )
    return ""


def was_seen_to_unread(state: Json, states: Sequence[Json]) -> bool:
    """Whether what its till said of it before could not be read, and was booked, dismissed
    (decision 137) or taken back."""
    place = state["environment"], state["sale_id"]
    return state["reason"] == SEEN_TO and any(
        (one["environment"], one["sale_id"]) == place
        and (one["reason"], one["status"]) == ("invalid_message", "cleared")
        and one.get("cleared_by") != state["sale_id"]
        for one in states
    )


async def told_before(client: Client, state: Json, booking_id: str) -> Json | None:
    """The sale.approved that may be this one: of the same till and the same moment (its till mended
    it under another id, or asked for it before), and of what can't be read that of its own id too,
    which was asked for before. None where there is none; what stands under `booking_id` is the
    booking of it that somebody else made just now, and is told when that is sent again.

    Of what is on an unknown account there is none: it was right, and is not told again.
    """
    if state["reason"] in ("account_unknown", "environment_unknown"):
        return None
    noted = datetime.fromisoformat(state["noted_at"])
    since = noted - LONGEST_KEPT
    told = state.get("sale")
    if told is None:  # its answers say of what could be read
        own = {name: state[name] for name in ("environment", "sale_id")}
        answers = await _decisions(client, state["sale_id"], own, since)
        if stands := _first(answers, type="sale.approved"):
            return stands
        told = _first(answers, type="sale.declined", reason="invalid_message")
        if told is None or not (told.get("terminal") and told.get("at")):
            return None
    since = max(since + A_DAY, min(noted, datetime.fromisoformat(told["at"]))) - A_DAY
    same = {"environment": state["environment"], "terminal": told["terminal"], "at": told["at"]}
    found = await _decisions(client, told["at"], same, since)
    return _first([one for one in found if one["sale_id"] != booking_id], type="sale.approved")


async def _decisions(client: Client, text: str, same: Json, since: datetime) -> list[Json]:
    """The decisions since then that say the same, and hold this text of it."""
    found = await client.read("pos.decisions", wanted=holding(text), since=since)
    return [one.message for one in found if one.message.items() >= same.items()]


def _first(answers: Sequence[Json], **same: str) -> Json | None:
    return next((one for one in answers if one.items() >= same.items()), None)


def booking(
    state: Json,
    states: Sequence[Json],
    account: str,
    lines: Sequence[Json] | None,
    currency: str,
) -> Json:
    """The sale.recorded that books it on an account; `lines` where its own can't be.

    Its id is made from what waits, and from how often a booking of that was declined already, as
    `states` tell, all of pos.unbooked. So who repeats it, or books it elsewhere at the same time,
    books it once (docs/decisions/0130). Raises Misuse where lines are needed and not given, and for
    what would be declined.
    """
    for one in _to_book(state, states):
        if one["status"] == "open":
            raise Misuse(
                f"This was to book sale {one['sale_id']}, which waits itself: assign that one, and "
                "dismiss this one."
            )
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
    # The time is the till's own; unreadable, it is when the sale came in.
    told = sale or {"terminal": "onaccount", "at": state.get("noted_at") or now()}
    return {
        "type": "sale.recorded",
        "sale_id": _next_id(state, states),
        "environment": state["environment"],
        "terminal": told["terminal"],
        "account": account,
        "at": told["at"],
        "currency": currency,
        "total": sum(one["total"] for one in lines),
        "lines": list(lines),
        **{name: told[name] for name in ("operator", "note") if told.get(name)},
        "moved_from": state["sale_id"],
        "moved_content": state["content"],
    }


def _wrong(lines: Sequence[Json]) -> str | None:
    """For which reason these lines would be declined, on whatever account."""
    if not all(is_vat_rate(one["vat_rate"]) for one in lines):
        return "invalid_vat_rate"
    totals = [one["total"] for one in lines]
    reckoned = [line_total(one["quantity"], one["unit_price"]) for one in lines]
    if totals != reckoned or sum(totals) < 0:
        return "invalid_total"
    return None


def _next_id(state: Json, states: Sequence[Json]) -> str:
    """Of the ids that bookings of it have in turn, the first under which none was declined. A
    second one under an id (sale_id_reused) says nothing of the first."""
    declined = {one["sale_id"] for one in states if one["reason"] != REUSED}
    name = f"{state['environment']}/{state['sale_id']}/{state['content']}"
    ids = (str(uuid5(_SPACE, f"{name}/{number}")) for number in count())
    return next(one for one in ids if one not in declined)


async def book(client: Client, message: Json, *, timeout_s: float) -> tuple[Json, Json | None]:
    """Send a booking. Gives its answer, and where somebody else's stands under its id what that was
    answered, if it can be found."""
    theirs: Json | None = None
    with client.expecting(message, again=SAME_COMMAND) as answers:
        await client.send(message, again=SAME_COMMAND)
        while not _answers(answer := (await answers.next(timeout_s)).message, message):
            # Both of us hear what either is told.
            theirs = theirs if answer.get("reason") == REUSED else answer
    if answer.get("reason") != REUSED:
        return answer, None
    sale_id = message["sale_id"]
    for reply in [] if theirs else await client.read("pos.decisions", wanted=holding(sale_id)):
        about_it = reply.type in ("sale.approved", "sale.declined")
        said = reply.message
        whose = said.get("environment", message["environment"])
        ours = said.get("sale_id") == sale_id and whose == message["environment"]
        if about_it and ours and said.get("reason") != REUSED:
            theirs = said
    return answer, theirs


def _answers(answer: Json, message: Json) -> bool:
    """Whether this was told of our booking, and not of another under its id."""
    names = ("account", "currency", "total", *(("lines",) if "lines" in answer else ()))
    return all(answer.get(name) == message[name] for name in names)


SEEN_TO = "already_cancelled"
"""What a booking is declined for whose sale was dismissed meanwhile, taken back, or booked by an
older command."""


def was_seen_to(sale_id: str) -> str:
    """What a person is told then."""
    return (
        "This sale was seen to meanwhile: dismissed, taken back by its till, or booked; "
        f"`onaccount sales explain {sale_id}` tells which. Nothing more was booked."
    )


def in_vain(sale_id: str, theirs: Json | None) -> str:
    """What a person is told whose booking came after somebody else's."""
    if theirs is None:
        return (
            "Somebody else assigned this sale meanwhile; "
            f"`onaccount sales explain {sale_id}` tells where to. Nothing more was booked."
        )
    if theirs.get("reason") == SEEN_TO:
        return was_seen_to(sale_id)
    where = f"account {theirs.get('account')}"
    if theirs["type"] == "sale.approved":
        return (
            f"Somebody else assigned this sale meanwhile: it is booked on {where}, as sale "
            f"{theirs['sale_id']}. Nothing more was booked."
        )
    return (
        f"Somebody else tried to assign this sale meanwhile, to {where}, and that was declined "
        f"({str(theirs.get('reason')).replace('_', ' ')}). It still waits: assign it once more."
    )
