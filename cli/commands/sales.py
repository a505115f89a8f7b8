"""`onaccount sales`: what became of a sale, and sales that could not be booked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import App, Parameter

from cli.amounts import Misuse, money
from cli.asking import Yes, agreed
from cli.decisions import show_decision
from cli.explain import explain as gather
from cli.explain import show_story
from cli.items import item
from cli.messages import Json, command
from cli.options import DEFAULT, Common
from cli.registry import account_read, settings_of
from cli.screen import outcome, when
from cli.unbooked import (
    REUSED,
    SEEN_TO,
    book,
    booking,
    caution,
    in_vain,
    told_before,
    waiting,
    was_seen_to,
    was_seen_to_unread,
)
from cli.unbooked import unbooked as all_unbooked

app = App(
    name="sales",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount sales explain SALE_ID
    onaccount sales unbooked
    onaccount sales assign 2890 SALE_ID 28900001
    onaccount sales assign 2890 SALE_ID 28900001 "2 x Pils 3,50 21%"
    onaccount sales dismiss 2890 SALE_ID --note "paid in cash"

A till that sold while it was offline tells of it afterwards. Where that can't
be booked (an account that is not known, amounts that don't add up), it waits
here until a person assigns it to an account or dismisses it.
""",
)

Content = Annotated[
    str | None, Parameter(help="Tells several under one id apart; the list has it.")
]


@app.command
async def unbooked(
    environment: int | None = None,
    /,
    *,
    everything: Annotated[bool, Parameter(name="--all", negative="")] = False,
    common: Common = DEFAULT,
) -> int:
    """List the sales that could not be booked and wait for a person.

    Parameters
    ----------
    environment
        Only this one; all unless given.
    everything
        Also those that were assigned, dismissed or taken back.
    """
    async with common.client() as client:
        states = await all_unbooked(client, environment)
        if environment is not None and not states:
            await settings_of(client, environment)
    rows = [one for one in states if everything or one["status"] == "open"]
    screen = common.screen
    screen.data(rows)
    if not rows:
        screen.good("every sale is booked")
        return 0
    screen.table(
        ("Sale", "Environment", "Account", "Total", "When", "Why not", "Status"),
        (
            (
                one["sale_id"],
                one["environment"],
                one.get("account"),
                _total(one),
                when((one.get("sale") or {}).get("at") or one["noted_at"]),
                _why(one, states),
                one["status"],
            )
            for one in rows
        ),
        right=("Total",),
    )
    open_ = sum(one["status"] == "open" for one in rows)
    screen.say(f"{open_} wait{'s' if open_ == 1 else ''} to be assigned or dismissed")
    return 0


def _why(state: Json, states: Sequence[Json]) -> str:
    """Why it is not booked; and which sale it was to stand for, which may wait as well."""
    moved_from = (state.get("sale") or {}).get("moved_from")
    why = str(state["reason"]).replace("_", " ")
    if was_seen_to_unread(state, states):
        why = "already cancelled, or seen to when it could not be read"
    return f"{why}; for sale {moved_from}" if moved_from else why


def _stands(before: Json, state: Json) -> str:
    """That a sale may be booked already, and where."""
    amount, other = money(before["total"], before["currency"]), before["sale_id"]
    which = "under this id" if other == state["sale_id"] else "of the same till and moment"
    return (
        f"Sale {other} {which} stands already, {amount} on account {before['account']}. If that "
        f"is this one, dismiss this; `onaccount sales explain {other}` tells more."
    )


def _total(state: Json) -> str:
    sale = state.get("sale")
    return "(unreadable)" if sale is None else money(sale["total"], sale["currency"])


@app.command
async def assign(
    environment: int,
    sale_id: str,
    account: str,
    items: Annotated[list[str] | None, Parameter(negative="", allow_leading_hyphen=True)] = None,
    /,
    *,
    content: Content = None,
    currency: str | None = None,
    yes: Yes = False,
    another_sale: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> int:
    """Book a sale that waits, on an account: whatever its limit says, for it was made.

    Parameters
    ----------
    sale_id
        The sale's id, or its beginning.
    account
        The account to book it on.
    items
        What was sold, where the sale's own lines can't be booked: "2 x Pils 3,50 21%".
    currency
        Of these items, three letters; the venue's unless given.
    another_sale
        It is another sale than the one that stands of the same till and moment, or under its id:
        where there is such a one, --yes alone books nothing.
    """
    lines = [item(text) for text in items] if items else None
    async with common.client("sale.recorded") as client:
        states = await all_unbooked(client, environment)
        state = waiting(states, sale_id, content)
        venue = await account_read(client, environment, account)
        if currency is not None and currency != venue.currency:
            raise Misuse(f"Environment {environment} bills in {venue.currency}, not in {currency}.")
        message = booking(state, states, account, lines, venue.currency)
        with common.screen.waiting("looking whether it stands already"):
            before = await told_before(client, state, message["sale_id"])
        if before is not None:
            if yes and not another_sale:
                raise Misuse(f"{_stands(before, state)} If it is another, add --another-sale.")
            common.screen.say(f"! {_stands(before, state)}", "yellow")
        amount = money(message["total"], message["currency"])
        question = f"Book {amount} of sale {state['sale_id']} on account {account}?"
        if not await agreed(common.screen, caution(state, states) + question, yes=yes):
            return 1
        answer, first = await book(client, message, timeout_s=common.timeout)
    if answer.get("reason") not in (REUSED, SEEN_TO):
        return show_decision(common.screen, answer)
    reused = answer["reason"] == REUSED
    common.screen.data(answer)
    common.screen.bad(in_vain(state["sale_id"], first) if reused else was_seen_to(state["sale_id"]))
    return 1


@app.command
async def dismiss(
    environment: int,
    sale_id: str,
    /,
    *,
    note: str | None = None,
    content: Content = None,
    yes: Yes = False,
    common: Common = DEFAULT,
) -> int:
    """Take a sale off the list without booking it, for good: it was paid otherwise, or never was.

    Parameters
    ----------
    sale_id
        The sale's id, or its beginning.
    note
        Why, as it is kept on the log.
    """
    async with common.client("unbooked.dismiss") as client:
        state = waiting(await all_unbooked(client, environment), sale_id, content)
        question = f"Dismiss sale {state['sale_id']} of {_total(state)}? Nobody will be charged."
        if not await agreed(common.screen, question, yes=yes):
            return 1
        order = command(
            "unbooked.dismiss",
            environment,
            by=common.by,
            sale_id=state["sale_id"],
            content=state["content"],
            note=note,
        )
        answer = (await client.ask(order, timeout_s=common.timeout)).message
    screen = common.screen
    if answer["type"] == "command.refused":
        return outcome(screen, answer)
    screen.data(answer)
    if answer["changes"][0]["change"] == "unchanged":
        screen.bad(was_seen_to(state["sale_id"]))
        return 1
    screen.good(f"sale {state['sale_id']} is off the list; nobody is charged for it")
    return 0


@app.command
async def explain(
    sale_id: str, /, *, environment: int | None = None, common: Common = DEFAULT
) -> int:
    """Tell all that is known of a sale: question, decision, reversals, invoice, journal.

    Parameters
    ----------
    sale_id
        The sale's id, whole.
    environment
        Whose sale, where several environments use this id.
    """
    screen = common.screen
    async with common.client() as client:
        with screen.progress("records") as gauge:
            story = await gather(client, sale_id.strip().lower(), gauge, environment)
    return show_story(screen, story)
