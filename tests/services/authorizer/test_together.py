"""Several workers on the same accounts at once, on a real PostgreSQL.

Goal: whatever two workers do at the same time, an account is charged as if they had taken turns.
Method: real connections, real locks; a batch that meets a unique violation, a deadlock or a
serialization failure is decided again, as the edge does.
"""

import asyncio
import random
from typing import Any

import pytest

from runtime.answers import Answer
from runtime.faults import Fault, fault_of
from services.authorizer.handlers import invoices, registry
from tests.services.authorizer.support import (
    GUEST,
    NOON,
    Venue,
    cancelled,
    command,
    invoice,
    recorded,
    requested,
    said,
    venue,
    words,
)
from tests.support.databases import Database


async def insist(bench: Venue, handler: Any, messages: list[Any]) -> list[Answer]:
    """One batch as the edge runs it: again, where another worker was first."""
    while True:
        try:
            if handler is bench.decide_sales:
                return await bench.sell(*messages)
            return await bench.handle(handler, messages, at=NOON)
        except Exception as error:
            if fault_of(error) is not Fault.AGAIN:
                raise


async def side_by_side(bench: Venue, *batches: list[Any]) -> list[list[Answer]]:
    return await asyncio.gather(*(insist(bench, bench.decide_sales, b) for b in batches))


@pytest.mark.parametrize("workers", [2, 4])
async def test_of_many_sales_exactly_as_many_are_approved_as_there_is_room_for(
    postgres: Database, workers: int
) -> None:
    async with venue(postgres, limit=25 * 40) as bench:
        batches = [
            [requested((w, size, n), 25) for n in range(size)]
            for w in range(workers)
            for size in (1, 7, 20, 3, 15)
        ]
        answers = [a for some in await side_by_side(bench, *batches) for a in some]
        approved = [said(a) for a in answers if a.type == "sale.approved"]
        assert len(approved) == 40
        assert sorted(a["used"] for a in approved) == [25 * n for n in range(1, 41)]
        (row,) = await bench.rows("SELECT approved FROM account WHERE account = $1", GUEST)
        assert row["approved"] == 1000


async def test_the_same_sales_at_several_workers_are_one_decision_each(
    postgres: Database,
) -> None:
    async with venue(postgres, limit=1000) as bench:
        batch = [requested(n, 100) for n in range(15)]
        unknown = [requested((n, "x"), 100, account="2890x") for n in range(5)]
        found = await side_by_side(bench, *([*batch, *unknown] for _ in range(6)))
        assert all(answers == found[0] for answers in found)
        (row,) = await bench.rows("SELECT approved FROM account WHERE account = $1", GUEST)
        assert row["approved"] == 1000


async def test_one_sale_id_on_two_accounts_at_once_is_one_sale(postgres: Database) -> None:
    async with venue(postgres, limit=None) as bench:
        await bench.order(command("account.open", 1, account="28900002", on_account=True,
                                  limit=None))  # fmt: skip
        for n in range(10):
            here, there = await side_by_side(
                bench, [requested(n, 100)], [requested(n, 100, account="28900002")]
            )
            assert sorted(words(a)[1] or a.type for a in (*here, *there)) == [
                "sale.approved", "sale_id_reused",
            ]  # fmt: skip
        sums = await bench.rows("SELECT sum(approved) AS s FROM account")
        assert sums[0]["s"] == 1000


async def test_a_sale_and_its_cancellation_that_cross_leave_nothing_used(
    postgres: Database,
) -> None:
    async with venue(postgres, limit=None) as bench:
        names = [str(n) for n in range(40)]
        found = await side_by_side(
            bench,
            [requested(n, 100) for n in names[:20]],
            [cancelled(f"c{n}", n) for n in names],
            [requested(n, 100) for n in names[20:]],
        )
        sold = {said(a)["sale_id"]: a.type for some in (found[0], found[2]) for a in some}
        for answer in found[1]:
            content = said(answer)
            came_late = sold[content["sale_id"]] == "sale.approved"
            assert content["amount"] == (100 if came_late else 0)
        assert await bench.used() == 0


