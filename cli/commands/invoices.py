"""`onaccount invoices`: runs, drafts, documents, mails, payments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import App, Parameter

from cli.amounts import Misuse, money
from cli.asking import asked, can_ask
from cli.commands import exchange_rates, mailing, payments, payments_import
from cli.commands import invoice_files as files
from cli.commands import invoice_lists as lists
from cli.invoices import (
    by_number,
    find,
    find_all,
    follow_run,
    give_all,
    invoices,
    issued_by,
    made_by,
    made_for,
    run_message,
    show_all,
    show_run,
    what_was_made,
)
from cli.messages import Json, command
from cli.months import a_month_or_any, last_month
from cli.options import DEFAULT, Common
from cli.preview import preview
from cli.registry import UUID, settings_of
from cli.screen import outcome
from cli.verify import verify as verify_service

app = App(
    name="invoices",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount invoices pending 2890                       what there is
    onaccount invoices run 2890 2026-10 --send            drafts, for review
    onaccount invoices approve 2890 --all
    onaccount invoices run 2890 2026-10 --issue --send    or at once
    onaccount invoices undelivered 2890
    onaccount invoices send 2890 --undelivered            once mended
    onaccount invoices document 2890 2026-00001 --format ubl
    onaccount invoices pay 2890 2026-00001 125,50 --method bank
    onaccount invoices payments import 2890 export.csv
    onaccount invoices open 2890 --overdue
    onaccount invoices refund 2890 2026-00001             what was paid too much

INVOICE is an invoice's number or its id.
""",
)

Yes = Annotated[bool, Parameter(name=("--yes", "-y"), negative="")]
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
    yes: Yes = False,
    common: Common = DEFAULT,
) -> int:
    """Invoice all that is open up to a month's end: drafts, unless --issue is given.

    Shows first what there is to invoice; at a terminal it asks before numbers are given.

    Parameters
    ----------
    period
        The month, YYYY-MM: the running one or a past one; unless given the last one that is over,
        by the venue's clock.
    issue
        Issue at once, with numbers, instead of making drafts to review.
    send
        Mail what is issued; a draft is mailed when it is approved.
    account
        Only this account; may be given several times.
    run_id
        Give an earlier run's id to see its outcome again.
    yes
        Do not ask.
    """
    month, screen = a_month_or_any(period), common.screen
    async with common.client("invoices.run") as client:
        if month is None:
            venue = await settings_of(client, environment)
            month = last_month(datetime.now(UTC), venue.zone)
        message = run_message(
            environment,
            month,
            issue=issue,
            send=send,
            run_id=run_id,
            accounts=account,
            by=common.by,
        )
        if not common.as_json and run_id is None:
            ahead = await preview(client, screen, message, common.timeout)
            if issue and ahead and not yes and can_ask() and not await asked(ahead):
                screen.bad("nothing was invoiced")
                return 1
        with screen.progress("accounts") as gauge, client.expecting(message) as answers:
            await client.send(message)
            result = await follow_run(answers, gauge, max(common.timeout, SILENCE_S))
    status = show_run(screen, result)
    if send and status == 0 and result["sent"] < result["issued"]:
        screen.say(f"! who got no mail, and why: `onaccount invoices undelivered {environment}`")
    return status


@app.command
async def approve(
    environment: int,
    invoice: Annotated[list[str] | None, Parameter(negative="")] = None,
    /,
    *,
    all: Annotated[bool, Parameter(negative="")] = False,
    period: str | None = None,
    yes: Yes = False,
    common: Common = DEFAULT,
) -> int:
    """Issue drafts as they were reviewed; refused where a total is no longer the same.

    Parameters
    ----------
    invoice
        Ids of drafts, one or more.
    all
        All drafts there are.
    period
        With --all: of this month only, YYYY-MM.
    yes
        Do not ask.
    """
    if bool(invoice) == all:
        raise Misuse("Name drafts by their ids, or give --all; not both, and not neither.")
    if period is not None and not all:
        raise Misuse("--period goes with --all.")
    month, screen = a_month_or_any(period), common.screen
    async with common.client("invoice.approve") as client:
        if all:
            drafts = [
                s
                for s in await invoices(client, environment, period=month)
                if s["status"] == "draft"
            ]
        else:
            drafts = await find_all(client, environment, invoice or [])
        if not drafts:
            screen.data([])
            screen.say(f"there is no draft{f' of {month}' if month else ''} to approve")
            return 0
        currency = drafts[0]["currency"]
        total = money(sum(s["total"] for s in drafts), currency)
        what = "1 invoice" if len(drafts) == 1 else f"{len(drafts)} invoices"
        question = f"Issue {what}, {total} in all, with numbers for good?"
        unasked = yes or common.as_json or not (all and can_ask())
        if not (unasked or await asked(question)):
            screen.bad("nothing was issued")
            return 1
        orders = [_order("invoice.approve", environment, s, common) for s in drafts]
        with client.watching("what was issued", made_for(environment)) as events:
            replies = await give_all(client, screen, orders, common.timeout)
            issued = await issued_by(replies, events, common.timeout)
    return show_all(screen, drafts, replies, issued)


