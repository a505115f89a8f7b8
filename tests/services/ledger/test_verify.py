"""The books are damaged by hand, and verify says where."""

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from cli.stack.postgres import Postgres
from services.ledger.audit import Flaw, Posted, examine
from services.ledger.report import Report, in_words
from services.ledger.verify import main, verify
from tests.services.ledger.support import (
    GUEST,
    NOON,
    VENUE,
    approved,
    as_admin,
    credited,
    issued,
    ledger,
    paid,
    post,
    reversed_,
    uid,
)
from tests.support.databases import Database

OTHER = "28900002"


async def write_books(postgres: Database) -> None:
    async with ledger(postgres) as bench:
        await post(
            bench,
            approved("s1", {"21": 250, "9": 1210}),
            approved("s2", {"21": 100}),
            approved("s3", {"9": 500}, account=OTHER),
            reversed_("c2", "s2", {"21": 100}),
            issued("i1", {"21": 250, "9": 1210}),
            credited("n1", "i1", {"21": 250}, frees=True),
            paid("p1", "i1", 1000),
        )


async def look(postgres: Database) -> Report:
    """With the ledger's own login role, and no patience for what has yet to come."""
    connection = await asyncpg.connect(postgres.dsn("ledger"))
    try:
        return await verify(connection, settled=timedelta(0))
    finally:
        await connection.close()


async def test_books_that_balance_are_reported_with_their_totals(postgres: Database) -> None:
    await write_books(postgres)
    report = await look(postgres)
    assert report.ok
    assert report.findings == []
    assert report.accounts == 2
    assert report.entries == {
        "charge": 3,
        "credit_note": 1,
        "invoice": 1,
        "payment": 1,
        "reversal": 1,
    }
    booked = {row.ledger_account: row.debit - row.credit for row in report.booked}
    assert sum(booked.values()) == 0
    assert booked["bank"] == 1000
    assert booked["receivable:unbilled"] == 500 + 250
    assert booked["receivable:billed"] == 1460 - 250 - 1000
    assert list(in_words(report))[-1] == "The books balance."


async def test_books_without_an_entry_balance(postgres: Database) -> None:
    report = await look(postgres)
    assert report.ok
    assert next(iter(in_words(report))) == "0 entries (none)"


