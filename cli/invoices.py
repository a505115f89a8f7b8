"""Invoices over the topics: asking for a run and following it, finding one as it stands."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence

from cli.amounts import Misuse, money
from cli.client import Client
from cli.in_order import counted_up
from cli.messages import Json, given, me, new_id
from cli.months import a_month
from cli.pending import why
from cli.registry import settings_of
from cli.replies import Expectation, NoAnswer, holding
from cli.screen import Gauge, Screen, outcome

SIDE_BY_SIDE = 20
MOST_SAID = 40


def run_message(
    environment: int,
    period: str,
    *,
    issue: bool,
    send: bool,
    run_id: str | None = None,
    accounts: list[str] | None = None,
    by: str | None = None,
) -> Json:
    """invoices.run; raises Misuse for a period that is none."""
    return {
        "type": "invoices.run",
        "run_id": run_id or new_id(),
        "environment": environment,
        "period": a_month(period),
        **given({"accounts": accounts or None}),
        "mode": "issue" if issue else "draft",
        "send": send,
        "by": by or me(),
    }


async def follow_run(answers: Expectation, gauge: Gauge, silence_s: float) -> Json:
    """run.completed or command.refused; `gauge` hears how far the run is."""
    while True:
        message = (await answers.next(silence_s)).message
        if message["type"] == "run.progressed":
            gauge(message["done"], message["total"])
        elif message["type"] in ("run.completed", "command.refused"):
            return message


def show_run(screen: Screen, result: Json) -> int:
    """Show a run's outcome; gives the exit status."""
    if result["type"] == "command.refused":
        return outcome(screen, result)
    screen.data(result)
    if reason := result.get("reason"):
        screen.bad(f"refused, {reason}: {result.get('message')}")
        return 1
    currency = result.get("currency") or "EUR"
    for sentence in what_was_done(result):
        screen.good(f"{result['period']}: {sentence}")
    if result["vat"]:
        screen.table(
            ("VAT", "Base", "VAT amount", "Gross"),
            (
                (f"{v['rate']}%", *(money(v[k], currency) for k in ("base", "vat", "gross")))
                for v in result["vat"]
            ),
            right=("Base", "VAT amount", "Gross"),
        )
    drafts = [left for left in result["open"] if left["why"] == "draft"]
    if drafts:
        total = money(sum(left["amount"] for left in drafts), currency)
        screen.say(f"  {total} on drafts, to be reviewed: `onaccount invoices approve`")
    for sentence in left_over(result)[:MOST_SAID]:
        screen.say(f"! {sentence}", "yellow")
    if (more := len(left_over(result)) - MOST_SAID) > 0:
        screen.say(f"! and {more} more: --json has all of them", "yellow")
    return 0


def what_was_done(result: Json) -> list[str]:
    """What a run made: invoices or drafts, and credit notes; or that there was nothing to make."""
    currency = result.get("currency") or "EUR"
    said = []
    if result["drafted"]:
        drafts = "1 draft" if result["drafted"] == 1 else f"{result['drafted']} drafts"
        said.append(f"{drafts} to review, {money(result['total'], currency)} in all")
    if result["issued"]:
        mailed = f"{result['sent']} given to the mailer" if result["sent"] else "none mailed"
        total = money(result["total"], currency)
        said.append(f"{result['issued']} issued, {mailed}, {total} in all")
    if notes := result.get("credit_notes"):
        what = "1 credit note" if notes == 1 else f"{notes} credit notes"
        said.append(f"{what}, {money(result['credited'], currency)} in all")
    if not said:
        left = result["open"] or result["skipped"]
        said.append("nothing was invoiced" if left else "there was nothing to invoice")
    return said


def left_over(result: Json) -> list[str]:
    """What a run left, an account a sentence; those that it was not asked for share one."""
    currency = result.get("currency") or "EUR"
    kept = [left for left in result["open"] if left["why"] not in ("draft", "not_selected")]
    others = [left["amount"] for left in result["open"] if left["why"] == "not_selected"]
    told = {(left["account"], left["why"]) for left in kept}
    skipped = [s for s in result["skipped"] if (s["account"], s["reason"]) not in told]
    said = [f"account {s['account']} left out: {why(s['reason'])}" for s in skipped]
    for left in kept:
        open_ = f"{money(left['amount'], currency)} uninvoiced: {why(left['why'])}"
        said.append(f"account {left['account']} keeps {open_}")
    if others:
        who = "1 account" if len(others) == 1 else f"{len(others)} accounts"
        said.append(f"not asked for: {who}, with {money(sum(others), currency)} uninvoiced")
    return said


async def invoices(
    client: Client, environment: int, *, account: str | None = None, period: str | None = None
) -> list[Json]:
    """Invoices as they stand, by month and number; raises Misuse for no known environment.

    After years they are many: those of one account or month are told from the rest unread.
    """
    chosen = [holding(one) for one in (account, period) if one is not None]
    states = await client.view(
        "invoices.state",
        environment=environment,
        wanted=lambda record: all(holds(record) for holds in chosen),
    )
    ours = [
        s
        for s in states.values()
        if account in (None, s["account"]) and period in (None, s["period"])
    ]
    if not ours:
        await settings_of(client, environment)
    return sorted(ours, key=_place)


def _place(state: Json) -> tuple[object, ...]:
    """By month and number; those that have none behind the others."""
    number = state.get("number")
    return state["period"], number is None, counted_up(number or ""), state["account"]


async def invoices_of(client: Client, environment: int, ids: Iterable[str]) -> dict[str, Json]:
    """Those of these ids, by id, as they stand."""
    keys = {f"{environment}:{one}".encode() for one in ids}
    states = await client.view(
        "invoices.state", environment=environment, wanted=lambda record: record.key in keys
    )
    return {s["invoice_id"]: s for s in states.values()}


