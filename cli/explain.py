"""All that the topics say of one sale: asked, decided, taken back, invoiced, booked.

The topics are read from end to end, for nothing says in which partition a sale's messages are. A
record is looked at as bytes and decoded only where the id stands in it; what does not speak of the
sale is not kept, so memory does not grow with the topics.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import ConsumerRecord

from cli.amounts import Misuse, money
from cli.client import Client
from cli.messages import Json
from cli.registry import UUID
from cli.replies import Reply, newest, of_one, reply_of
from cli.screen import Gauge, Screen, plain, when

MOST_KEPT = 20_000
ABOUT_SALES = ("pos.sales", "pos.decisions", "pos.unbooked", "registry.commands", "invoices.events")
FOLLOWING = ("ledger.entries", "invoices.events")
FINAL = ("sale.approved", "sale.declined")


@dataclass(slots=True, kw_only=True)
class Story:
    """What is known of one sale; each event once, in the order of the log's time."""

    sale_id: str
    asked: list[Reply] = field(default_factory=list)
    answers: list[Reply] = field(default_factory=list)
    unbooked: list[Json] = field(default_factory=list)
    documents: list[Reply] = field(default_factory=list)
    journal: list[Reply] = field(default_factory=list)

    @property
    def decision(self) -> Json | None:
        """What stands: approved beats declined, of declines the last."""
        found = [r.message for r in self.answers if r.type in FINAL]
        found.sort(key=lambda message: message["type"] == "sale.approved")
        return found[-1] if found else None

    def amount(self, kind: str) -> int:
        """What events of this kind say of the sale together: reversals, or shares of invoices."""
        if kind == "sale.reversed":
            return sum(r.message["amount"] for r in self.answers if r.type == kind)
        return sum(share_of(r.message, self.sale_id) for r in self.documents if r.type == kind)

    def numbers(self) -> tuple[list[str], list[str]]:
        """The invoices on which it stands, and those that were credited for all of it."""
        back: dict[str, list[int]] = {}
        for note in (r.message for r in self.documents if r.type == "credit_note.issued"):
            back.setdefault(note["invoice_id"], []).append(share_of(note, self.sale_id))
        on: dict[bool, list[str]] = {True: [], False: []}
        for one in (r.message for r in self.documents if r.type == "invoice.issued"):
            parts = back.get(one["invoice_id"])
            on[not parts or sum(parts) != share_of(one, self.sale_id)].append(one["number"])
        return on[True], on[False]


def share_of(document: Json, sale_id: str) -> int:
    """What an invoice or a credit note says of one sale."""
    return sum(one["amount"] for one in document.get("sales", ()) if one["sale_id"] == sale_id)


def about_sale(event: Json, sale_id: str) -> bool:
    """Whether what speaks of the sale's invoice is about the sale: a document that replaces that
    invoice, or credits a part of it, may be about others alone."""
    if event["type"] not in ("invoice.issued", "credit_note.issued"):
        return True
    return any(one["sale_id"] == sale_id for one in event.get("sales", ()))


async def explain(
    client: Client, sale_id: str, gauge: Gauge, environment: int | None = None
) -> Story:
    """Read the topics for one sale. Raises Misuse for what is no sale's id, or several's."""
    if not UUID.fullmatch(sale_id):
        raise Misuse(f"{sale_id!r} is not a sale's id; it is a UUID, and has to be whole.")
    found = of_one(await _holding(client, ABOUT_SALES, [sale_id], gauge), environment)
    story, told = Story(sale_id=sale_id), list[Reply]()
    for reply in _once(found):
        match reply.topic:
            case "pos.sales":
                story.asked.append(reply)
            case "registry.commands":
                # The id may stand in a command as a customer's, too.
                if reply.message.get("sale_id") == sale_id:
                    story.asked.append(reply)
            case "pos.decisions":
                story.answers.append(reply)
            case "pos.unbooked":
                told.append(reply)
            case _:
                story.documents.append(reply)
    story.unbooked = list(newest(told).values())
    ids = {sale_id}
    ids |= {str(r.message["cancellation_id"]) for r in story.answers if r.type == "sale.reversed"}
    ids |= {str(r.message["invoice_id"]) for r in story.documents if "invoice_id" in r.message}
    ids |= {
        str(r.message["credit_note_id"]) for r in story.documents if "credit_note_id" in r.message
    }
    if story.answers:
        found = await _holding(client, FOLLOWING, sorted(ids), gauge)
        for reply in _once(of_one(found, story.answers[0].environment)):
            if reply.topic == "ledger.entries":
                if reply.message.get("source_id") in ids:
                    story.journal.append(reply)
            elif about_sale(reply.message, sale_id) and all(
                reply.message != known.message for known in story.documents
            ):
                story.documents.append(reply)
    story.documents.sort(key=lambda r: r.time)
    return story


