"""Messages in, entries and balances out, on a real PostgreSQL."""

import json

import asyncpg
import pytest

from services.ledger import store
from services.ledger.domain import (
    AccountKey,
    Kind,
    OtherCurrency,
    Source,
    Unbalanced,
    fingerprint,
)
from services.ledger.handlers import decisions
from services.ledger.handlers.posting import POSTED
from tests.services.ledger.support import (
    GUEST,
    NOON,
    VENUE,
    approved,
    as_admin,
    credited,
    issued,
    last_balance,
    ledger,
    legs,
    paid,
    post,
    refunded,
    reversed_,
    uid,
)
from tests.support.databases import Database
from tests.support.handlers import HandlerBench


async def test_an_approved_sale_is_charged_gross_per_rate(postgres: Database) -> None:
    async with ledger(postgres) as bench:
        [answer] = await post(bench, approved("s1", {"21": 250, "9": 1210}))
        assert (answer.topic, answer.key) == ("ledger.entries", f"{VENUE}:{GUEST}")
        message = json.loads(answer.value)
        assert answer.id == f"entry.posted/{VENUE}/{message['entry_id']}"
        assert message["kind"] == "charge"
        assert message["source_id"] == uid("s1")
        assert message["at"] == "2026-07-01T12:00:00Z"
        assert message["legs"] == [
            {"ledger_account": "receivable:unbilled", "debit": 1460, "credit": 0},
            {"ledger_account": "revenue:unbilled:21", "debit": 0, "credit": 250},
            {"ledger_account": "revenue:unbilled:9", "debit": 0, "credit": 1210},
        ]
        [state] = bench.published.answers
        assert (state.topic, state.key) == ("ledger.balances", f"{VENUE}:{GUEST}")
        assert last_balance(bench) == (1, 1460, 0)


async def test_an_invoice_a_credit_note_and_a_payment_move_what_was_sold(
    postgres: Database,
) -> None:
    async with ledger(postgres) as bench:
        await post(bench, approved("s1", {"21": 250, "9": 1210}))
        [invoice] = await post(bench, issued("i1", {"21": 250, "9": 1210}))
        assert legs(invoice) == {
            "receivable:billed": 1460,
            "receivable:unbilled": -1460,
            "revenue:unbilled:21": 250,
            "revenue:unbilled:9": 1210,
            "revenue:21": -207,
            "vat:21": -43,
            "revenue:9": -1110,
            "vat:9": -100,
        }
        assert last_balance(bench) == (2, 0, 1460)
        await post(bench, reversed_("c1", "s1", {"21": 250}))
        assert last_balance(bench) == (3, -250, 1460)
        [note] = await post(bench, credited("n1", "i1", {"21": 250}, frees=False))
        assert legs(note) == {
            "receivable:unbilled": 250,
            "revenue:21": 207,
            "vat:21": 43,
            "receivable:billed": -250,
            "revenue:unbilled:21": -250,
        }
        assert last_balance(bench) == (4, 0, 1210)
        [payment] = await post(bench, paid("p1", "i1", 1210))
        assert legs(payment) == {"bank": 1210, "receivable:billed": -1210}
        assert last_balance(bench) == (5, 0, 0)


async def test_a_withdrawn_invoice_leaves_its_sales_to_be_invoiced_again(
    postgres: Database,
) -> None:
    async with ledger(postgres) as bench:
        await post(bench, approved("s1", {"21": 250}))
        await post(bench, issued("i1", {"21": 250}))
        await post(bench, credited("n1", "i1", {"21": 250}, frees=True))
        assert last_balance(bench) == (3, 250, 0)
        await post(bench, issued("i2", {"21": 250}))
        assert last_balance(bench) == (4, 0, 250)


async def test_a_payment_of_more_than_is_billed_is_owed_to_the_guest(postgres: Database) -> None:
    async with ledger(postgres) as bench:
        await post(bench, paid("p1", "i1", 1000))
        assert last_balance(bench) == (1, 0, -1000)


async def test_what_is_paid_back_stands_on_the_other_side_once_whatever_came_first(
    postgres: Database,
) -> None:
    async with ledger(postgres) as bench:
        [answer] = await post(bench, refunded("r1", "i1", 400))
        assert json.loads(answer.value)["kind"] == "payment"
        assert legs(answer) == {"receivable:billed": 400, "bank": -400}
        await post(bench, paid("p1", "i1", 1000), issued("i1", {"21": 600}))
        assert await post(bench, refunded("r1", "i1", 400)) == [answer]
        assert last_balance(bench) == (3, -600, 0)


