"""Invoices: takes invoice.issued, credit_note.issued and payment.received from invoices.events;
answers nothing; changes the sums that give an account's limit back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from runtime.answers import Answer
from runtime.incoming import Incoming
from runtime.sql import statements
from runtime.transaction import Tx
from schemas.billing import CreditNoteIssued, InvoiceIssued, PaymentReceived

sql = statements("services.authorizer", "sql/invoices.sql")
SUMS = ("issued", "credited", "paid")


async def handle(batch: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
    """Count each invoice, credit note and payment once, in whatever order they come."""
    effects = {(e[0], e[1], e[2]): e for i in batch if (e := _effect(i.message)) is not None}
    if not effects:
        return []
    accounts = sorted({(e[1], e[3]) for e in effects.values()})
    await tx.fetch(sql.lock_accounts, [e for e, _ in accounts], [a for _, a in accounts])
    columns = [list(column) for column in zip(*effects.values(), strict=True)]
    sums: dict[tuple[int, str], dict[str, int]] = {}
    for row in await tx.fetch(sql.note_effects, *columns):
        of_account = sums.setdefault((row["environment"], row["account"]), dict.fromkeys(SUMS, 0))
        of_account[row["kind"]] += row["amount"]
    if sums:
        await tx.execute(
            sql.add_to_sums,
            [e for e, _ in sums],
            [a for _, a in sums],
            *([s[name] for s in sums.values()] for name in SUMS),
        )
    return []


def _effect(message: Any) -> tuple[str, int, str, str, int] | None:
    match message:
        case InvoiceIssued():
            return (
                "issued", message.environment, message.invoice_id, message.account, message.total
            )  # fmt: skip
        case CreditNoteIssued():
            return (
                "credited", message.environment, message.credit_note_id, message.account,
                message.total,
            )  # fmt: skip
        case PaymentReceived():
            return (
                "paid", message.environment, message.payment_id, message.account, message.amount
            )  # fmt: skip
        case _:
            return None