async def test_reversals_by_several_workers_never_exceed_the_sale(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.sell(requested("a", 600, 400))
        found = await side_by_side(
            bench, *([cancelled((w, n), "a", 70) for n in range(5)] for w in range(4))
        )
        outcomes = [words(a) for some in found for a in some]
        assert outcomes.count(("sale.reversed", 70)) == 14
        assert outcomes.count(("sale.reversal_refused", "exceeds_sale")) == 6
        assert await bench.used() == 1000 - 14 * 70


async def test_a_request_and_its_record_that_cross_become_one_approved_sale(
    postgres: Database,
) -> None:
    async with venue(postgres, limit=0) as bench:
        for n in range(10):
            await side_by_side(bench, [requested(n, 100)], [recorded(n, 100)])
            (last,) = await bench.sell(requested(n, 100))
            assert last.type == "sale.approved"
        (row,) = await bench.rows("SELECT approved FROM account WHERE account = $1", GUEST)
        assert row["approved"] == 1000


async def test_the_currency_does_not_change_while_sales_are_made(postgres: Database) -> None:
    async with venue(postgres, limit=None) as bench:
        for n in range(8):
            name = f"2890c{n}"
            currency = ("USD", "EUR")[n % 2]
            await asyncio.gather(
                insist(bench, bench.decide_sales, [requested(n, 100)]),
                insist(
                    bench,
                    registry.carry_out_commands,
                    [command("environment.configure", name, currency=currency)],
                ),
            )
        (row,) = await bench.rows("SELECT currency FROM environment")
        rows = await bench.rows("SELECT answer FROM sale WHERE state = 'approved'")
        assert {bytes(r["answer"]).count(row["currency"].encode()) for r in rows} <= {1}


async def test_everything_at_once_leaves_the_sums_right(postgres: Database) -> None:
    """A storm of all handlers over a few accounts: no deadlock stays, and each sum is exact."""
    draw = random.Random(12)
    accounts = [f"2890a{n}" for n in range(4)]
    async with venue(postgres) as bench:
        await bench.order(
            *(command("account.open", a, account=a, limit=None, on_account=True) for a in accounts)
        )
        work = []
        for w in range(6):
            batch = [
                requested((w, n), draw.randrange(1, 50), account=draw.choice(accounts))
                for n in range(60)
            ]
            draw.shuffle(batch)
            cancels = [
                cancelled((w, n, "c"), (w, n), account=sale.account)
                for n, sale in enumerate(batch[:20])
            ]
            work.append((bench.decide_sales, batch + cancels))
            events = [invoice((w, n), 7, account=draw.choice(accounts)) for n in range(10)]
            work.append((invoices.add_up, events))
            change = command("account.change", ("ch", w), accounts=draw.sample(accounts, 4),
                             description=f"d{w}")  # fmt: skip
            work.append((registry.carry_out_commands, [change]))
        draw.shuffle(work)
        await asyncio.gather(*(insist(bench, handler, some) for handler, some in work))
        wrong = await bench.rows(
            """
            SELECT a.account FROM account AS a
            LEFT JOIN LATERAL (
                SELECT coalesce(sum(total) FILTER (WHERE state = 'approved'), 0) AS approved,
                       coalesce(sum(reversed), 0) AS reversed
                FROM sale AS s WHERE s.environment = a.environment AND s.account = a.account
            ) AS s ON true
            LEFT JOIN LATERAL (
                SELECT coalesce(sum(amount), 0) AS issued FROM invoice_effect AS i
                WHERE i.environment = a.environment AND i.account = a.account
            ) AS i ON true
            WHERE (a.approved, a.reversed, a.issued) <> (s.approved, s.reversed, i.issued)
               OR s.reversed <> (SELECT coalesce(sum(c.amount), 0) FROM cancellation AS c
                                 WHERE c.environment = a.environment AND c.account = a.account)
            """
        )
        assert wrong == []
        totals = await bench.rows("SELECT sum(issued) AS i FROM account")
        assert totals[0]["i"] == 6 * 10 * 7