async def test_a_reversal_of_nothing_and_a_free_drink_make_no_entry(postgres: Database) -> None:
    async with ledger(postgres) as bench:
        assert await post(bench, reversed_("c1", "s1", {}), approved("s2", {"21": 0})) == []
        assert bench.published.answers == []


async def test_a_return_in_a_sale_stands_on_the_other_side(postgres: Database) -> None:
    async with ledger(postgres) as bench:
        [answer] = await post(bench, approved("s1", {"21": 1000, "9": -400}))
        assert legs(answer) == {
            "receivable:unbilled": 600,
            "revenue:unbilled:9": 400,
            "revenue:unbilled:21": -1000,
        }
        [swap] = await post(bench, approved("s2", {"21": 400, "9": -400}))
        assert legs(swap) == {"revenue:unbilled:9": 400, "revenue:unbilled:21": -400}
        assert last_balance(bench) == (2, 600, 0)
        [undone] = await post(bench, reversed_("c2", "s2", {"21": 400, "9": -400}))
        assert legs(undone) == {name: -amount for name, amount in legs(swap).items()}
        assert last_balance(bench) == (3, 600, 0)


async def test_the_same_message_again_gets_the_same_bytes_and_moves_nothing(
    postgres: Database,
) -> None:
    sale = approved("s1", {"21": 250})
    async with ledger(postgres) as bench:
        first = await post(bench, sale, sale)
        assert len(first) == 1
        for _ in range(2):
            assert await post(bench, sale, approved("s2", {"9": 100}), sale) != first
            assert await post(bench, sale) == first
        assert last_balance(bench) == (2, 350, 0)
    async with ledger(postgres) as another:
        assert await post(another, sale) == first
        assert last_balance(another) == (2, 350, 0)  # published again, after a death in between


async def test_a_ledger_that_was_put_back_and_reads_all_again_tells_the_same_but_for_when(
    postgres: Database,
) -> None:
    """The runbook's way to bring a ledger up to what the others know."""
    said = [
        approved("s1", {"21": 250}),
        reversed_("r1", "s1", {"21": 50}),
        issued("i", {"21": 200}),
    ]
    async with ledger(postgres) as bench:
        first = await post(bench, *said)
        before = bench.published.answers[-1].value
    await as_admin(postgres, "TRUNCATE entry, balance")
    async with ledger(postgres) as bench:
        again = await post(bench, *said)
        after = bench.published.answers[-1].value
    untimed = [[a._replace(time=NOON) for a in sorted(some)] for some in (first, again)]
    assert untimed[0] == untimed[1]
    assert len(first) == 3
    assert [{**json.loads(x), "at": None} for x in (before, after)] == [
        {**json.loads(before), "at": None}
    ] * 2


async def test_a_sale_that_was_asked_for_and_then_recorded_is_charged_once(
    postgres: Database,
) -> None:
    asked = approved("s1", {"21": 250})
    recorded = approved("s1", {"21": 250}, online=False, over_limit=True, used=250)
    async with ledger(postgres) as bench:
        assert await post(bench, asked) == await post(bench, recorded)
        assert last_balance(bench) == (1, 250, 0)


async def test_the_first_journal_of_a_source_stands_whatever_comes_later(
    postgres: Database,
) -> None:
    async with ledger(postgres) as bench:
        first = await post(bench, approved("s1", {"21": 250}))
        assert await post(bench, approved("s1", {"21": 999})) == first
        elsewhere = approved("s1", {"21": 250}, account="other")
        assert await post(bench, elsewhere) == first
        assert last_balance(bench) == (1, 250, 0)


async def test_a_cent_has_two_sides(postgres: Database) -> None:
    async with ledger(postgres) as bench:
        (answer,) = await post(bench, approved("cent", {"21": 1}))
        assert sorted(legs(answer).values()) == [-1, 1]


async def test_a_balance_s_fingerprint_is_that_of_its_entries_however_they_came(
    postgres: Database,
) -> None:
    async with ledger(postgres) as bench:
        answers = await post(bench, approved("a", {"21": 1}), approved("b", {"21": 2}))
        answers += await post(bench, approved("c", {"21": 3}))
        row = await bench.database.fetch("SELECT fingerprint FROM balance")
    a, b, c = (fingerprint(answer.value) for answer in answers)
    assert [r["fingerprint"] for r in row] == [a ^ b ^ c]


