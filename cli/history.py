"""What happened to an invoice, an event a line."""

from __future__ import annotations

from datetime import datetime, tzinfo

from cli.amounts import money
from cli.messages import Json
from cli.pending import why_not_mailed
from cli.replies import Reply


def is_of(event: Json, invoice_id: str) -> bool:
    """Whether an event is of this invoice, or tells of the one that replaced it."""
    replaced = (one["invoice_id"] for one in event.get("replaces") or ())
    return event.get("invoice_id") == invoice_id or invoice_id in replaced


def details(reply: Reply, zone: tzinfo) -> str:
    """What an event says besides its kind, in a few words; a payment's day is the venue's."""
    event = reply.message
    match event["type"]:
        case "credit_note.issued":
            amount = money(event["total"], event["currency"])
            return f"{event['number']}, {amount}: {event['reason']}"
        case "payment.received" | "payment.refunded":
            amount, left = (money(event[k], event["currency"]) for k in ("amount", "open"))
            which = event.get("payment_id") or event.get("reverses")
            of = "" if which is None else f", {'reverses' if 'reverses' in event else 'id'} {which}"
            at = datetime.fromisoformat(event["at"]).astimezone(zone)
            day = "" if at.date() == reply.time.astimezone(zone).date() else f" of {at:%Y-%m-%d}"
            return f"{amount}{day}, open {left}{of}"
        case "invoice.undeliverable":
            where = " ".join(str(event[k]) for k in ("to", "code") if event.get(k))
            return f"{where} {why_not_mailed(event)}".strip()
        case "invoice.issued":
            instead = ", ".join(str(one["number"]) for one in event.get("replaces") or ())
            sales = len(event["sales"])
            said = f"{event['number']}, {sales} sale{'' if sales == 1 else 's'}"
            return f"{said}, replaces {instead}" if instead else said
        case _:
            return str(event.get("to") or event.get("reason") or "")