async def find(client: Client, environment: int, invoice: str) -> Json:
    """The invoice of a number or id; that of a credit note's where it names one."""
    return (await find_all(client, environment, [invoice]))[0]


async def find_all(client: Client, environment: int, named: Sequence[str]) -> list[Json]:
    """As `find`, of several at once; raises Misuse where one of them is not there."""
    states = await client.view("invoices.state", environment=environment, wanted=holding(*named))
    known = {s["invoice_id"]: s for s in states.values()}
    known |= {str(s["number"]).lower(): s for s in states.values() if s.get("number")}
    if strange := {name.lower() for name in named} - known.keys():
        if not known:
            await settings_of(client, environment)
        notes = await credit_notes(client, environment)
        of = {name: notes[name]["invoice_id"] for name in strange & notes.keys()}
        credited = await invoices_of(client, environment, of.values())
        known |= {name: credited[invoice_id] for name, invoice_id in of.items()}
    for name in named:
        if name.lower() not in known:
            raise Misuse(
                f"Environment {environment} has no invoice {name}; `onaccount invoices list "
                f"{environment}` shows which it has."
            )
    return [known[name.lower()] for name in named]


async def credit_notes(client: Client, environment: int) -> dict[str, Json]:
    """The venue's credit notes, by id and by number (in small letters)."""
    return {
        key: said.message
        for said in await client.read("invoices.events", wanted=holding("credit_note.issued"))
        if said.type == "credit_note.issued" and said.message.get("environment") == environment
        for key in (said.message["credit_note_id"], str(said.message["number"]).lower())
    }


# -- several at once ------------------------------------------------------------------------


async def give_all(
    client: Client, screen: Screen, orders: Sequence[Json], timeout_s: float
) -> list[Json]:
    """Send commands in order, some under way at a time; gives their outcomes in the same order.

    In order, so that what is numbered is numbered as it was listed.
    """
    at_once, in_order, done = asyncio.Semaphore(SIDE_BY_SIDE), asyncio.Lock(), 0
    with screen.progress("invoices") as gauge:

        async def one(message: Json) -> Json:
            nonlocal done
            async with at_once:
                with client.expecting(message) as answers:
                    async with in_order:
                        await client.send(message)
                    reply: Json = (await answers.next(timeout_s)).message
            done += 1
            gauge(done, len(orders))
            return reply

        return list(await asyncio.gather(*(one(order) for order in orders)))


def show_all(
    screen: Screen, states: Sequence[Json], replies: Sequence[Json], issued: Sequence[Json] = ()
) -> int:
    """Show what became of commands about these invoices, and the numbers that they were issued
    under; gives the exit status."""
    numbers = sorted((str(event["number"]) for event in issued), key=counted_up)
    if len(replies) == 1:
        return outcome(screen, replies[0] if screen.as_json else by_number(replies[0], issued))
    screen.data(list(replies))
    refused = 0
    for state, reply in zip(states, replies, strict=True):
        if reply["type"] == "command.refused":
            refused += 1
            screen.bad(
                f"account {state['account']}, {_called(state)}: refused, {reply['reason']}: "
                f"{reply['message']}"
            )
    under = f"; {' to '.join(dict.fromkeys((numbers[0], numbers[-1])))}" if numbers else ""
    screen.good(f"{len(replies) - refused} done, {refused} refused{under}")
    return 1 if refused else 0


def _called(document: Json) -> str:
    """A document's number; of a draft, which has none, its month."""
    return str(document.get("number") or document["period"])


def by_number(reply: Json, known: Iterable[Json]) -> Json:
    """A command's answer with these invoices and credit notes by the numbers that people know."""
    numbers = {one.get("credit_note_id") or one["invoice_id"]: one.get("number") for one in known}
    changes = [
        {
            **one,
            "kind": str(one["kind"]).replace("_", " "),
            "id": numbers.get(one["id"]) or one["id"],
        }
        for one in reply.get("changes", ())
    ]
    return {**reply, "changes": changes}


def made_for(environment: int) -> Callable[[Json], bool]:
    """Tells the events of documents that commands of this environment make."""
    kinds = ("credit_note.issued", "invoice.issued")
    return lambda said: said.get("type") in kinds and said.get("environment") == environment


async def made_by(reply: Json, events: Expectation, timeout_s: float) -> list[Json]:
    """The events of the documents that a command's answer says were created."""
    missing = {
        change["id"]
        for change in reply.get("changes", ())
        if change["change"] == "created" and change["kind"] in ("invoice", "credit_note")
    }
    found = []
    while missing:
        said = (await events.next(timeout_s)).message
        name = said.get("credit_note_id") or said["invoice_id"]
        if name in missing:
            missing.remove(name)
            found.append(said)
    return sorted(found, key=lambda said: counted_up(str(said["number"])))


async def issued_by(replies: Iterable[Json], events: Expectation, timeout_s: float) -> list[Json]:
    """invoice.issued of each draft that was approved; where some do not come, the others."""
    missing = {
        change["id"]
        for reply in replies
        for change in reply.get("changes", ())
        if change["kind"] == "invoice"
    }
    found = []
    with contextlib.suppress(NoAnswer):  # what was done is done, and is told all the same
        while missing:
            said = (await events.next(timeout_s)).message
            if said["type"] == "invoice.issued" and said["invoice_id"] in missing:
                missing.remove(said["invoice_id"])
                found.append(said)
    return found


def what_was_made(event: Json) -> str:
    """A document in a few words."""
    what = "credit note" if event["type"] == "credit_note.issued" else "invoice"
    return f"{what} {event['number']}: {money(event['total'], event['currency'])}"