async def test_what_was_not_committed_is_not_counted(postgres: Database) -> None:
    """Whoever fails after it has posted posts it again."""
    counted = POSTED.labels("charge")._value.get
    async with ledger(postgres) as bench:
        before, record = counted(), bench.incoming(approved("x", {"21": 250}))

        async def in_vain() -> None:
            async with bench.transaction() as tx:
                assert await decisions.handle([record], tx)
                raise TimeoutError

        for _ in range(2):
            with pytest.raises(TimeoutError):
                await in_vain()
        await bench.handle(decisions.handle, [record.message])
        assert counted() == before + 1


async def test_only_what_is_asked_for_is_recalled(postgres: Database) -> None:
    """Of all that one environment posted, not what is alike in kind or in id."""
    async with ledger(postgres) as bench:
        await post(bench, approved("x", {"21": 250}), reversed_("x", "x", {"21": 250}))
        await post(bench, approved("y", {"21": 250}), approved("x", {"21": 1}, environment=2891))
        asked = Source(VENUE, Kind.CHARGE, uid("x"))
        async with bench.transaction() as tx:
            assert list(await store.recall(tx, [asked])) == [asked]
        await post(bench, approved("z", {"21": 250}, account="another"))
        key = AccountKey(VENUE, GUEST)
        async with bench.database.connection() as connection:
            assert list(await store.balances(connection, [key])) == [key]


async def test_the_same_id_in_another_environment_or_kind_is_another_source(
    postgres: Database,
) -> None:
    async with ledger(postgres) as bench:
        answers = await post(
            bench,
            approved("x", {"21": 250}),
            approved("x", {"21": 250}, environment=2891),
            reversed_("x", "x", {"21": 250}),
            issued("x", {"21": 250}),
            credited("x", "x", {"21": 250}, frees=True),
            paid("x", "x", 250),
        )
        assert len({a.id for a in answers}) == 6
        assert last_balance(bench) == (5, 0, -250)


async def test_an_account_has_one_currency(postgres: Database) -> None:
    async with ledger(postgres) as bench:
        await post(bench, approved("s1", {"21": 250}))
        with pytest.raises(OtherCurrency):
            await post(
                bench, approved("s2", {"21": 250}), approved("s3", {"21": 5}, currency="USD")
            )
        await post(bench, approved("s2", {"21": 250}))
        assert last_balance(bench) == (2, 500, 0)


async def test_amounts_that_contradict_each_other_are_never_posted(postgres: Database) -> None:
    async with ledger(postgres) as bench:
        for message in (
            approved("s1", {"21": 250}, total=251),
            issued("i1", {"21": 250}, total=251),
            issued("i1", {"21": 250}, vat=()),
        ):
            with pytest.raises(Unbalanced):
                await post(bench, message)
        assert bench.published.answers == []


async def test_a_batch_of_any_size_takes_five_statements(postgres: Database) -> None:
    async with ledger(postgres) as bench:
        await _statements_for(bench, range(1))  # the first time the driver asks what types are
        assert await _statements_for(bench, range(1000, 1001)) == 5
        assert await _statements_for(bench, range(2000, 2200)) == 5


async def _statements_for(bench: HandlerBench, sales: range) -> int:
    sent: list[str] = []
    async with bench.transaction() as tx:
        connection = tx.connection
        assert isinstance(connection, asyncpg.pool.PoolConnectionProxy)
        with connection.query_logger(lambda record: sent.append(record.query)):
            batch = [approved(n, {"21": 250}, account=f"a{n % 7}") for n in sales]
            answers = await decisions.handle([bench.incoming(m, at=NOON) for m in batch], tx)
    assert len(list(answers)) == len(sales)
    return len(sent)


async def test_parts_of_an_invoice_are_paid_and_a_credited_one_too_in_any_order(
    postgres: Database,
) -> None:
    """A payment finds its invoice by nothing but the sums: before it, after it, after its end."""
    async with ledger(postgres) as bench:
        await post(bench, paid("p1", "i1", 400))
        await post(bench, approved("s1", {"21": 1000}), issued("i1", {"21": 1000}))
        assert last_balance(bench) == (3, 0, 600)
        await post(bench, paid("p2", "i1", 600))
        assert last_balance(bench) == (4, 0, 0)
        await post(bench, credited("n1", "i1", {"21": 1000}, frees=True))
        assert last_balance(bench) == (5, 1000, -1000)  # owed both ways, nothing in all
        await post(bench, paid("p3", "i1", 50), paid("p1", "i1", 400))
        assert last_balance(bench) == (6, 1000, -1050)
