"""What `onaccount invoices` shows: lists of invoices, one of them, and what is still to be done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Literal

from cyclopts import Parameter

from cli import history
from cli.amounts import Misuse, money
from cli.client import Client
from cli.in_order import counted_up
from cli.invoices import find, invoices
from cli.messages import Json
from cli.months import a_month_or_any
from cli.options import DEFAULT, Common
from cli.payments import open_of
from cli.pending import (
    how_it_stands,
    how_much,
    not_to_finance,
    pending,
    show_accounts,
    show_mails,
    show_sales,
)
from cli.registry import registry_of, settings_of
from cli.replies import holding
from cli.screen import Screen, outcome

Status = Literal["draft", "issued", "sent", "undeliverable", "paid", "deleted", "credited"]


async def list_(
    environment: int,
    /,
    *,
    status: Status | None = None,
    account: str | None = None,
    period: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """List invoices as they stand; drafts that were deleted only with --status deleted.

    Parameters
    ----------
    status
        Only those that stand so.
    """
    month = a_month_or_any(period)
    async with common.client() as client:
        states = await _of(client, environment, account, month)
    rows = [
        s for s in states if (s["status"] != "deleted" if status is None else s["status"] == status)
    ]
    screen = common.screen
    screen.data(rows)
    screen.table(
        ("Invoice", "Account", "Month", "Status", "Total", "Credited", "Paid", "Due on"),
        (
            (
                s.get("number") or s["invoice_id"],  # either is understood
                s["account"],
                s["period"],
                s["status"],
                money(s["total"], s["currency"]),
                money(s["credited"], s["currency"]) if s.get("credited") else "",
                money(s["paid"], s["currency"]) if s["paid"] else "",
                s.get("due_on"),
            )
            for s in rows
        ),
        right=("Total", "Credited", "Paid"),
    )
    screen.say(f"{len(rows)} invoice{'' if len(rows) == 1 else 's'}")
    return 0


async def open_(
    environment: int,
    /,
    *,
    account: str | None = None,
    overdue: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> int:
    """List what is still to be paid, the longest due first.

    Parameters
    ----------
    overdue
        Only what should have been paid by now.
    """
    today = date.today()  # noqa: DTZ011 - the person's own calendar
    async with common.client() as client:
        states = await _of(client, environment, account)
    rows = [
        {**s, "open": open_of(s), "days_overdue": _days_over(s, today)}
        for s in states
        if s.get("number")
        and open_of(s)
        and (not overdue or (_days_over(s, today) > 0 and open_of(s) > 0))
    ]
    rows.sort(key=lambda s: (s["due_on"], counted_up(s["number"])))
    screen = common.screen
    screen.data(rows)
    none = "nothing is overdue" if overdue else "nothing is to be paid"
    _show_open(screen, [s for s in rows if s["open"] > 0], none)
    too_much = [s for s in rows if s["open"] < 0]
    if too_much:
        screen.table(
            ("Invoice", "Account", "Status", "Too much"),
            (
                (s["number"], s["account"], s["status"], money(-s["open"], s["currency"]))
                for s in too_much
            ),
            title="Paid too much: to be paid back",
            right=("Too much",),
        )
        back = money(-sum(s["open"] for s in too_much), too_much[0]["currency"])
        screen.say(
            f"{back} to be paid back; when it is: `onaccount invoices refund {environment} INVOICE`"
        )
    return 0


async def _of(
    client: Client, environment: int, account: str | None, period: str | None = None
) -> list[Json]:
    """The invoices of an account, or of all; raises Misuse where there is no such account."""
    found = await invoices(client, environment, account=account, period=period)
    if account is not None and not found:
        (await registry_of(client, environment)).account(account)
    return found


def _show_open(screen: Screen, rows: Sequence[Json], none: str) -> None:
    screen.table(
        ("Invoice", "Account", "Month", "Status", "Total", "Open", "Due on", "Days over"),
        (
            (
                s["number"],
                s["account"],
                s["period"],
                s["status"],
                money(s["total"], s["currency"]),
                money(s["open"], s["currency"]),
                s["due_on"],
                s["days_overdue"] if s["days_overdue"] > 0 else "",
            )
            for s in rows
        ),
        right=("Total", "Open", "Days over"),
    )
    if not rows:
        screen.say(none)
        return
    late = [s for s in rows if s["days_overdue"] > 0]
    on = "1 invoice" if len(rows) == 1 else f"{len(rows)} invoices"
    currency = rows[0]["currency"]  # a venue bills in one
    told = f"{money(sum(s['open'] for s in rows), currency)} open on {on}"
    if late:
        told += f", of it {money(sum(s['open'] for s in late), currency)} overdue on {len(late)}"
    screen.say(told)


def _days_over(state: Json, today: date) -> int:
    return (today - date.fromisoformat(state["due_on"])).days if state.get("due_on") else 0


async def pending_(
    environment: int,
    /,
    *,
    account: str | None = None,
    sale: str | None = None,
    period: str | None = None,
    mails: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> int:
    """List what is not yet invoiced; with --sale say how a given sale stands.

    Parameters
    ----------
    account
        Its sales, one by one.
    sale
        Id of a sale: declined, settled, cancelled, held, billed on which number, or open,
        and why a run would leave it.
    period
        Only up to this month, YYYY-MM.
    mails
        The mails to guests that no mail server took yet, instead; and whether finance's own fail.
    """
    if mails and (account or sale or period):
        raise Misuse("--mails is of the whole venue: nothing else goes with it.")
    month = a_month_or_any(period)
    async with common.client("pending.request") as client:
        with common.screen.waiting("what is open is counted ..."):
            found = await pending(
                client, environment, common.timeout, account=account, sale_id=sale, mails=mails
            )
    screen = common.screen
    if found["type"] == "command.refused":
        return outcome(screen, found)
    screen.data(found)
    currency = found["currency"]
    if mails:
        show_mails(screen, found["mails"])
        screen.say(_how_many_wait(found["count"]))
        if failed := not_to_finance(found):
            screen.say(f"! {failed}", "yellow")
        return 0
    if sale is not None:
        (one,) = found["sales"]
        screen.say(f"Sale {one['sale_id']} {how_it_stands(one, currency)}")
        if one["state"] == "pending" and found.get("lacking"):
            screen.say(f"! {found['lacking']}", "yellow")
        return 0
    if account is not None:
        rows = _until(found["sales"], month)
        show_sales(screen, rows, currency)
    else:
        rows = _until(found["accounts"], month)
        show_accounts(screen, rows, currency)
    screen.say(how_much(found, rows if month else None, currency))
    if found.get("lacking"):
        screen.say(f"! {found['lacking']}", "yellow")
    return 0


def _how_many_wait(count: int) -> str:
    if not count:
        return "no mail to a guest waits"
    return f"{'1 mail waits' if count == 1 else f'{count} mails wait'}, and will be tried again"


def _until(rows: Sequence[Json], period: str | None) -> list[Json]:
    return [row for row in rows if period is None or row["period"] <= period]


async def show(environment: int, invoice: str, /, *, common: Common = DEFAULT) -> int:
    """Show one invoice or credit note, and what happened to it."""
    async with common.client() as client:
        state = await find(client, environment, invoice)
        events = await client.read("invoices.events", wanted=holding(state["invoice_id"]))
        zone = (await settings_of(client, environment)).zone
    happened = [
        e
        for e in {e.header("ce_id") or e.value: e for e in events}.values()
        if e.message.get("environment") == environment
        and history.is_of(e.message, state["invoice_id"])
    ]
    happened.sort(key=lambda e: e.time)
    screen = common.screen
    screen.data({**state, "events": [e.message for e in happened]})
    currency = state["currency"]
    amounts = {
        name: money(amount, currency)
        for name, amount in (
            ("total", state["total"]),
            ("credited", state.get("credited")),
            ("paid", state["paid"]),
            ("open", open_of(state)),
        )
        if amount is not None
    }
    screen.fields(
        {**{k: v for k, v in state.items() if k != "type"}, **amounts},
        title=f"Invoice {state.get('number') or state['invoice_id']}",
    )
    screen.table(
        ("When", "What", "Details"),
        (
            # No seconds: in 80 columns an id is whole beside it, to be copied.
            (e.time.astimezone().strftime("%Y-%m-%d %H:%M"), e.type, history.details(e, zone))
            for e in happened
        ),
    )
    return 0