OF_S1 = f"source_id = '{uid('s1')}'"
CHECK = (
    "CREATE OR REPLACE FUNCTION is_journal(ledger_accounts text[], amounts bigint[]) "
    "RETURNS boolean LANGUAGE sql IMMUTABLE AS"
)
UNGUARD = "ALTER TABLE entry DROP CONSTRAINT entry_is_journal"
DAMAGE: dict[str, tuple[list[str], set[Flaw]]] = {
    "a balance was raised": (
        [f"UPDATE balance SET unbilled = unbilled + 1 WHERE account = '{GUEST}'"],
        {Flaw.BALANCE_DIFFERS},
    ),
    "a billed amount was forgiven": (
        [f"UPDATE balance SET billed = 0 WHERE account = '{GUEST}'"],
        {Flaw.BALANCE_DIFFERS},
    ),
    "a balance is gone": (
        [f"DELETE FROM balance WHERE account = '{OTHER}'"],
        {Flaw.BALANCE_MISSING},
    ),
    "a balance changed its currency": (
        [f"UPDATE balance SET currency = 'USD' WHERE account = '{GUEST}'"],
        {Flaw.CURRENCY_DIFFERS},
    ),
    "one of several entries changed its currency": (
        [f"UPDATE entry SET currency = 'USD' WHERE {OF_S1}"],
        {Flaw.CURRENCY_DIFFERS, Flaw.ANSWER_DIFFERS},
    ),
    "an entry is gone": (
        [f"DELETE FROM entry WHERE source_id = '{uid('s3')}'"],
        {Flaw.BALANCE_DIFFERS, Flaw.ENTRIES_DIFFER},
    ),
    "a sale and its reversal are gone, which leaves the sums as they were": (
        [f"DELETE FROM entry WHERE source_id IN ('{uid('s2')}', '{uid('c2')}')"],
        {Flaw.ENTRIES_DIFFER},
    ),
    "a charge is gone and its balance was mended": (
        [
            f"UPDATE balance SET unbilled = unbilled - 100, version = version - 1, fingerprint = "
            f"fingerprint # (SELECT ('x' || encode(substring(sha256(answer) FROM 1 FOR 8), 'hex'))"
            f"::bit(64)::bigint FROM entry WHERE source_id = '{uid('s2')}') "
            f"WHERE account = '{GUEST}'",
            f"DELETE FROM entry WHERE source_id = '{uid('s2')}'",
        ],
        {Flaw.ORIGIN_MISSING},
    ),
    "an entry slipped in": (
        [
            "INSERT INTO entry SELECT environment, kind, gen_random_uuid(), entry_id, account, "
            "refers_to, currency, at, posted_at, ledger_accounts, amounts, answer "
            f"FROM entry WHERE {OF_S1}"
        ],
        {Flaw.BALANCE_DIFFERS, Flaw.ENTRIES_DIFFER, Flaw.WRONG_ID, Flaw.ANSWER_DIFFERS},
    ),
    "an entry stands twice": (
        [
            "ALTER TABLE entry DROP CONSTRAINT entry_once",
            f"INSERT INTO entry SELECT * FROM entry WHERE {OF_S1}",
        ],
        {Flaw.UNGUARDED, Flaw.REPEATED, Flaw.BALANCE_DIFFERS, Flaw.ENTRIES_DIFFER},
    ),
    "a leg was lowered": (
        [UNGUARD, f"UPDATE entry SET amounts[1] = 1 WHERE {OF_S1}"],
        {Flaw.UNGUARDED, Flaw.NOT_A_JOURNAL, Flaw.ANSWER_DIFFERS, Flaw.BALANCE_DIFFERS},
    ),
    "a leg is gone": (
        [UNGUARD, f"UPDATE entry SET amounts = amounts[1:1] WHERE {OF_S1}"],
        {Flaw.UNGUARDED, Flaw.NOT_A_JOURNAL, Flaw.ANSWER_DIFFERS},
    ),
    "a leg was split, and one of nothing was added, which leaves the sums as they were": (
        [
            UNGUARD,
            "UPDATE entry SET ledger_accounts = ledger_accounts[1] || (ledger_accounts[1] || "
            "ledger_accounts), amounts = 0 || (1 || (amounts[1] - 1 || amounts[2:])) "
            f"WHERE {OF_S1}",
        ],
        {Flaw.UNGUARDED, Flaw.NOT_A_JOURNAL, Flaw.ANSWER_DIFFERS},
    ),
    "VAT went to a rate that was not invoiced, which leaves the sums as they were": (
        [
            "UPDATE entry SET ledger_accounts = array_replace(ledger_accounts, 'vat:21', 'vat:19') "
            "WHERE kind = 'invoice'"
        ],
        {Flaw.ANSWER_DIFFERS},
    ),
    "a leg went to a ledger account that its kind does not move": (
        [
            "UPDATE entry SET ledger_accounts = array_replace(ledger_accounts, "
            "'receivable:unbilled', 'bank') WHERE kind = 'charge'"
        ],
        {Flaw.FOREIGN_LEG, Flaw.ANSWER_DIFFERS, Flaw.BALANCE_DIFFERS},
    ),
    "an entry went to another account": (
        [f"UPDATE entry SET account = '{OTHER}' WHERE {OF_S1}"],
        {Flaw.BALANCE_DIFFERS, Flaw.ENTRIES_DIFFER, Flaw.ANSWER_DIFFERS},
    ),
    "an entry was dated back": (
        [f"UPDATE entry SET at = at - interval '1 month' WHERE {OF_S1}"],
        {Flaw.ANSWER_DIFFERS},
    ),
    "what was published was changed with its entry": (
        [
            "UPDATE entry SET ledger_accounts = array_replace(ledger_accounts, 'vat:21', 'vat:19'),"
            "answer = replace(convert_from(answer, 'UTF8'), 'vat:21', 'vat:19')::bytea "
            "WHERE kind = 'invoice'"
        ],
        {Flaw.ENTRIES_DIFFER},
    ),
    "what was published can't be read": (
        [f"UPDATE entry SET answer = '{{' WHERE {OF_S1}"],
        {Flaw.ANSWER_UNREADABLE, Flaw.ENTRIES_DIFFER},
    ),
    "an entry has another id": (
        [f"UPDATE entry SET entry_id = gen_random_uuid() WHERE {OF_S1}"],
        {Flaw.WRONG_ID, Flaw.ANSWER_DIFFERS},
    ),
    "the ledger may change entries": (
        ["GRANT UPDATE (answer) ON entry TO ledger", "GRANT DELETE ON entry TO PUBLIC"],
        {Flaw.UNGUARDED},
    ),
    "the check was made to take what does not balance": (
        [f"{CHECK} 'SELECT ledger_accounts[1] <> ledger_accounts[2]'"],
        {Flaw.UNGUARDED},
    ),
    "the check was made to take one leg": (
        [
            f"{CHECK} 'SELECT cardinality(amounts) = 1 OR sum(a) = 0 "
            "AND ledger_accounts[1] <> ledger_accounts[2] FROM unnest(amounts) AS a'"
        ],
        {Flaw.UNGUARDED},
    ),
    "a constraint is no longer kept": (
        [
            "ALTER TABLE entry DROP CONSTRAINT entry_refers",
            "ALTER TABLE entry ADD CONSTRAINT entry_refers CHECK (true) NOT VALID",
        ],
        {Flaw.UNGUARDED},
    ),
}


