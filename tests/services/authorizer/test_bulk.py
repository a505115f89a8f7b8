"""Thousands of accounts by one command: outcomes that fit, and tills that sell on meanwhile."""

import asyncio
import json
import random

from services.authorizer.handlers import registry
from tests.services.authorizer.support import command, requested, said, venue
from tests.support.databases import Database


async def test_what_is_closed_with_open_amounts_is_warned_of_in_an_outcome_that_fits(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        numbers = [f"{'7' * 50}{n:05}" for n in range(300)]
        await bench.order(
            *(command("account.open", n, account=n, limit=500, on_account=True) for n in numbers)
        )
        await bench.sell(*(requested(n, 250, account=n) for n in numbers))
        order = command("account.change", "close", accounts=numbers, status="closed")
        (answer,) = await bench.handle(registry.carry_out_commands, [order])
        warnings = said(answer)["warnings"]
        assert len(warnings) == 101
        assert warnings[0]["message"].startswith("€2.50 is not invoiced yet")
        assert warnings[-1]["message"] == (
            "€500.00 on 200 more accounts is not invoiced yet either."
        )
        # With ten thousand such accounts too: a topic takes 2 MiB.
        a_change = len(json.dumps(said(answer)["changes"][0]))
        assert 10_000 * a_change + len(json.dumps(warnings)) < 2 * 1024 * 1024


async def test_accounts_are_changed_by_the_hundred_while_their_tills_sell_on(
    postgres: Database,
) -> None:
    """Goal: whoever locks accounts does it in one order. Method: both at once, over and over."""
    numbers = [f"2890x{n:03}" for n in range(200)]
    async with venue(postgres) as bench:
        await bench.order(
            *(command("account.open", n, account=n, limit=None, on_account=True) for n in numbers)
        )

        async def change(turn: int) -> None:
            shuffled = random.Random(turn).sample(numbers, len(numbers))
            status = {"status": "active"} if turn % 2 else {"only_if_unused": False}
            order = command("account.change", ("c", turn), accounts=shuffled, limit=turn * 100_000,
                            **status)  # fmt: skip
            assert (await bench.order(order))[0]["type"] == "command.applied"

        async def sell(turn: int) -> None:
            draw = random.Random(turn)
            sales = [requested((turn, n), 1, account=draw.choice(numbers)) for n in range(200)]
            answers = await bench.sell(*sales)
            assert len(answers) == len(sales)

        await asyncio.gather(*(each(turn) for turn in range(1, 9) for each in (change, sell)))
        rows = await bench.rows("SELECT sum(approved)::int AS sold FROM account")
        sold = await bench.rows("SELECT sum(total)::int AS sold FROM sale WHERE state = 'approved'")
        assert rows == sold
