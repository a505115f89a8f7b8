"""Cancellations on a real PostgreSQL: after their sale, before it, and without it."""

import time

from schemas.pos import SaleReversed
from schemas.wire import decode, encode
from tests.services.authorizer.support import (
    cancelled,
    command,
    line,
    recorded,
    requested,
    venue,
    words,
)
from tests.support.databases import Database


async def test_what_is_taken_back_can_be_spent_again(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.sell(requested("a", 600, 400))
        content = await bench.one(cancelled("c", "a", 500))
        assert (content["amount"], content["available"], content["currency"]) == (500, 500, "EUR")
        assert [each["total"] for each in content["lines"]] == [300, 200]
        rest = await bench.one(cancelled("d", "a", reason="settled"))
        assert (rest["amount"], rest["available"], rest["reason"]) == (500, 1000, "settled")
        assert (await bench.one(cancelled("e", "a")))["amount"] == 0
        assert (await bench.one(cancelled("f", "a", 1)))["reason"] == "exceeds_sale"


async def test_a_swap_is_taken_back_line_by_line_once(postgres: Database) -> None:
    async with venue(postgres) as bench:
        swap = requested("a", lines=[line(500), line(-500, "9")])
        assert (await bench.one(swap))["available"] == 1000
        content = await bench.one(cancelled("c", "a"))
        assert (content["amount"], content["available"]) == (0, 1000)
        assert [(each["vat_rate"], each["total"]) for each in content["lines"]] == [
            ("21", 500), ("9", -500),
        ]  # fmt: skip
        assert (await bench.one(cancelled("d", "a")))["lines"] == []


async def test_a_reversal_is_what_the_contract_encodes(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.sell(requested("a", 600))
        (answer,) = await bench.sell(cancelled("c", "a"))
        message = decode("pos.decisions", answer.value)
        assert isinstance(message, SaleReversed)
        assert encode(message) == answer.value


async def test_a_cancellation_before_its_sale_lets_the_sale_be_declined(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        early = await bench.one(cancelled("c", "a"))
        assert (early["amount"], early["lines"], early["available"]) == (0, [], 1000)
        assert (await bench.one(requested("a", 100)))["reason"] == "already_cancelled"
        assert (await bench.one(recorded("a", 100)))["reason"] == "already_cancelled"
        assert (await bench.one(cancelled("d", "a")))["reason"] == "sale_declined"
        assert await bench.used() == 0


async def test_a_cancellation_before_its_sale_counts_although_the_module_was_off_in_between(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        await bench.one(cancelled("c", "a"))
        await bench.order(command("environment.deactivate", "off"))
        assert (await bench.one(requested("a", 100)))["reason"] == "module_inactive"
        assert (await bench.one(recorded("a", 100)))["reason"] == "already_cancelled"


async def test_a_cancellation_and_its_sale_may_come_in_one_batch_in_either_order(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        answers = await bench.sell(
            cancelled("c", "a"), requested("a", 100), requested("b", 100), cancelled("d", "b")
        )
        assert [words(a) for a in answers] == [
            ("sale.reversed", 0),
            ("sale.declined", "already_cancelled"),
            ("sale.approved", None),
            ("sale.reversed", 100),
        ]
        assert await bench.used() == 0


async def test_a_part_of_a_sale_that_has_not_come_is_refused_and_may_be_asked_again(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        (first,) = await bench.sell(cancelled("c", "a", 50))
        (second,) = await bench.sell(cancelled("c", "a", 50))
        assert words(first) == words(second) == ("sale.reversal_refused", "sale_unknown")
        assert first.id != second.id
        await bench.sell(requested("a", 100))
        assert (await bench.one(cancelled("c", "a", 50)))["amount"] == 50


async def test_a_sale_is_cancelled_only_on_its_own_account(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.order(command("account.open", "o", account="28900002", on_account=True,
                                  limit=1000))  # fmt: skip
        await bench.sell(requested("a", 100))
        wrong = await bench.one(cancelled("c", "a", account="28900002"))
        assert wrong["reason"] == "not_this_account"
        await bench.sell(cancelled("d", "b", account="28900002"))
        assert (await bench.one(requested("b", 100)))["type"] == "sale.approved"


async def test_many_that_name_every_line_of_a_long_sale_are_decided_together(
    postgres: Database,
) -> None:
    """Goal: no such batch takes so long that PostgreSQL ends its transaction as forgotten. Method:
    thirty of the most lines, each of which may mean any line of a sale of as many; then sixty that
    ask more of each line than any has. By CPU time: with each line held against each it was eight
    and four seconds."""
    async with venue(postgres, limit=None) as bench:
        await bench.sell(requested("a", lines=[line(1_000) for _ in range(500)]))
        each = [{"total": 1} for _ in range(500)]
        some = [cancelled(number, "a", 500, lines=each) for number in range(30)]
        since = time.process_time()
        answers = await bench.sell(*some)
        assert [words(answer) for answer in answers] == [("sale.reversed", 500)] * 30
        assert await bench.used() == 500 * 1_000 - 30 * 500
        small = [line(1, description="A") for _ in range(499)]
        await bench.sell(requested("b", lines=[*small, line(1_000, description="B")]))
        twice = [{"description": "A", "total": 2} for _ in range(250)]
        some = [cancelled(100 + number, "b", 500, lines=twice) for number in range(60)]
        answers = await bench.sell(*some)
        assert {words(answer) for answer in answers} == {("sale.reversal_refused", "exceeds_sale")}
        assert time.process_time() - since < 4
