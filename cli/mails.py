"""Mails: which did not arrive, and what is to be mailed again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cli.client import Client
from cli.in_order import counted_up
from cli.invoices import credit_notes, find_all, invoices_of
from cli.messages import Json, given
from cli.registry import settings_of
from cli.replies import Reply, holding

FAILED = ("invoice.undeliverable", "statement.undeliverable")
ARRIVED = ("invoice.sent", "credit_note.sent", "statement.sent")


def undelivered_mails(events: Iterable[Reply], environment: int) -> dict[str, Json]:
    """By the id of an invoice or credit note its last failed mail, where none arrived after it.

    `delivered_to` says who got it before: then only a later mail failed.
    """
    found: dict[str, Json] = {}
    delivered: dict[str, str] = {}
    for event in sorted(events, key=lambda e: (e.time, e.partition, e.offset)):
        said = event.message
        if said.get("environment") != environment:
            continue
        document = _document(said)
        if event.type == "invoice.undeliverable":
            before = delivered.get(document)
            found[document] = {**said, **given({"delivered_to": before})}
        elif event.type in ("invoice.sent", "credit_note.sent"):
            found.pop(document, None)
            delivered[document] = said["to"]
    return found


async def mails_that_failed(client: Client, environment: int) -> list[Reply]:
    """The events of mails that failed, and of those that arrived for the same document or address:
    nearly all arrive, and in years they are a great many."""
    failed = [
        event
        for event in await client.read("invoices.events", wanted=holding(*FAILED))
        if event.message.get("environment") == environment
    ]
    if not failed:
        return []
    concerned = {_concerned(event.message) for event in failed}
    return failed + [
        event
        async for event in client.replies("invoices.events", wanted=holding(*ARRIVED))
        if _concerned(event.message) in concerned
    ]


def _document(said: Json) -> str:
    return str(said.get("credit_note_id") or said.get("invoice_id", ""))


def _concerned(said: Json) -> str:
    """The document, or the address of a statement, which is one of its own each time."""
    return _document(said) or str(said.get("to"))


async def undelivered(client: Client, environment: int) -> tuple[list[Json], list[Json]]:
    """What `undelivered_mails` finds of documents that still matter, each with its number and its
    invoice's status, by number; and `undelivered_statements`.

    Nobody misses the mail of an invoice that is paid or credited.
    """
    events = await mails_that_failed(client, environment)
    if not events:
        await settings_of(client, environment)
    mails = undelivered_mails(events, environment)
    notes = await credit_notes(client, environment) if mails else {}
    states = await invoices_of(client, environment, {m["invoice_id"] for m in mails.values()})
    numbers = {key: note["number"] for key, note in notes.items()}
    numbers |= {s["invoice_id"]: s["number"] for s in states.values() if s.get("number")}
    status = {s["invoice_id"]: s["status"] for s in states.values()}
    rows = [
        {**mail, "number": numbers[document], "status": status[mail["invoice_id"]]}
        for document, mail in mails.items()
        if document in numbers
        and ("credit_note_id" in mail or status[mail["invoice_id"]] not in ("paid", "credited"))
    ]
    statements = undelivered_statements(events, environment)
    return sorted(rows, key=lambda row: counted_up(str(row["number"]))), statements


def undelivered_statements(events: Iterable[Reply], environment: int) -> list[Json]:
    """Statements that did not arrive, the last of each address, until one arrives there."""
    found: dict[str, Json] = {}
    for event in sorted(events, key=lambda e: (e.time, e.partition, e.offset)):
        said = event.message
        if said.get("environment") != environment:
            continue
        if event.type == "statement.undeliverable":
            found[said["to"]] = said
        elif event.type == "statement.sent":
            found.pop(said["to"], None)
    return list(found.values())


async def documents(client: Client, environment: int, named: Sequence[str]) -> list[Json]:
    """The invoices as they stand, and the credit notes as they were issued, of these numbers or
    ids, each once; raises Misuse where one of them is not there."""
    states = await find_all(client, environment, named)
    ours = {name for s in states for name in (s["invoice_id"], str(s.get("number")).lower())}
    strange = any(name.lower() not in ours for name in named)
    notes = await credit_notes(client, environment) if strange else {}
    found = [notes.get(name.lower(), state) for name, state in zip(named, states, strict=True)]
    return list({one.get("credit_note_id") or one["invoice_id"]: one for one in found}.values())