@pytest.mark.parametrize(("done", "flaws"), DAMAGE.values(), ids=list(DAMAGE))
async def test_damage_is_found_and_named(
    fresh_postgres: Database, done: list[str], flaws: set[Flaw]
) -> None:
    await write_books(fresh_postgres)
    await as_admin(fresh_postgres, *done)
    report = await look(fresh_postgres)
    assert {finding.flaw for finding in report.findings} == flaws
    assert report.found == len(report.findings)
    assert list(in_words(report))[-1] == f"{report.found:,} differences."


async def test_a_finding_says_which_account_what_is_kept_and_what_is_right(
    postgres: Database,
) -> None:
    await write_books(postgres)
    await as_admin(postgres, f"UPDATE balance SET billed = 7 WHERE account = '{GUEST}'")
    [finding] = (await look(postgres)).findings
    assert (finding.environment, finding.account) == (VENUE, GUEST)
    assert finding.says == "billed is kept as 7, its entries say 210"


def test_of_an_answer_that_can_not_be_read_the_field_is_named() -> None:
    entry = Posted(
        environment=VENUE, kind="charge", source_id=uid("s1"), entry_id="", account=GUEST,
        currency="EUR", at=NOON, ledger_accounts=(), amounts=(), answer=b"{",
    )  # fmt: skip
    of_a_field = b'{"type": "entry.posted", "entry_id": 1}'
    for answer, field in ((b"{", "all of it"), (of_a_field, "entry_id")):
        says = [one.says for one in examine(replace(entry, answer=answer))]
        assert f"what was published can't be read ({field})" in says


async def test_what_waits_for_its_origin_is_not_wrong_yet(postgres: Database) -> None:
    async with ledger(postgres) as bench:
        await post(bench, reversed_("c1", "s1", {"21": 250}))
        async with bench.database.connection() as connection:
            report = await verify(connection)
    assert report.ok
    assert report.waiting == 1
    assert not (await look(postgres)).ok


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in this process: its exit code, and what it prints. (Who calls it as a person
    does: tests/cli/test_verify.py.)"""

    def command(*arguments: str, dsn: str | None) -> tuple[int, str, str]:
        for name in [name for name in os.environ if name.startswith("ONACCOUNT_POSTGRES")]:
            monkeypatch.delenv(name)
        if dsn is not None:
            monkeypatch.setenv("ONACCOUNT_POSTGRES_LEDGER", dsn)
        code = main(["--books-only", *arguments])
        return code, *capsys.readouterr()

    return command


def test_the_command_says_it_by_exit_code_and_as_json(postgres: Database, run: Run) -> None:
    asyncio.run(write_books(postgres))
    dsn = postgres.dsn("ledger")
    code, out, _ = run("--json", dsn=dsn)
    assert code == 0
    assert json.loads(out)["ok"] is True
    asyncio.run(as_admin(postgres, "UPDATE balance SET unbilled = unbilled + 1"))
    (code, out, _), (plain_code, plain, _) = run("--json", dsn=dsn), run(dsn=dsn)
    report = json.loads(out)
    assert (code, plain_code) == (1, 1)
    assert (report["ok"], report["found"]) == (False, 2)
    assert report["findings"][0]["flaw"] == "balance_differs"
    assert f"balance_differs {VENUE}:{GUEST}: unbilled is kept as" in plain


def test_the_command_says_in_one_sentence_why_it_can_not_look(
    postgres_server: Postgres, run: Run
) -> None:
    wrong = postgres_server.dsn(user="ledger", password="wrong")
    no_dsn, _, says_no_dsn = run(dsn=None)
    no_login, _, says_no_login = run(dsn=wrong)
    assert (no_dsn, no_login) == (2, 2)
    assert "ONACCOUNT_POSTGRES_LEDGER" in says_no_dsn
    assert "can't be read" in says_no_login
    assert len(says_no_login.splitlines()) == 1
