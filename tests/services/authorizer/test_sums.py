"""What invoices, credit notes and payments do to what is used, on a real PostgreSQL."""

from itertools import permutations

import pytest

from services.authorizer.__main__ import build
from services.authorizer.handlers import invoices
from services.authorizer.settings import Settings
from tests.services.authorizer.support import (
    GUEST,
    cancelled,
    command,
    credit_note,
    invoice,
    payment,
    refund,
    requested,
    venue,
)
from tests.support.databases import Database


@pytest.mark.parametrize(
    ("release", "steps"),
    [
        ("issued", [1000, 0, 0, 0, 400]),
        ("paid", [1000, 1000, 400, 400, 400]),
    ],
)
async def test_a_limit_is_released_when_invoiced_or_when_paid(
    postgres: Database, release: str, steps: list[int]
) -> None:
    async with venue(postgres, limit_release=release) as bench:
        await bench.sell(requested("a", 1000))
        used = [await bench.used()]
        for event in (invoice("i", 1000), payment("p", 600), payment("p", 600),
                      credit_note("c", 400)):  # fmt: skip
            await bench.account_for(event)
            used.append(await bench.used())
        assert used == steps


async def test_what_is_paid_back_is_used_again_where_money_makes_room(postgres: Database) -> None:
    """Too much came for one invoice: that made room for another's amount until it went back."""
    async with venue(postgres, limit_release="paid") as bench:
        await bench.sell(requested("a", 400), requested("b", 600))
        used = []
        for event in (invoice("i", 400), invoice("j", 600), payment("p", 700), refund("r", 300),
                      refund("r", 300)):  # fmt: skip
            await bench.account_for(event)
            used.append(await bench.used())
        assert used == [1000, 1000, 300, 600, 600]


async def test_each_event_counts_once_however_often_and_in_whatever_order_it_comes(
    postgres: Database,
) -> None:
    events = [invoice("i", 1000), credit_note("c", 300), payment("p", 200), refund("r", 50)]
    found = set()
    async with venue(postgres) as bench:
        for n, order in enumerate(permutations(events)):
            account = f"2890x{n}"
            await bench.order(
                command("account.open", n, account=account, limit=10_000, on_account=True)
            )
            moved = [
                event.model_copy(update={"account": account, "environment": 2890})
                for event in order
            ]
            renamed = [
                m.model_copy(update={k: m_id(m, n) for k in ID if hasattr(m, k)}) for m in moved
            ]
            await bench.sell(requested(f"s{n}", 2000, account=account))
            await bench.account_for(*renamed, renamed[0])
            await bench.account_for(*reversed(renamed))
            (row,) = await bench.rows(
                "SELECT approved, issued, credited, paid, refunded FROM account WHERE account = $1",
                account,
            )
            found.add(tuple(row))
            assert await bench.used(account) == 2000 - 1000 + 300
    assert found == {(2000, 1000, 300, 200, 50)}


ID = ("invoice_id", "credit_note_id", "payment_id", "refund_id")


def m_id(message: object, n: int) -> str:
    """An id of its own for each history."""
    from tests.services.authorizer.support import uid

    return uid((type(message).__name__, n))


async def test_a_change_of_release_counts_at_once_and_for_all_that_was(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        await bench.sell(requested("a", 1000))
        await bench.account_for(invoice("i", 1000))
        used = []
        for n, release in enumerate(("paid", "issued", "paid")):
            await bench.order(command("environment.configure", n, limit_release=release))
            used.append(await bench.used())
        assert used == [1000, 0, 1000]


async def test_a_sale_reversed_after_it_was_invoiced_leaves_nothing_used_below_zero(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        await bench.sell(requested("a", 600))
        await bench.account_for(invoice("i", 600))
        content = await bench.one(cancelled("c", "a"))
        assert content["available"] == 1000
        assert await bench.used() == 0
        await bench.account_for(credit_note("n", 600))
        assert await bench.used() == 0


async def test_invoices_of_an_account_that_is_not_known_are_kept(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.account_for(invoice("i", 600, account="nope", environment=17))
        (row,) = await bench.rows("SELECT account, amount FROM invoice_effect")
        assert tuple(row) == ("nope", 600)
        assert GUEST not in tuple(row)


def test_the_worker_is_put_together_without_opening_anything() -> None:
    worker = build(Settings(postgres="postgresql://nobody@127.0.0.1:1/nothing"))
    names = [edge.lane.name for edge in worker.lanes]
    assert names == ["sales", "registry", "tills", "retries"]
    assert "authorizer.retries" in worker.topics
    assert {m.model_fields["type"].default for m in invoices.TAKES} == {
        "invoice.issued", "credit_note.issued", "payment.received", "payment.refunded",
    }  # fmt: skip
