"""Numbers without a gap: two workers, rollbacks, and what the database itself refuses."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest

from schemas.invoices import InvoiceDelete
from services.invoicer.handlers import drafts
from services.invoicer.numbers import Series
from services.invoicer.replies import Done
from services.invoicer.store import register
from services.invoicer.verify import audit
from tests.services.invoicer.world import (
    ENV,
    JULY,
    World,
    asked,
    environment,
    new_id,
    nth,
    said,
    sale,
)


async def numbers(world: World) -> list[str]:
    return [r["number"] for r in await world.fetch("SELECT number FROM number ORDER BY seq")]


async def test_two_that_give_numbers_at_once_leave_no_gap_also_when_some_fail(
    world: World,
) -> None:
    venue = environment()

    class Changed(Exception):
        pass

    async def give(turn: int) -> None:
        wanted: list[tuple[Series, str]] = [("invoice", new_id()) for _ in range(1 + turn % 3)]
        async with world.bench.transaction() as tx:
            await register.give(tx, venue, wanted)
            await asyncio.sleep(0.001 * (turn % 4))
            if turn % 5 == 0:
                raise Changed

    done = await asyncio.gather(*(give(i) for i in range(40)), return_exceptions=True)
    assert sum(isinstance(d, Changed) for d in done) == 8
    assert sum(d is None for d in done) == 32
    given = await numbers(world)
    assert given == [nth(n) for n in range(1, len(given) + 1)]
    rows = await world.fetch("SELECT seq, issued_at FROM number ORDER BY seq")
    assert [r["seq"] for r in rows] == list(range(1, len(rows) + 1))
    assert [r["issued_at"] for r in rows] == sorted(r["issued_at"] for r in rows)


async def test_two_workers_on_two_runs_share_out_the_sales(world: World) -> None:
    names = [f"A{i:02}" for i in range(30)]
    await world.guests(*names)
    await world.sell(*(sale(name) for name in names))
    await world.command(asked("one", send=False), asked("two", send=False))
    # Two workers at once: runs of one environment go one after another, steps never overlap.
    told = await asyncio.gather(world.jobs("run"), world.jobs("run"))
    await world.bench.make_due("run")
    more = await world.jobs("run")
    every = {a.id: a for a in (*told[0], *told[1], *more)}.values()
    issued = said(every, "invoice.issued")
    assert sorted({i["account"] for i in issued}) == names
    assert sorted(i["number"] for i in issued) == [nth(n) for n in range(1, 31)]
    async with world.bench.database.connection() as connection:
        assert (await audit(connection))["ok"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO number SELECT environment, series, year, seq + 2, 'x', kind, "
        "gen_random_uuid(), issued_at, issued_on FROM (SELECT environment, series, year, seq, "
        "kind, issued_at, issued_on FROM number) n",
        "UPDATE number SET number = 'x'",
        "DELETE FROM number",
        "UPDATE credit_note SET total = 1",
        "DELETE FROM payment",
        "UPDATE sale_line SET billed = approved + 1",
        "UPDATE invoice SET status = 'draft'",
        "UPDATE invoice SET credited = total + 1",
        "DELETE FROM invoice",
    ],
)
async def test_the_database_refuses_what_would_falsify_the_books(
    world: World, statement: str
) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    await world.run("run", send=False)
    async with world.bench.database.connection() as connection:
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute(statement)


async def test_a_changed_format_that_would_repeat_a_number_gives_none(world: World) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    await world.run("run", send=False)
    other = environment(number_format="{year}-{seq:05}", credit_note_format="{year}-0{seq:04}")
    with pytest.raises(register.NumberTaken):
        async with world.bench.transaction() as tx:
            await register.give(tx, other, [("credit_note", new_id())])
    assert len(await numbers(world)) == 1


@pytest.mark.parametrize(
    ("before", "formats", "reason", "field"),
    [
        (
            "{year}-{seq:05}",
            {"number_format": "{year}-{seq:05}", "credit_note_format": "{year}-9{seq:04}"},
            "number_formats_meet",
            "credit_note_format",
        ),
        (
            "{year}-{seq:05}5",  # the first is written as the fifteenth will be
            {"number_format": "{year}-{seq:06}", "credit_note_format": "{year}-{seq:06}"},
            "number_taken",
            "number_format",
        ),
        (
            "{year}-{seq:05}",
            {"number_format": "F{year}-{seq:05}", "credit_note_format": "{year}-{seq:05}"},
            "number_taken",
            "credit_note_format",
        ),
        (
            "{year}-{seq:05}",  # such could once be configured
            {"number_format": "F{year}-{seq:05}", "credit_note_format": "C{year}-{seq:05} "},
            "number_format_invalid",
            "credit_note_format",
        ),
    ],
)
async def test_formats_that_would_repeat_a_number_are_refused_before_the_first_is_given(
    world: World, before: str, formats: dict[str, str], reason: str, field: str
) -> None:
    await world.guests("A1", "A2")
    await world.registry(environment(version=2, number_format=before, credit_note_format=before))
    await world.sell(sale("A1"))
    (issued,) = said(await world.run("run", send=False), "invoice.issued")
    await world.registry(environment(version=3, **formats))
    await world.sell(sale("A2"))
    (refused,) = said(await world.run("run", run_id="again", send=False), "command.refused")
    assert (refused["reason"], refused["field"]) == (reason, field)
    delete = InvoiceDelete(
        command_id=new_id(), environment=ENV, at=JULY, by="f", invoice_id=issued["invoice_id"]
    )
    (refused,) = said(await world.command(delete))
    assert (refused["reason"], refused["field"]) == (reason, field)
    assert await numbers(world) == [issued["number"]]


async def test_a_format_may_change_where_it_repeats_nothing(world: World) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    await world.run("run", send=False)
    await world.registry(
        environment(version=2, number_format="{year}-{seq:04}", credit_note_format="C{year}-{seq}")
    )
    await world.sell(sale("A1"))
    (issued,) = said(await world.run("run", run_id="b", send=False), "invoice.issued")
    assert issued["number"] == f"{nth(1)[:4]}-0002"


async def test_with_the_venues_new_year_a_series_begins_anew(world: World) -> None:
    venue = environment()
    given = []
    for now in (
        datetime(2026, 12, 31, 22, 59, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 1, tzinfo=UTC),  # 2027 in Amsterdam
        datetime(2026, 12, 31, 22, 58, tzinfo=UTC),  # began before it, and waited for the lock
        datetime(2027, 1, 1, 12, tzinfo=UTC),
    ):
        async with world.bench.transaction() as tx:
            tx.now = now
            made = await register.give(tx, venue, [("invoice", new_id())])
            given.append((*made.numbers.values(), str(made.issued_on)))
    assert given == [
        ("2026-00001", "2026-12-31"),
        ("2027-00001", "2027-01-01"),
        ("2026-00002", "2026-12-31"),
        ("2027-00002", "2027-01-01"),
    ]


async def test_a_credit_note_of_the_new_year_for_an_old_invoice_counts_in_the_new_year(
    world: World, postgres: object
) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    (issued,) = said(await world.run("run", send=False), "invoice.issued")
    year = int(issued["number"][:4])
    async with world.bench.transaction() as tx:
        tx.now = datetime(year + 1, 1, 2, tzinfo=UTC)
        done = await drafts.delete(
            InvoiceDelete(
                command_id=new_id(), environment=ENV, at=tx.now, by="f",
                invoice_id=issued["invoice_id"],
            ),
            tx,
        )  # fmt: skip
    assert isinstance(done, Done)
    (note,) = said(done.events, "credit_note.issued")
    assert (note["number"], note["issued_at"][:10]) == (f"{year + 1}-00001", f"{year + 1}-01-02")
    connection = await asyncpg.connect(postgres.admin)  # type: ignore[attr-defined]
    try:
        await connection.execute("SET search_path TO invoicer")
        found = await audit(connection, ENV)
    finally:
        await connection.close()
    assert found["ok"], found["problems"]
    assert [(s["year"], s["numbers"]) for s in found["series"]] == [(year, 1), (year + 1, 1)]


async def test_the_audit_finds_a_gap_a_wrong_total_and_wrong_vat(
    world: World, postgres: object
) -> None:
    await world.guests("A1", "A2")
    await world.sell(sale("A1"), sale("A2"))
    await world.run("run", send=False)
    connection = await asyncpg.connect(postgres.admin)  # type: ignore[attr-defined]
    try:
        await connection.execute("SET search_path TO invoicer")
        assert (await audit(connection, ENV))["ok"]
        nowhere = await audit(connection, ENV + 1)
        assert [p["problem"] for p in nowhere["problems"]] == ["there is no such environment"]
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("DELETE FROM number WHERE seq = 1")
        await connection.execute("UPDATE invoice SET vat = '[]' WHERE account = 'A2'")
        await connection.execute("DELETE FROM account WHERE account = 'A1'")
        await connection.execute("DELETE FROM sale WHERE account = 'A2'")
        found = await audit(connection)
        problems = {p["problem"] for p in found["problems"]}
        assert not found["ok"]
        assert "the number before it is missing" in problems
        assert "its VAT is not what its lines give" in problems
        assert "its account A1 is not there" in problems
        assert "a line of it is there without the sale" in problems
    finally:
        await connection.close()
