"""The end of the story: every figure computed from the topics and the databases, and compared."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from cli.amounts import money
from cli.client import Client
from cli.demo import figures, mails, venue
from cli.demo.figures import Figure, Invoiced, Sold
from cli.demo.own_stack import OwnStack
from cli.demo.scene import Told
from cli.messages import Json
from cli.replies import Reply
from cli.screen import Screen
from cli.verify import report
from runtime.deadletters import dead_letters
from runtime.settings import SERVICES

SETTLED_S = 20.0
MOST_SHOWN = 5
VERIFIED = {"authorizer": "limits", "ledger": "ledger", "invoicer": "invoices"}
"""Each service that has a check of its own, with the command that runs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What topics, databases and mails hold at the end."""

    sold: Sold
    invoiced: Invoiced
    entries: list[Json]
    owed: dict[str, tuple[int, int]]
    mails: list[mails.Mail]
    dead: int
    verified: dict[str, bool]


async def look(client: Client, stack: OwnStack, results: Path) -> Seen:
    """Read everything, once the ledger has posted all that was decided and invoiced."""
    deadline = time.monotonic() + SETTLED_S
    while True:
        decisions, events, entries, balances = await asyncio.gather(
            client.read("pos.decisions"),
            client.read("invoices.events"),
            client.read("ledger.entries"),
            client.view("ledger.balances"),
        )
        sold = figures.sold(_ours(decisions))
        invoiced = figures.invoiced(_ours(events))
        owed = figures.owed(balances, venue.ENVIRONMENT)
        settled = {account: (0, amount) for account, amount in invoiced.by_account().items()}
        if owed == settled or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.1)
    dead, verified, caught = await asyncio.gather(
        client.read(*(dead_letters(group) for group in SERVICES)),
        asyncio.gather(*(asyncio.to_thread(report, name, stack.folder) for name in VERIFIED)),
        asyncio.to_thread(mails.read_all, results / "mails"),
    )
    return Seen(
        sold=sold,
        invoiced=invoiced,
        entries=_ours(entries),
        owed=owed,
        mails=caught,
        dead=len(dead),
        verified={name: status == 0 for name, (status, _) in zip(VERIFIED, verified, strict=True)},
    )


def _ours(replies: list[Reply]) -> list[Json]:
    return [r.message for r in replies if r.message.get("environment") == venue.ENVIRONMENT]


def compare(told: Told, seen: Seen) -> list[Figure]:
    """Each figure as it must be, and as it is."""
    return [*_sales(told, seen), *_invoices(told, seen), *_books(seen)]


def _sales(told: Told, seen: Seen) -> list[Figure]:
    sold = seen.sold
    total = sum(sale["total"] for sale in told.approved.values())
    return [
        Figure(what="companies imported", expected=10, actual=told.imported.get("created")),
        Figure(
            what="sales approved",
            expected=(len(told.approved), money(total)),
            actual=(len(sold.approved), money(sold.total)),
        ),
        Figure(
            what="declined over the limit",
            expected=["over_limit"],
            actual=[one["reason"] for one in sold.declined.values()],
        ),
        Figure(
            what="made offline, over the limit",
            expected=[told.offline["sale_id"]],
            actual=[
                s["sale_id"] for s in sold.approved.values() if s["over_limit"] and not s["online"]
            ],
        ),
        Figure(
            what="reversed",
            expected=(1, money(told.reversed["amount"])),
            actual=(len(sold.reversed), money(sold.taken_back)),
        ),
        Figure(
            what="sent twice and answered alike, byte for byte",
            expected=told.repeated,
            actual=told.repeated_same,
        ),
    ]


def _invoices(told: Told, seen: Seen) -> list[Figure]:
    sold, invoiced = seen.sold, seen.invoiced
    numbered = {mail.number: mail for mail in seen.mails if mail.number}
    wrong = [
        fault
        for one in invoiced.issued.values()
        for fault in (
            mails.faults(numbered[one["number"]], one["total"])
            if one["number"] in numbered
            else [f"{one['number']} was not mailed"]
        )
    ]
    return [
        Figure(
            what="invoiced (approved less reversed)",
            expected=(len(told.accounts), money(sold.total - sold.taken_back)),
            actual=(len(invoiced.issued), money(invoiced.total)),
        ),
        Figure(
            what="invoiced for each VAT rate",
            expected=_rates(sold.by_rate()),
            actual=_rates(invoiced.by_rate()),
        ),
        Figure(
            what="base + VAT = gross, on every invoice",
            expected=True,
            actual=invoiced.vat_adds_up(),
        ),
        Figure(
            what="invoice numbers without a gap",
            expected=True,
            actual=figures.gapless(invoiced.numbers()),
        ),
        Figure(what="invoices mailed", expected=len(told.accounts), actual=len(numbered)),
        Figure(what="faults in their PDF, XLSX and UBL", expected=[], actual=wrong),
        Figure(
            what="mails to finance",
            expected=1,
            actual=sum(venue.LEGAL["finance_email"] in mail.to for mail in seen.mails),
        ),
    ]


def _books(seen: Seen) -> list[Figure]:
    debits, credits_ = figures.journal(seen.entries)
    authorizer, invoicer = seen.sold.by_account(), seen.invoiced.by_account()
    return [
        Figure(
            what="journal: debits = credits",
            expected=money(debits),
            actual=money(credits_),
        ),
        Figure(
            what="entries that do not balance in themselves",
            expected=[],
            actual=figures.unbalanced(seen.entries),
        ),
        *(
            Figure(
                what=f"onaccount {VERIFIED[name]} verify finds all true",
                expected=True,
                actual=right,
            )
            for name, right in seen.verified.items()
        ),
        # Nothing was taken back before the last sale of an account: used only grew until then.
        Figure(
            what="authorizer's running sums = sales, for each account",
            expected=_amounts(seen.sold.approved_by_account()),
            actual=_amounts(seen.sold.used_by_account()),
        ),
        Figure(
            what="authorizer = ledger, for each account",
            expected=_amounts(authorizer),
            actual=_amounts({a: sum(amounts) for a, amounts in seen.owed.items()}),
        ),
        Figure(
            what="ledger = invoicer, for each account",
            expected=_amounts({a: billed for a, (_, billed) in seen.owed.items()}),
            actual=_amounts(invoicer),
        ),
        Figure(what="dead letters", expected=0, actual=seen.dead),
    ]


def _rates(amounts: dict[str, int]) -> dict[str, str]:
    return {f"{rate}%": money(amounts[rate]) for rate in sorted(amounts) if amounts[rate]}


def _amounts(amounts: dict[str, int]) -> dict[str, str]:
    return {account: money(amounts[account]) for account in sorted(amounts)}


def show_accounts(screen: Screen, seen: Seen) -> None:
    """Each account as the three services have it."""
    authorizer, invoicer = seen.sold.by_account(), seen.invoiced.by_account()
    columns = ("Account", "Authorizer: sold", "Ledger: owed", "Invoicer: invoiced")
    rows = (
        (
            account,
            money(authorizer.get(account, 0)),
            money(sum(seen.owed.get(account, (0, 0)))),
            money(invoicer.get(account, 0)),
        )
        for account in sorted({*authorizer, *seen.owed, *invoicer})
    )
    screen.table(columns, rows, right=columns[1:])


def show(screen: Screen, compared: list[Figure]) -> bool:
    """Show all figures; what is not as it must be with what was expected. Gives whether all are."""
    screen.data(
        {
            "figures": [
                {
                    "what": one.what,
                    "ok": one.right,
                    "expected": one.expected,
                    "actual": one.actual,
                }
                for one in compared
            ]
        }
    )
    for one in compared:
        if one.right:
            screen.good(f"{one.what}: {_short(one.actual)}")
        else:
            expected, actual = _differing(one)
            screen.bad(f"{one.what}: {_short(actual)}, but it must be {_short(expected)}")
    return all(one.right for one in compared)


def _differing(one: Figure) -> tuple[object, object]:
    """Expected and actual; of two tables only what differs."""
    if not (isinstance(one.expected, dict) and isinstance(one.actual, dict)):
        return one.expected, one.actual
    keys = [k for k in {**one.expected, **one.actual} if one.expected.get(k) != one.actual.get(k)]
    return (
        {key: one.expected.get(key, "nothing") for key in keys},
        {key: one.actual.get(key, "nothing") for key in keys},
    )


def _short(value: object) -> str:
    match value:
        case True:
            return "yes"
        case False:
            return "no"
        case []:
            return "none"
        case tuple():
            return ", ".join(_short(one) for one in value)
        case list():
            return ", ".join(str(one) for one in value)
        case dict() if len(value) > MOST_SHOWN:
            return f"{len(value)} accounts"
        case dict():
            return "; ".join(f"{key} {one}" for key, one in value.items())
        case _:
            return str(value)
