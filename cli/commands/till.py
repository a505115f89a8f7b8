"""`onaccount till`: a till by hand, line by line or one thing at a time."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

from cyclopts import App, Parameter

from cli.amounts import Misuse, cents
from cli.client import Client
from cli.counter.counter import Counter
from cli.counter.screen import Display
from cli.decisions import show_decision, show_reversal
from cli.items import item
from cli.options import DEFAULT, Common
from cli.registry import Registry, environments, settings_of, settings_read
from cli.till import Till

app = App(
    name="till",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount till 2890                  a till that asks as it goes; ? for help
    onaccount till sign-on 2890
    onaccount till sell 2890 28900001 "2 x Pils 3,50 21%" "Uitsmijter 9,75 9%"
    onaccount till sell 2890 28900001 "Pils 3,50 21%" --offline
    onaccount till cancel 2890 28900001 SALE_ID --amount 3,50
    onaccount till search 2890 twelve
""",
)

Terminal = Annotated[str, Parameter(help="Which till it is.")]


@app.default
async def till(
    environment: int | None = None,
    /,
    *,
    terminal: Terminal = "bar-1",
    valid: int | None = 30,
    common: Common = DEFAULT,
) -> int:
    """Open a till in the terminal: sign on, search, sell, cancel, line by line.

    Lines may come from a pipe too, and with --json each answer is one line of JSON.

    Parameters
    ----------
    environment
        The venue; the only one there is unless given.
    valid
        Seconds after which a sale may no longer be approved.
    """
    async with common.client("sale.requested", "terminal.signed_on") as client:
        venue = await _venue(client, environment)
        screen = common.screen
        counter = Counter(
            Till(client, venue.environment, terminal, venue.currency, common.timeout),
            Display(screen, venue.currency),
            valid_s=valid,
        )
        known = venue.settings or {}
        name = known.get("name") or known.get("legal_name") or f"environment {venue.environment}"
        interactive = sys.stdin.isatty()
        counter.display.welcome(str(name), terminal)
        await counter.serve(interactive=interactive)
    return 1 if counter.failed and not interactive else 0


async def _venue(client: Client, environment: int | None) -> Registry:
    """The environment with its settings; raises Misuse where it is not said which is meant."""
    if environment is not None:
        return await settings_of(client, environment)
    states = await environments(client)
    if len(states) != 1:
        known = ", ".join(sorted(str(s["environment"]) for s in states)) or "none"
        raise Misuse(f"Say which environment, as in `onaccount till 2890`; known: {known}.")
    return Registry(int(states[0]["environment"]), states)


async def _currency(client: Client, environment: int) -> str:
    """What the venue bills in; euros for one that is not there, whose sale is declined so."""
    return (await settings_read(client, environment)).currency


@app.command
async def sign_on(
    environment: int, /, *, terminal: Terminal = "cli", common: Common = DEFAULT
) -> int:
    """Sign on: what stands behind the on-account button, or why nothing does."""
    async with common.client("terminal.signed_on") as client:
        entries, page = await Till(
            client, environment, terminal, timeout_s=common.timeout
        ).sign_on()
    screen = common.screen
    screen.data(
        {
            **page,
            "accounts": [
                {"account": e.account, "name": e.name, "description": e.description}
                for e in entries
            ],
        }
    )
    if reason := page.get("reason"):
        screen.bad(f"nothing stands behind the button: {str(reason).replace('_', ' ')}")
        return 1
    screen.table(
        ("Account", "Name", "Description"), ((e.account, e.name, e.description) for e in entries)
    )
    screen.say(f"{len(entries)} account{'' if len(entries) == 1 else 's'} behind the button")
    return 0


@app.command
async def sell(
    environment: int,
    account: str,
    items: Annotated[list[str], Parameter(negative="", allow_leading_hyphen=True)],
    /,
    *,
    terminal: Terminal = "cli",
    sale_id: str | None = None,
    offline: Annotated[bool, Parameter(negative="")] = False,
    at: str | None = None,
    currency: str | None = None,
    valid: int | None = None,
    operator: str | None = None,
    note: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """Sell on account, and show the answer with its numbers.

    Parameters
    ----------
    items
        What is sold: "2 x Pils 3,50 21%", one or more; prices are for one, VAT included.
    sale_id
        Give the id of an earlier sale to repeat it: it is answered as it was, not sold again.
    offline
        It was sold already, without an answer (sale.recorded): booked whatever the limit says.
    at
        With --offline: when it was sold, as 2026-10-31T23:58:00+01:00; now unless given.
    currency
        Three letters; the venue's unless given.
    valid
        Seconds after which the sale may no longer be approved.
    """
    if at is not None and not offline:
        raise Misuse("--at goes with --offline: a sale that is asked for is made now.")
    lines = [item(text) for text in items]
    async with common.client("sale.requested") as client:
        money = currency or await _currency(client, environment)
        till = Till(client, environment, terminal, currency=money, timeout_s=common.timeout)
        more = {"operator": operator, "note": note}
        if offline:
            reply = await till.record(account, lines, sale_id=sale_id, at=at, **more)
        else:
            reply = await till.sell(account, lines, sale_id=sale_id, valid_s=valid, **more)
    return show_decision(common.screen, reply.message)


@app.command
async def cancel(
    environment: int,
    account: str,
    sale_id: str,
    /,
    *,
    reason: Literal["cancelled", "settled", "returned"] = "cancelled",
    amount: str | None = None,
    cancellation_id: str | None = None,
    terminal: Terminal = "cli",
    common: Common = DEFAULT,
) -> int:
    """Take a sale back, or a part of it.

    Parameters
    ----------
    reason
        settled: paid at the till after all; returned: brought back.
    amount
        How much of it, as 3,50; all that is left unless given.
    """
    async with common.client("sale.cancelled") as client:
        till = Till(client, environment, terminal, timeout_s=common.timeout)
        reply = await till.cancel(
            account,
            sale_id,
            reason=reason,
            amount=None if amount is None else cents(amount),
            cancellation_id=cancellation_id,
        )
    return show_reversal(common.screen, reply.message)


@app.command
async def search(
    environment: int,
    query: str,
    /,
    *more: str,
    terminal: Terminal = "cli",
    common: Common = DEFAULT,
) -> int:
    """Search accounts as a till does: also those that can't be charged, with why.

    Parameters
    ----------
    query
        A word of a name, or part of a number.
    more
        More of them; what is found has all.
    """
    async with common.client("terminal.searched") as client:
        till = Till(client, environment, terminal, timeout_s=common.timeout)
        found = await till.search(sought := " ".join((query, *more)))
    screen = common.screen
    screen.data(found)
    if reason := found.get("reason"):
        screen.bad(f"nothing can be found: {str(reason).replace('_', ' ')}")
        return 1
    if not found["accounts"]:
        screen.bad(f"no account fits {sought!r}")
        return 1
    screen.table(
        ("Account", "Name", "Description", "Can be charged"),
        (
            (
                a["account"],
                a["name"],
                a["description"],
                "yes" if a["chargeable"] else f"no: {str(a.get('reason')).replace('_', ' ')}",
            )
            for a in found["accounts"]
        ),
    )
    Display(screen, "").first_of_more(found)
    return 0