@app.command
async def delete(
    environment: int, invoice: str, /, *, yes: Yes = False, common: Common = DEFAULT
) -> int:
    """Delete a draft; an issued invoice gets a credit note and its sales are free again.

    At a terminal it asks first where a credit note would be made.
    """
    return await _give(environment, invoice, "invoice.delete", common, yes=yes)


@app.command
async def correct(
    environment: int,
    invoice: str,
    /,
    *,
    reason: str,
    exclude: Annotated[list[str] | None, Parameter(negative="")] = None,
    account: str | None = None,
    yes: Yes = False,
    common: Common = DEFAULT,
) -> int:
    """Replace an issued invoice by a credit note and a new invoice. At a terminal it asks first.

    Parameters
    ----------
    reason
        Why, in words for the guest: they stand on the credit note.
    exclude
        Id of a sale to leave out; may be given several times.
    account
        Move the sales that are left out (all of them, where none is named) to this account.
    """
    if not reason.strip():
        raise Misuse("Say with --reason why it is corrected: the credit note tells the guest so.")
    for sale in exclude or ():
        if not UUID.fullmatch(sale.lower()):
            raise Misuse(f"{sale!r} is no sale's id; the invoice's workbook lists them.")
    more = {"reason": reason, "exclude_sales": exclude, "account": account}
    return await _give(environment, invoice, "invoice.correct", common, yes=yes, **more)


@app.command
def verify(
    environment: int | None = None,
    /,
    *,
    store_only: bool = False,
    common: Common = DEFAULT,
) -> int:
    """Check that numbers have no gap, amounts add up and all was told (opens PostgreSQL).

    The register is also held against invoices.events and invoices.state, which ledger, limits and
    `invoices list` know it from.

    Parameters
    ----------
    store_only
        Look at the database alone, not at the topics.
    """
    chosen = [] if environment is None else ["--environment", str(environment)]
    return verify_service("invoicer", common, *chosen, *["--store-only"] * store_only)


@app.command
async def republish(environment: int, /, *, common: Common = DEFAULT) -> int:
    """Let all that moved money be told again: invoices, credit notes, payments, refunds.

    For whoever lost invoices.events or invoices.state. Nothing changes, nothing is mailed, and
    whoever has a thing already counts it once.
    """
    message = command("invoices.republish", environment, by=common.by)
    async with common.client("invoices.republish") as client:
        reply = await client.ask(message, timeout_s=common.timeout)
    status = outcome(common.screen, reply.message)
    if status == 0:
        common.screen.say("its invoices, credit notes, payments and refunds follow")
    return status


async def _give(
    environment: int,
    invoice: str,
    kind: str,
    common: Common,
    *,
    yes: bool,
    **fields: object,
) -> int:
    screen = common.screen
    async with common.client(kind) as client:
        state = await find(client, environment, invoice)
        if not (yes or await _meant(state, common)):
            screen.bad("nothing was credited")
            return 1
        message = _order(kind, environment, state, common, **fields)
        with client.watching("what was made", made_for(environment)) as events:
            reply = (await client.ask(message, timeout_s=common.timeout)).message
            made = await made_by(reply, events, common.timeout)
    status = outcome(screen, reply if screen.as_json else by_number(reply, [state, *made]))
    for event in made:
        screen.say(f"  {what_was_made(event)}")
    if kind == "invoice.delete" and status == 0 and state["status"] == "draft":
        screen.say("  the draft is gone; its sales are still to be invoiced")
    return status


async def _meant(state: Json, common: Common) -> bool:
    """Whether a credit note is to be made: there is no way back from one but another invoice. A
    draft vanishes without."""
    if not state.get("number") or common.as_json or not can_ask():
        return True
    worth = money(state["total"], state["currency"])
    return await asked(
        f"Credit {state['number']} of account {state['account']}, {worth}, for good?"
    )


def _order(kind: str, environment: int, state: Json, common: Common, **fields: object) -> Json:
    return command(kind, environment, by=common.by, invoice_id=state["invoice_id"], **fields)


for name, function in (
    ("send", mailing.send),
    ("list", lists.list_),
    ("show", lists.show),
    ("open", lists.open_),
    ("undelivered", mailing.undelivered),
    ("pending", lists.pending_),
    ("document", files.get_document),
    ("statement", files.statement),
    ("pay", payments.pay),
    ("refund", payments.refund),
    ("rate", exchange_rates.rate),
    ("rates", exchange_rates.rates),
):
    app.command(function, name=name)
app.command(payments_import.app)
