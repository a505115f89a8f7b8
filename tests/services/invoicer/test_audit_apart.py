"""Each wrong is found in its own venue, of two with the same ids and numbers, and in no other."""

import asyncio

import asyncpg
import pytest

from services.invoicer.store import invoices
from services.invoicer.verify import audit, main, sql, told
from tests.services.invoicer.test_drafts import delete
from tests.services.invoicer.test_payments import payment
from tests.services.invoicer.two_venues import OTHER, issued, two_venues
from tests.services.invoicer.world import (
    BEER,
    ENV,
    LUNCH,
    World,
    environment,
    nth,
    reversal,
    sale,
)
from tests.support.databases import Database


async def test_the_audit_finds_what_is_wrong_in_the_venue_that_is_asked_for(
    world: World, postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold = await two_venues(world)
    for number in (ENV, OTHER):
        await issued(world, run_id="a", number=number)
    one, two, three = (
        str(row["invoice_id"])
        for row in await world.fetch(
            "SELECT invoice_id FROM invoice WHERE environment = $1 ORDER BY number", ENV
        )
    )
    # One is credited twice and in parts, one is paid in parts, one is issued a third time.
    for amount in (100, 50):
        await world.sell(reversal(sale("A1", BEER, LUNCH, sale_id=sold["A1/1"]), amount))
        await world.run("run", run_id=f"part {amount}", send=False)
        await world.command(payment(amount, invoice_id=two))
    for run_id in ("b", "c"):
        await world.command(delete(three))
        three = (await issued(world, run_id=run_id))[ENV, "A3"]["invoice_id"]
    await world.sell(sale("A2"))
    await world.registry(environment(version=2, name="De Kantine"))
    await world.run("run", run_id="draft", mode="draft")
    await its_own_rows(world, two, three)
    connection = await asyncpg.connect(postgres.admin)
    try:
        await connection.execute("SET search_path TO invoicer")
        whole = [await audit(connection, which) for which in (None, ENV, OTHER)]
        assert [found["problems"] for found in whole] == [[], [], []]
        assert [found["documents"] for found in whole] == [12, 9, 3]
        assert [len(found["series"]) for found in whole] == [3, 2, 1]
        assert told(whole[2]).splitlines() == [
            f"environment {OTHER}, invoice {nth(1)[:4]}: 3 numbers, 3 invoices, 0 credit notes",
            "3 documents: all as it must be",
        ]
        await connection.execute("SET session_replication_role = replica")
        for statement, fault, where in WRONG:
            wrong = connection.transaction()
            await wrong.start()
            ids = {"one": one, "two": two, "three": three, "sale": sold["A3/1"]}
            await connection.execute(fault.format(env=f"environment = {ENV}", **ids))
            found = [await connection.fetch(statement, which) for which in (None, ENV, OTHER)]
            await wrong.rollback()
            named = where.format(**ids)
            assert [{f"{r['number']}: {r['problem']}" for r in each} for each in found] == [
                {named}, {named}, set(),
            ], fault  # fmt: skip
        await connection.execute(f"UPDATE invoice SET paid = 1 WHERE invoice_id = '{two}'")
    finally:
        await connection.close()
    monkeypatch.setenv("ONACCOUNT_POSTGRES_INVOICER", postgres.dsn("invoicer"))
    look = [["--store-only", "--environment", str(which)] for which in (ENV, OTHER, OTHER + 1)]
    assert [await asyncio.to_thread(main, each) for each in look] == [1, 0, 3]


async def its_own_rows(world: World, two: str, three: str) -> None:
    """A document is made of its own rows alone."""
    for row in await world.fetch("SELECT * FROM credit_note"):
        which = ENV, row["credit_note_id"]
        assert [r["number"] for r in await world.fetch(invoices.sql.credit_note, *which)] == [
            row["number"]
        ]
        its = await world.fetch(invoices.sql.credit_note_lines, *which)
        assert sum(r["amount"] for r in its) == row["total"]
    its = await world.fetch(invoices.sql.invoice_lines, ENV, [two, three])
    assert sorted((r["invoice_id"], r["was_credited"]) for r in its) == sorted(
        [(two, False)] * 4 + [(three, True)] * 4
    )
    heads = await world.fetch("SELECT sha256 FROM letterhead WHERE environment = $1", ENV)
    shown = await world.fetch(
        invoices.sql.surroundings, ENV, [r["sha256"] for r in heads], ["A1", "A2"]
    )
    assert (len(heads), len(shown)) == (2, 2)


_MISSING, _DATED = "the number before it is missing", "it is dated before the number before it"
_LINE = "{sale}: billed or credited is not what documents say"
_SUM = ": its credited or paid sum is not what credit notes and payments say"
_STRAY = ": the register has no document for it"
WRONG = (
    (sql.gaps, "DELETE FROM number WHERE {env} AND kind = 'invoice' AND seq = 4",
     f"{nth(5)}: {_MISSING}"),
    (sql.gaps, "UPDATE number SET issued_on = make_date(year, 12 / seq, 32 - seq) WHERE {env} "
     "AND kind = 'invoice' AND seq IN (1, 2) ", f"{nth(2)}: {_DATED}"),
    (sql.gaps, "UPDATE number SET issued_at = 'epoch' WHERE {env} AND kind = 'invoice' AND seq = 2",
     f"{nth(2)}: {_DATED}"),
    (sql.strays, "UPDATE invoice SET invoice_id = gen_random_uuid() WHERE {env} "
     "AND invoice_id = '{one}'", f"{nth(1)}{_STRAY}"),
    (sql.strays, "UPDATE credit_note SET credit_note_id = gen_random_uuid() WHERE {env} "
     "AND total = 50", f"C{nth(1)[:4]}-002{_STRAY}"),
    (sql.lines, "UPDATE sale_line SET billed = billed - 1 WHERE {env} AND sale_id = '{sale}' "
     "AND line = 0", _LINE),
    (sql.lines, "UPDATE sale_line SET credited = credited + 1 WHERE {env} AND sale_id = '{sale}' "
     "AND line = 0", _LINE),
    (sql.lines, "UPDATE invoice_line SET credited = 0 WHERE {env} AND sale_id = '{sale}'", _LINE),
    (sql.alone, "DELETE FROM sale WHERE {env} AND sale_id = '{sale}'",
     "{sale}: a line of it is there without the sale"),
    (sql.alone, "UPDATE sale SET account = 'A0' WHERE {env} AND sale_id = '{sale}'",
     "{sale}: its account A0 is not there"),
    (sql.sums, "UPDATE invoice SET credited = 1 WHERE {env} AND invoice_id = '{two}'",
     f"{nth(2)}{_SUM}"),
    (sql.sums, "UPDATE invoice SET paid = 1 WHERE {env} AND invoice_id = '{two}'",
     f"{nth(2)}{_SUM}"),
)  # fmt: skip
