"""Files by the command line: `onaccount invoices document` and `onaccount invoices statement`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from cli.client import Client
from cli.commands.mailing import say_what_next
from cli.documents import document, save, statement_message
from cli.invoices import credit_notes, find
from cli.messages import Json, new_id
from cli.options import DEFAULT, Common
from cli.screen import outcome

Format = Literal["pdf", "xlsx", "ubl"]
SILENCE_S = 300.0


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
    format
        The invoice itself, its specification, or the file for the buyer's books.
    out
        File or folder to save it to; here, under its own name, unless given.
    """
    async with common.client("document.request") as client:
        request = {
            "type": "document.request",
            "request_id": new_id(),
            "environment": environment,
            **await _named(client, environment, invoice),
            "format": format,
        }
        with client.expecting(request) as answers:
            await client.send(request)
            found = await document(answers, common.timeout)
    return save(common.screen, found, out)


async def _named(client: Client, environment: int, invoice: str) -> Json:
    """The invoice, or the credit note, of a number or an id."""
    note = (await credit_notes(client, environment)).get(invoice.lower())
    if note is not None:
        return {"credit_note_id": note["credit_note_id"]}
    return {"invoice_id": (await find(client, environment, invoice))["invoice_id"]}


async def statement(
    environment: int,
    account: str | None = None,
    /,
    *,
    period: str | None = None,
    from_: Annotated[str | None, Parameter(name="--from")] = None,
    until: str | None = None,
    format: Literal["xlsx", "pdf"] = "pdf",
    to: str | None = None,
    out: Path | None = None,
    common: Common = DEFAULT,
) -> int:
    """Get a statement of an account's transactions, or of all accounts; or have it mailed.

    Parameters
    ----------
    account
        All accounts unless given.
    period
        A month, YYYY-MM; this month unless --from and --until are given.
    from_
        First day, YYYY-MM-DD.
    until
        The day after the last, YYYY-MM-DD.
    format
        As a document, or as a list to work with.
    to
        Mail it instead: to the holder, the viewers, or an address.
    out
        File or folder to save it to; here, under its own name, unless given.
    """
    message = statement_message(
        environment, account, period=period, first=from_, until=until, format=format, to=to,
        by=common.by,
    )  # fmt: skip
    screen = common.screen
    async with common.client("statement.request") as client:
        if to is not None:
            reply = (await client.ask(message, timeout_s=common.timeout)).message
            status = outcome(screen, reply if screen.as_json else {**reply, "changes": []})
            if status == 0:
                say_what_next(screen, environment)
            return status
        with client.expecting(message) as answers:
            await client.send(message)
            making_s = max(common.timeout, SILENCE_S)
            found = await document(answers, common.timeout, making_s=making_s)
    return save(screen, found, out)