async def _holding(
    client: Client, topics: Sequence[str], ids: Sequence[str], gauge: Gauge
) -> list[Reply]:
    """Every record in which one of these ids stands, by the log's time."""
    needles = [one.encode() for one in ids]
    kept: list[Reply] = []
    async for records in client.scan(*topics, gauge=gauge):
        kept += [reply_of(r) for r in records if _speaks(r, needles)]
        if len(kept) > MOST_KEPT:
            raise Misuse(f"More than {MOST_KEPT:,} records speak of it; that is no single sale.")
    return sorted(kept, key=lambda r: (r.time, r.topic, r.partition, r.offset))


def _speaks(record: ConsumerRecord, needles: Sequence[bytes]) -> bool:
    # A till may write its ids in capitals; what the services say is in small letters.
    value = record.value or b""
    if record.topic == "pos.sales":
        value = value.lower()
    return any(needle in value for needle in needles)


def _once(replies: Iterable[Reply]) -> list[Reply]:
    """Of an answer and its repetitions the first; what came from a till as often as it came."""
    seen: set[tuple[str, bytes]] = set()
    found = []
    for reply in replies:
        mark = (reply.topic, reply.value)
        if reply.topic == "pos.sales" or mark not in seen:
            seen.add(mark)
            found.append(reply)
    return found


# --- telling it -------------------------------------------------------------------------------


def show_story(screen: Screen, story: Story) -> int:
    """Show what is known of a sale; raises Misuse where nothing is."""
    if not (story.asked or story.answers or story.unbooked):
        raise Misuse(f"Nothing is known of sale {story.sale_id}; the till or the invoice tells it.")
    screen.data(as_json(story))
    first = story.decision or (story.asked[0].message if story.asked else {})
    currency = first.get("currency")
    facts = {name: first.get(name) for name in ("environment", "account", "terminal")}
    facts["total"] = as_told(first.get("total"), currency)
    screen.fields({**facts, "stands": stands(story)}, title=f"Sale {story.sale_id}")
    lines = first.get("lines") or (story.asked[0].message.get("lines") if story.asked else ())
    screen.table(
        ("What", "Quantity", "Price", "VAT", "Total"),
        (
            (
                one.get("description"),
                one.get("quantity"),
                as_told(one.get("unit_price"), currency),
                f"{one.get('vat_rate', '?')}%",
                as_told(one.get("total"), currency),
            )
            for one in (lines if isinstance(lines, list) else ())
            if isinstance(one, dict)
        ),
        right=("Quantity", "Price", "VAT", "Total"),
    )
    events = [*story.asked, *story.answers, *story.documents, *story.journal]
    events.sort(key=lambda r: (r.time, r.topic != "pos.sales"))
    screen.table(
        ("When", "What", "Numbers then"),
        ((when(r.time.isoformat()), *told(r.message, story.sale_id, currency)) for r in events),
    )
    return 0


def stands(story: Story) -> str:
    """How it stands, in a sentence."""
    decision = story.decision
    # A sale that was to stand for this one, and could not be booked either, waits by itself.
    its = [one for one in story.unbooked if one["sale_id"] == story.sale_id]
    waits = [one["reason"].replace("_", " ") for one in its if one["status"] == "open"]
    if waits and (decision is None or decision["type"] == "sale.declined"):
        return f"sold, but not booked ({waits[0]}): a person must see to it"
    if decision is None:
        return "not decided yet"
    if decision["type"] == "sale.declined":
        cleared = [one for one in its if one["status"] == "cleared"]
        after = f"; {seen_to(story, cleared[-1]['cleared_by'])}" if cleared else ""
        return f"declined: {decision['reason'].replace('_', ' ')}{after}"
    currency = decision["currency"]
    parts = ["approved" if decision["online"] else "booked after it was made"]
    taken_back = story.amount("sale.reversed")
    billed = story.amount("invoice.issued") - story.amount("credit_note.issued")
    if taken_back:
        parts.append(f"{money(taken_back, currency)} taken back")
    left = decision["total"] - taken_back - billed
    numbers, credited = story.numbers()
    if numbers:
        parts.append(f"{money(billed, currency)} invoiced ({', '.join(numbers)})")
    elif credited:
        parts.append(f"invoiced and credited ({', '.join(credited)})")
    if left:
        parts.append(f"{money(left, currency)} to be {'invoiced' if left > 0 else 'credited'}")
    told = ", ".join(parts)
    if waits:
        told += f"; told beside it, and not booked ({waits[0]}): a person must see to it"
    return told


