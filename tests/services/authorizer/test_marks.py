"""Whether what was told moved on is seen by its environment's revision, and where that moved by the
rows themselves; so the last record of each is the newest.

Method: real PostgreSQL, and another worker that changes things between our commit and our acks.
"""

from collections.abc import Sequence

import pytest

from runtime.answers import Answer
from runtime.edge.decide import Settled
from runtime.state import Key
from services.authorizer.handlers import registry
from services.authorizer.store.states import STATES
from tests.services.authorizer.support import (
    GUEST,
    JO,
    VENUE,
    Venue,
    command,
    register,
    said,
    venue,
)
from tests.support.databases import Database

OLDER = 0
"""A version that every row is beyond: whoever looks at the row itself sees that it moved on."""


async def newer(bench: Venue, marks: dict[int, int]) -> list[Key]:
    """Which of a customer and an account, told at that version, are to be told again."""
    found: list[Key] = []
    async with bench.database.connection() as connection:
        for kind, key in (("customer", (VENUE, JO)), ("account", (VENUE, GUEST))):
            (state,) = (s for s in STATES if s.kind == kind)
            assert state.newer is not None
            found += await state.newer(connection, {key: OLDER}, marks)
    return found


async def test_rows_are_looked_at_only_once_their_environment_moved_on(postgres: Database) -> None:
    async with venue(postgres) as bench:
        async with bench.transaction() as tx:
            await registry.carry_out_commands([bench.incoming(register("Jo"))], tx)
        assert set(tx.marks) == {VENUE}
        assert await newer(bench, tx.marks) == []

        await bench.order(command("account.open", "another", account="28909"))
        assert await newer(bench, tx.marks) == [(VENUE, JO), (VENUE, GUEST)]
        assert await newer(bench, {}) == [(VENUE, JO), (VENUE, GUEST)]


@pytest.mark.parametrize(
    "change",
    [
        command("customer.change", "c", customer_id=JO, city="Houten"),
        command("customer.erase", "e", customer_id=JO),
        command("account.change", "a", accounts=[GUEST], limit=7),
        command("account.link", "l", account=GUEST, customer_id=JO, role="viewer"),
        command("account.open", "o", account="28909", holder=JO),
    ],
    ids=lambda change: change.type,
)
async def test_an_environment_moves_on_with_every_change_to_what_is_in_it(
    postgres: Database, change: object
) -> None:
    async with venue(postgres) as bench:
        async with bench.transaction() as tx:
            await registry.carry_out_commands([bench.incoming(register("Jo"))], tx)
        await bench.order(change)
        assert await newer(bench, tx.marks) == [(VENUE, JO), (VENUE, GUEST)]


async def test_what_another_worker_changed_before_our_acks_is_told_once_more(
    postgres: Database,
) -> None:
    wire: list[Answer] = []

    class Racing:
        raced = False

        async def publish(self, answers: Sequence[Answer]) -> None:
            if not Racing.raced:
                Racing.raced = True
                await bench.order(
                    command("customer.change", "c", customer_id=JO, city="Houten"),
                )
                wire.extend(bench.published.answers)
            wire.extend(answers)

    async with venue(postgres) as bench:
        async with bench.transaction() as tx:
            await registry.carry_out_commands([bench.incoming(register("Jo"))], tx)
        bench.published.answers.clear()
        await bench.states.publish(tx.touched, Racing(), tx.marks)
    assert [said(a).get("city") for a in wire if a.type == "customer.state"][-1] == "Houten"


async def test_the_marks_of_a_part_are_those_of_the_whole_transaction(postgres: Database) -> None:
    """A transaction may have several parts, each of which moves the environment on."""
    async with venue(postgres) as bench:
        async with bench.transaction() as tx:
            await registry.carry_out_commands([bench.incoming(register("Jo"))], tx)
            await registry.carry_out_commands([bench.incoming(register("Piet"))], tx)
        assert await newer(bench, tx.marks) == []


def test_of_two_transactions_the_marks_of_the_first_stay() -> None:
    """By the second's, what was changed in between would seem to stand as the first left it."""
    settled = Settled(marks={1: 5, 2: 1})
    settled.add(Settled(marks={1: 7, 3: 1}))
    assert settled.marks == {1: 5, 2: 1, 3: 1}
