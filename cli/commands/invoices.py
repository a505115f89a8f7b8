"""`onaccount invoices`: runs, drafts, documents, mails, payments."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from cli.amounts import Misuse, cents, money
from cli.documents import Document, document
from cli.invoices import find, follow_run, invoices, last_month, run_message, show_run
from cli.messages import command, new_id, now
from cli.options import DEFAULT, Common
from cli.screen import outcome
from cli.verify import verify as verify_service

app = App(
    name="invoices",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount invoices run 2890 2026-10                   drafts, for review
    onaccount invoices run 2890 2026-10 --issue --send    at once
    onaccount invoices list 2890 --status draft
    onaccount invoices approve 2890 INVOICE
    onaccount invoices document 2890 2026-00001 --format ubl
    onaccount invoices pay 2890 2026-00001 125,50 --method bank

INVOICE is an invoice's number or its id.
""",
)

Format = Literal["pdf", "xlsx", "ubl"]
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
SILENCE_S = 300.0


@app.command
async def run(
    environment: int,
    period: str | None = None,
    /,
    *,
    issue: Annotated[bool, Parameter(negative="")] = False,
    send: Annotated[bool, Parameter(negative="")] = False,
    account: Annotated[list[str] | None, Parameter(negative="")] = None,
    run_id: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """Invoice all that is open up to a month's end: drafts, unless --issue is given.

    Parameters
    ----------
    period
        The month, YYYY-MM: the running one or a past one; last month unless given.
    issue
        Issue at once, with numbers, instead of making drafts to review.
    send
        Mail what is issued.
    account
        Only this account; may be given several times.
    run_id
        Give an earlier run's id to see its outcome again.
    """
    if send and not issue:
        raise Misuse("A draft is not mailed: add --issue, or leave --send out.")
    message = run_message(
        environment,
        period or last_month(date.today()),  # noqa: DTZ011 - the person's own calendar
        issue=issue,
        send=send,
        run_id=run_id,
        accounts=account,
        by=common.by,
    )
    screen = common.screen
    async with common.client("invoices.run") as client:
        with screen.progress("invoices") as gauge, client.expecting(message) as answers:
            await client.send(message)
            result = await follow_run(answers, gauge, max(common.timeout, SILENCE_S))
    return show_run(screen, result)


@app.command(name="list")
async def list_(
    environment: int,
    /,
    *,
    status: Literal["draft", "issued", "sent", "undeliverable", "paid", "deleted", "credited"]
    | None = None,
    account: str | None = None,
    period: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """List invoices as they stand."""
    async with common.client() as client:
        states = await invoices(client, environment)
    rows = [
        s
        for s in states
        if (status is None or s["status"] == status)
        and (account is None or s["account"] == account)
        and (period is None or s["period"] == period)
    ]
    screen = common.screen
    screen.data(rows)
    screen.table(
        ("Invoice", "Account", "Month", "Status", "Total", "Paid", "Due on"),
        (
            (
                s.get("number") or s["invoice_id"],  # either is understood
                s["account"],
                s["period"],
                s["status"],
                money(s["total"], s["currency"]),
                money(s["paid"], s["currency"]),
                s.get("due_on"),
            )
            for s in rows
        ),
        right=("Total", "Paid"),
    )
    screen.say(f"{len(rows)} invoice{'' if len(rows) == 1 else 's'}")
    return 0


@app.command
async def show(environment: int, invoice: str, /, *, common: Common = DEFAULT) -> int:
    """Show one invoice and what happened to it."""
    async with common.client() as client:
        state = await find(client, environment, invoice)
        events = await client.read("invoices.events")
    history = [
        e
        for e in events
        if e.message.get("invoice_id") == state["invoice_id"]
        and e.message.get("environment") == environment
    ]
    history.sort(key=lambda e: e.time)
    screen = common.screen
    screen.data({**state, "events": [e.message for e in history]})
    amounts = {k: money(state[k], state["currency"]) for k in ("total", "paid")}
    screen.fields(
        {**{k: v for k, v in state.items() if k != "type"}, **amounts},
        title=f"Invoice {state.get('number') or state['invoice_id']}",
    )
    screen.table(
        ("When", "What", "Details"),
        (
            (
                e.time.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
                e.type,
                e.message.get("to") or e.message.get("reason") or "",
            )
            for e in history
        ),
    )
    return 0


@app.command
async def approve(environment: int, invoice: str, /, *, common: Common = DEFAULT) -> int:
    """Issue a draft as it was reviewed; refused where its total is no longer the same."""
    return await _order(environment, invoice, "invoice.approve", common)


@app.command
async def send(
    environment: int, invoice: str, /, *, to: str | None = None, common: Common = DEFAULT
) -> int:
    """Mail an issued invoice, to its holder or to another address."""
    return await _order(environment, invoice, "invoice.send", common, to=to)


@app.command
async def delete(environment: int, invoice: str, /, *, common: Common = DEFAULT) -> int:
    """Delete a draft; an issued invoice gets a credit note and its sales are free again."""
    return await _order(environment, invoice, "invoice.delete", common)


@app.command
async def correct(
    environment: int,
    invoice: str,
    /,
    *,
    reason: str,
    exclude: Annotated[list[str] | None, Parameter(negative="")] = None,
    account: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """Replace an issued invoice by a credit note and a new invoice.

    Parameters
    ----------
    exclude
        Id of a sale to leave out; may be given several times.
    account
        Invoice another account instead.
    """
    more = {"reason": reason, "exclude_sales": exclude, "account": account}
    return await _order(environment, invoice, "invoice.correct", common, **more)


@app.command
async def pay(
    environment: int,
    invoice: str,
    amount: str,
    /,
    *,
    method: str = "bank",
    at: str | None = None,
    payment_id: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """Record a payment of an invoice.

    Parameters
    ----------
    amount
        As 125,50.
    method
        How it was paid: bank, cash, card.
    at
        When, as RFC 3339; now unless given.
    payment_id
        Give one to repeat a payment without counting it twice.
    """
    which = {"invoice_id" if UUID.fullmatch(invoice) else "number": invoice}
    return await common.order(
        {
            "type": "payment.record",
            "payment_id": payment_id or new_id(),
            "environment": environment,
            **which,
            "amount": cents(amount),
            "at": at or now(),
            "method": method,
            "by": common.by,
        }
    )


@app.command(name="document")
async def get_document(
    environment: int,
    invoice: str,
    /,
    *,
    format: Format = "pdf",
    out: Path | None = None,
    common: Common = DEFAULT,
) -> int:
    """Save an invoice's PDF, XLSX specification or UBL.

    Parameters
    ----------
    out
        File or folder to save it to; here, under its own name, unless given.
    """
    async with common.client("document.request") as client:
        state = await find(client, environment, invoice)
        request = {
            "type": "document.request",
            "request_id": new_id(),
            "environment": environment,
            "invoice_id": state["invoice_id"],
            "format": format,
        }
        with client.expecting(request) as answers:
            await client.send(request)
            found = await document(answers, common.timeout)
    screen = common.screen
    if not isinstance(found, Document):
        return outcome(screen, found)
    place = out or Path(Path(found.file_name).name)
    if place.is_dir():
        place = place / Path(found.file_name).name
    place.write_bytes(found.content)
    screen.data({"file": str(place), "bytes": len(found.content), "type": found.media_type})
    screen.good(f"{place} ({len(found.content):,} bytes)")
    return 0


@app.command
def verify(*, common: Common = DEFAULT) -> int:
    """Check in its database that numbers have no gap and amounts add up (opens PostgreSQL)."""
    return verify_service("invoicer", common)


async def _order(
    environment: int, invoice: str, kind: str, common: Common, **fields: object
) -> int:
    async with common.client(kind) as client:
        state = await find(client, environment, invoice)
        message = command(kind, environment, by=common.by, invoice_id=state["invoice_id"], **fields)
        reply = await client.ask(message, timeout_s=common.timeout)
    return outcome(common.screen, reply.message)
