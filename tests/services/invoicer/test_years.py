"""What is asked of a venue after years reads what it is about, and not all that ever was.

Method: a few thousand sales and mails with statistics, as autovacuum would make them, of which few
are asked for; and how many rows PostgreSQL took into its hands for it, from the plan as it ran.
"""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from runtime.sql import Statements, statements
from tests.support.databases import Database

ENV, ACCOUNTS, SALES, LAST_MONTH = 2890, 40, 8_000, 80
FINANCE = "finance@bar.nl"
BEGINS, ENDS = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)
YEARS = f"""
INSERT INTO account (environment, account)
SELECT {ENV}, n::text FROM generate_series(1, {ACCOUNTS}) AS n;
INSERT INTO sale (environment, sale_id, account, terminal, booked_at, currency, total)
SELECT {ENV}, gen_random_uuid(), (1 + n % {ACCOUNTS})::text, 'bar',
       CASE WHEN n <= {LAST_MONTH} THEN timestamptz '2026-07-10'
            ELSE timestamptz '2026-06-01' - n * interval '3 hours' END, 'EUR', 500
FROM generate_series(1, {SALES}) AS n;
INSERT INTO sale_line (environment, sale_id, line, account, booked_at, description, quantity,
                       unit_price, vat_rate, approved)
SELECT environment, sale_id, 0, account, booked_at, 'Bier', '1', 500, '21', 500 FROM sale;
INSERT INTO letterhead (environment, sha256, content) VALUES ({ENV}, sha256(''), '{{}}');
INSERT INTO invoice (environment, invoice_id, account, period, run_id, status, drafted_on, currency,
                     total, vat, letterhead, buyer, language)
SELECT {ENV}, gen_random_uuid(), (1 + n % {ACCOUNTS})::text, '2026-06', 'run ' || n % 200, 'draft',
       '2026-07-01', 'EUR', 500, '[]', sha256(''), '{{}}', 'nl'
FROM generate_series(1, {SALES}) AS n;
INSERT INTO mail (environment, mail_id, kind, ref, recipient, state, message_id,
                  created_at, ended_at)
SELECT {ENV}, gen_random_uuid(), 'invoice', invoice_id::text, 'guest@bar.nl', 'sent', '<x>',
       now(), now()
FROM invoice;
INSERT INTO mail (environment, mail_id, kind, ref, recipient)
SELECT {ENV}, gen_random_uuid(), 'invoice', invoice_id::text, 'guest@bar.nl' FROM invoice LIMIT 5;
ANALYZE account, sale, sale_line, reversal, invoice, mail;
"""


@pytest.fixture
def postgres(fresh_postgres: Database) -> Database:
    """It is filled by the thousands, and PostgreSQL looks at what is there."""
    return fresh_postgres


@pytest.fixture
async def years(postgres: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the service's own, planning as its connections do."""
    admin = await asyncpg.connect(postgres.admin)
    await admin.execute("SET search_path = invoicer")
    await admin.execute(YEARS)
    await admin.close()
    connection = await asyncpg.connect(
        postgres.dsns["invoicer"], server_settings={"plan_cache_mode": "force_custom_plan"}
    )
    try:
        yield connection
    finally:
        await connection.close()


DOCUMENTS = 3_000
QUEUE = f"""
INSERT INTO job (kind, ref, payload)
SELECT 'document', '{ENV}/' || n, '{{}}' FROM generate_series(1, {DOCUMENTS}) AS n;
INSERT INTO job (kind, ref, payload, state, ended_at)
SELECT 'document', '{ENV + 1}/' || n, '{{}}', 'done', now()
FROM generate_series(1, {3 * DOCUMENTS}) AS n;
ANALYZE job;
"""


def sql(name: str) -> Statements:
    return statements("services.invoicer", f"sql/{name}.sql")


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


async def read(connection: asyncpg.Connection, statement: str, *given: Any) -> int:
    """How many rows of tables it took, with those that it found not to fit."""
    asked = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}"
    (plan,) = json.loads(await connection.fetchval(asked, *given))
    return sum(
        round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in _nodes(plan["Plan"])
        if "Relation Name" in node
    )


async def test_a_statement_of_all_accounts_reads_its_own_period(years: asyncpg.Connection) -> None:
    asked = (ENV, None, BEGINS, ENDS, 10_000, None, [])
    assert len(await years.fetch(sql("statements").rows, *asked)) == LAST_MONTH
    assert await read(years, sql("statements").rows, *asked) <= ACCOUNTS + 2 * LAST_MONTH


async def test_mails_that_wait_are_found_among_those_that_were_sent(
    years: asyncpg.Connection,
) -> None:
    assert len(await years.fetch(sql("pending").mails_waiting, ENV, 100)) == 5
    assert await read(years, sql("pending").mails_waiting, ENV, 100) <= 4 * 5


async def test_what_arrived_at_finance_is_not_looked_for_where_nothing_failed(
    years: asyncpg.Connection,
) -> None:
    assert await years.fetch(sql("pending").finance_mails_failed, ENV, FINANCE) == []
    assert await read(years, sql("pending").finance_mails_failed, ENV, FINANCE) == 0


async def test_a_run_counts_its_own_mails(years: asyncpg.Connection) -> None:
    made = SALES // 200
    assert await years.fetchval(sql("runs").handed_over, ENV, "run 7") == made
    assert await read(years, sql("runs").handed_over, ENV, "run 7") <= 2 * made


async def test_a_ubl_is_kept_compressed_and_comes_back_as_it_was(
    years: asyncpg.Connection,
) -> None:
    ubl = b"<cac:InvoiceLine><cbc:ID>1</cbc:ID></cac:InvoiceLine>" * 500
    of = (ENV, False, ["00000000-0000-0000-0000-000000000001"])
    await years.fetch(sql("documents").keep, *of, ["ubl"], ["a.xml"], ["application/xml"],
                      [b"0" * 32], [ubl])  # fmt: skip
    (row,) = await years.fetch("SELECT content, pg_column_size(content) AS kept FROM document")
    assert row["content"] == ubl
    assert row["kept"] < len(ubl) / 5


@pytest.fixture
async def queue(years: asyncpg.Connection, postgres: Database) -> asyncpg.Connection:
    """The same, while a month's documents wait beside thousands that were made."""
    admin = await asyncpg.connect(postgres.admin)
    await admin.execute(f"SET search_path = invoicer; {QUEUE}")
    await admin.close()
    return years


async def test_whether_others_wait_is_found_beside_ones_own_documents_and_those_that_are_done(
    queue: asyncpg.Connection,
) -> None:
    """It is asked each half a second, while a month's documents are made."""
    others_due = statements("runtime", "sql/edge.sql").others_due
    for others, waits in ((), False), ((ENV - 1, ENV + 2), True):
        for other in others:
            await queue.execute(
                "INSERT INTO job (kind, ref, payload) VALUES ('document', $1, '{}')", f"{other}/1"
            )
        assert await queue.fetchval(others_due, "document", str(ENV)) is waits
        assert await read(queue, others_due, "document", str(ENV)) <= len(others)


async def test_whether_a_document_waits_for_its_own_job_is_found_by_that_jobs_name(
    queue: asyncpg.Connection,
) -> None:
    for ref, waits in (f"{ENV}/7", True), (f"{ENV + 1}/7", False), (f"{ENV}/0", False):
        assert await queue.fetchval(sql("documents").job_is_open, ref) is waits
        assert await read(queue, sql("documents").job_is_open, ref) <= 1
