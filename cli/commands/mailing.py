"""`onaccount invoices undelivered` and `send`: which mails did not arrive, and mailing again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter

from cli import mails
from cli.amounts import Misuse
from cli.asking import asked, can_ask
from cli.client import Client
from cli.invoices import by_number, give_all, show_all
from cli.messages import Json, command, given
from cli.options import DEFAULT, Common
from cli.pending import not_to_finance, pending, why_not_mailed
from cli.replies import NoAnswer
from cli.screen import Screen, outcome

ASKED_FOR_S = 10.0
"""So long the invoicer is waited for: what the topics tell is shown without it."""


async def undelivered(environment: int, /, *, common: Common = DEFAULT) -> int:
    """List the invoices and credit notes that did not reach their guests, and why.

    `onaccount invoices send` mails them again, one, several or all of them.
    """
    screen = common.screen
    async with common.client("pending.request") as client:
        rows, statements = await mails.undelivered(client, environment)
        screen.data([*rows, *statements])
        waiting, finance = (
            ("", "") if common.as_json else await _asked(client, environment, common.timeout)
        )
    _show_undelivered(screen, environment, [r for r in rows if "delivered_to" not in r], waiting)
    again = [row for row in rows if "delivered_to" in row]
    if again:
        screen.table(
            ("Number", "Account", "Delivered to", "Not to", "Code", "Why"),
            ((r["number"], r["account"], r["delivered_to"], *_mail(r)) for r in again),
            title="Delivered before; only a later mail failed",
        )
    if statements:
        screen.table(
            ("Account", "To", "Code", "Why"),
            ((s.get("account", "all"), *_mail(s)) for s in statements),
            title="Statements that did not arrive",
        )
    if finance:
        screen.say(f"! {finance}", "yellow")
    return 0


async def _asked(client: Client, environment: int, timeout_s: float) -> tuple[str, str]:
    """What to say of mails that wait, and of finance's own that failed. Both are the invoicer's to
    know: the topics tell only of what went out to guests, or never will."""
    try:
        found = await pending(client, environment, min(timeout_s, ASKED_FOR_S), mails=True)
    except NoAnswer:
        return "whether mails still wait is not known: the invoicer does not answer", ""
    count = len(found.get("mails", ()))
    many = "1 mail still waits" if count == 1 else f"{count} mails still wait"
    told = f"{many}; `onaccount invoices pending {environment} --mails` tells of their last try"
    return told if count else "", not_to_finance(found)


def _show_undelivered(
    screen: Screen, environment: int, undelivered: Sequence[Json], waiting: str
) -> None:
    if undelivered:
        screen.table(
            ("Number", "Account", "To", "Code", "Why"),
            ((r["number"], r["account"], *_mail(r)) for r in undelivered),
        )
        screen.say(
            f"{len(undelivered)} undelivered; mend the address with `onaccount customer change`, "
            f"then `onaccount invoices send {environment} NUMBER` (or --to another address), or "
            "--undelivered for all of them"
        )
    elif not waiting:
        screen.say("every invoice that was to be mailed was taken by its mail server")
    else:
        screen.say("none was refused for good")
    if waiting:
        screen.say(f"! {waiting}", "yellow")


def _mail(mail: Json) -> tuple[object, object, str]:
    return mail.get("to"), mail.get("code"), why_not_mailed(mail)


async def send(
    environment: int,
    invoice: Annotated[list[str] | None, Parameter(negative="")] = None,
    /,
    *,
    undelivered: Annotated[bool, Parameter(negative="")] = False,
    account: Annotated[list[str] | None, Parameter(negative="")] = None,
    to: str | None = None,
    yes: Annotated[bool, Parameter(name=("--yes", "-y"), negative="")] = False,
    common: Common = DEFAULT,
) -> int:
    """Mail issued invoices and credit notes, each to its holder, or to another address.

    Parameters
    ----------
    invoice
        Numbers or ids, one or more.
    undelivered
        All that `onaccount invoices undelivered` lists, but for what was delivered before. At a
        terminal it asks first.
    account
        With --undelivered: of this account only; may be given several times.
    to
        To this address; with --undelivered only of one account, for it gets all of them.
    yes
        Do not ask.
    """
    if bool(invoice) == undelivered:
        raise Misuse("Name invoices by number or id, or give --undelivered; one of the two.")
    if account and not undelivered:
        raise Misuse("--account goes with --undelivered; without it name the invoices.")
    if to is not None and undelivered and len(account or ()) != 1:
        raise Misuse(
            "With --undelivered --to needs one --account: else all guests' invoices would go to "
            "that one address."
        )
    screen = common.screen
    async with common.client("invoice.send") as client:
        found = await _chosen(client, environment, invoice or [], account)
        if not found:
            screen.data([])
            screen.say("nothing is undelivered")
            return 0
        if undelivered and not (yes or await _meant(found, common)):
            screen.bad("nothing was sent")
            return 1
        orders = [_order(environment, one, to, common.by) for one in found]
        if len(orders) == 1:
            reply = (await client.ask(orders[0], timeout_s=common.timeout)).message
            status = outcome(screen, reply if screen.as_json else by_number(reply, found))
        else:
            replies = await give_all(client, screen, orders, common.timeout)
            status = show_all(screen, found, replies)
    if status == 0:
        say_what_next(screen, environment)
    return status


async def _chosen(
    client: Client, environment: int, named: Sequence[str], accounts: Sequence[str] | None
) -> list[Json]:
    if named:
        return await mails.documents(client, environment, named)
    return [
        mail
        for mail in (await mails.undelivered(client, environment))[0]
        if "delivered_to" not in mail and mail["account"] in (accounts or [mail["account"]])
    ]


async def _meant(found: Sequence[Json], common: Common) -> bool:
    if common.as_json or not can_ask():
        return True
    what = "1 document" if len(found) == 1 else f"{len(found)} documents"
    return await asked(f"Mail {what} that did not arrive again?")


def _order(environment: int, document: Json, to: str | None, by: str) -> Json:
    which = {"invoice_id": document["invoice_id"]}
    which |= given({"credit_note_id": document.get("credit_note_id")})
    return command("invoice.send", environment, by=by, to=to, **which)


def say_what_next(screen: Screen, environment: int) -> None:
    """How one learns whether a mail arrives."""
    screen.say(
        f"  given to the mailer; `onaccount invoices undelivered {environment}` tells if it does "
        "not arrive"
    )
