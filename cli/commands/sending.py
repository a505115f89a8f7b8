"""`onaccount invoices send`: mailing invoices and credit notes, again or elsewhere."""

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
from cli.screen import Screen, outcome


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
        _say_what_next(screen, environment)
    return status


async def _chosen(
    client: Client, environment: int, named: Sequence[str], accounts: Sequence[str] | None
) -> list[Json]:
    if named:
        return await mails.documents(client, environment, named)
    return [
        mail
        for mail in await mails.undelivered(client, environment)
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


def _say_what_next(screen: Screen, environment: int) -> None:
    screen.say(
        f"  given to the mailer; `onaccount invoices undelivered {environment}` tells if it does "
        "not arrive"
    )
