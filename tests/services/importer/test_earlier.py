"""Rows mean the same wherever a list is cut into chunks.

Method: lists of few names, addresses (some called made up), account numbers and counts, put
together at random, beside a registry that knows some of them, are planned in chunks of one row, of
a few, and all at once.
"""

import random
from collections.abc import Sequence
from typing import Any

from runtime.transaction import Tx
from schemas.registry import CustomerRegister
from services.importer.domain.columns import Layout, Outline, lay_out
from services.importer.domain.planning import Planner, RowPlan
from services.importer.domain.rows import Entry, RowReader
from services.importer.store.earlier import Earlier
from services.importer.store.plans import book_for
from tests.services.importer.registry import NOW
from tests.services.importer.venue import Venue, venue
from tests.support.article_workbook import sheet_workbook
from tests.support.databases import Database

JOB = "00000000-0000-0000-0000-000000000001"
HEADER = ["Bedrijf", "Naam", "E-mail", "Plaats", "Rekening", "Limiet", "Aantal rekeningen",
          "Fictief"]  # fmt: skip


def entries(table: Sequence[Sequence[Any]]) -> list[Entry]:
    sheet = Outline(name="x", hidden=False, rows=[(1, HEADER)])
    layout = lay_out([sheet], sheet=None, mapping=None, tongue="en")
    assert isinstance(layout, Layout), layout
    reader = RowReader(layout=layout, tongue="en", styles={})
    found = [reader.read(number, cells) for number, cells in enumerate(table, start=2)]
    return [entry for entry in found if entry is not None]


def table(chance: random.Random, rows: int) -> list[list[Any]]:
    def one(*values: Any) -> Any:
        return chance.choice(values)

    return [
        [
            one(None, None, "Bakker B.V.", "Visser", "Roos", "Bouw Jan"),
            one(None, None, "Jan de Vries", "Ans Bakker", "Roos"),
            one(None, None, "a@b.nl", "jan@vries.nl", "ans@bakker.nl"),
            one(None, "Houten", "Utrecht"),
            number := one(None, *range(28900001, 28900030)),
            one(None, 10, 20),
            None if number else one(None, 1, 2, 3),
            one(None, None, None, "ja"),
        ]
        for _ in range(rows)
    ]


async def plans_of(tx: Tx, listed: Sequence[Entry], chunk: int) -> list[RowPlan]:
    planner = Planner(job_id=JOB, tongue="en", defaults={})
    found = []
    with Earlier(environment=2890, job_id=JOB, counted=True) as earlier:
        for at in range(0, len(listed), chunk):
            some = listed[at : at + chunk]
            book = await book_for(tx, 2890, some, earlier)
            found += [planner.plan(entry, book) for entry in some]
            earlier.keep(book)
    return found


async def known(place: Venue) -> None:
    """A customer with an account, one without, one with an address, and an account of nobody's."""
    rows: list[list[Any]] = [
        ["Visser", None, None, "Houten", 28900002, 10],
        [None, "Ans Bakker", "ans@bakker.nl", None, None, None, 2],
        [None, "Jan de Vries"],
        [None, "Jan de Vries", "jan@vries.nl"],
    ]
    await place.imported(sheet_workbook(HEADER, *rows))
    other = CustomerRegister(
        command_id=JOB, environment=2890, at=NOW, by="Ans", customer_id=JOB, company="Roos"
    )
    await place.tell(place.registry.ask(other)[1])


async def test_rows_mean_the_same_wherever_their_list_is_cut(postgres: Database) -> None:
    async with venue(postgres) as place:
        await known(place)
        verdicts: set[tuple[str, str]] = set()
        for seed in range(12):
            listed = entries(table(random.Random(seed), 30))
            async with place.bench.transaction() as tx:
                whole = await plans_of(tx, listed, 30)
                for chunk in (1, 7):
                    assert await plans_of(tx, listed, chunk) == whole, (seed, chunk)
            verdicts |= {
                (plan.verdict, command.type) for plan in whole for command in plan.commands
            }
            verdicts |= {(plan.verdict, "") for plan in whole}
        assert len(verdicts) >= 8, verdicts