def seen_to(story: Story, by: str) -> str:
    """What became of a sale that could not be booked; `by` is a sale, cancellation or command."""
    if any((one.get("sale") or {}).get("moved_from") == by for one in story.unbooked):
        return f"it was to book sale {by}, which tells the rest"
    for message in (r.message for r in story.asked):
        if message.get("sale_id") == by:
            return f"booked on account {message.get('account')} as sale {by}"
        if message.get("command_id") == by:
            return f"dismissed by {message.get('by')}"
    return f"taken back by its till ({by})"


def told(message: Json, sale_id: str, currency: str | None) -> tuple[str, str]:
    """One event in words, with its numbers."""
    kind, currency = str(message.get("type", "")), message.get("currency") or currency

    def amount(name: str) -> str:
        return as_told(message.get(name), currency)

    def room() -> str:
        numbers = (name for name in ("limit", "used", "available") if name in message)
        return ", ".join(f"{name} {money(message[name], currency)}" for name in numbers)

    match kind:
        case "":
            return "what can't be read: see `onaccount dead-letters list`", ""
        case "sale.recorded" if message.get("moved_from") == sale_id:
            place = f"account {message.get('account')} as sale {message.get('sale_id')}"
            return f"to be booked on {place}", amount("total")
        case "unbooked.dismiss":
            return f"dismissed by {message.get('by')}", str(message.get("note") or "")
        case "sale.requested" | "sale.recorded":
            how = "asked" if kind == "sale.requested" else "told as made already"
            return f"{how} by {message.get('terminal')}", amount("total")
        case "sale.cancelled":
            return f"cancellation asked: {message.get('reason')}", amount("amount")
        case "sale.approved":
            over = ", over the limit" if message["over_limit"] else ""
            return f"approved{over}", room()
        case "sale.declined":
            return f"declined, {message['reason']}: {message['explanation']}", room()
        case "sale.reversed":
            return f"taken back: {message['reason']}", f"{amount('amount')}; {room()}"
        case "sale.reversal_refused":
            return f"cancellation refused: {message['reason']}", ""
        case "invoice.issued" | "credit_note.issued":
            share = money(share_of(message, sale_id), currency)
            what = "invoice" if kind == "invoice.issued" else "credit note"
            return f"{what} {message['number']}", f"{share} of {amount('total')}"
        case "entry.posted":
            legs = (_leg(leg, currency) for leg in message["legs"])
            return f"journal: {message['kind']}", "\n".join(legs)
        case _:
            words = kind.replace(".", " ").replace("_", " ")
            to = f" to {message['to']}" if message.get("to") else ""
            return f"{words}{to}", amount("amount") or amount("total")


def as_told(amount: Any, currency: Any) -> str:
    """An amount as people read it; what a till sent in its place, as it stands."""
    if isinstance(amount, int):
        return money(amount, currency if isinstance(currency, str) else None)
    return plain(amount)


def _leg(leg: Json, currency: Any) -> str:
    side, value = ("Dr", leg["debit"]) if leg["debit"] else ("Cr", leg["credit"])
    return f"{side} {leg['ledger_account']} {money(value, currency)}"


def as_json(story: Story) -> Json:
    """The story for machines: the messages, each with the log's time and place."""

    def placed(replies: Iterable[Reply]) -> list[Json]:
        return [
            {
                "topic": r.topic,
                "partition": r.partition,
                "offset": r.offset,
                "time": r.time.isoformat(),
                "message": r.message,
            }
            for r in replies
        ]

    return {
        "sale_id": story.sale_id,
        "stands": stands(story),
        "decision": story.decision,
        "asked": placed(story.asked),
        "answers": placed(story.answers),
        "unbooked": story.unbooked,
        "documents": placed(story.documents),
        "journal": placed(story.journal),
    }
