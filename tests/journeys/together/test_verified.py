"""The three checks of the books, on a stack on which many journeys were walked: they find nothing.
What somebody changes in the authorizer's store, they find.

Method of the second: a change is made as a superuser who minds no guard, looked for, and undone.
"""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, redirect_stdout
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from cli.__main__ import main
from runtime.reading import Log
from runtime.settings import KafkaSettings
from services.authorizer.told import TOPICS
from services.authorizer.verify import audit
from tests.cli.running import Run, runner
from tests.support.stacks import Stack

VENUE, ACCOUNT = "2894", "28940001"
SALE, OTHER = (f"01890a5d-ac96-774b-bcce-b302099a8{n}" for n in ("094", "999"))


@pytest.fixture(scope="module", autouse=True)
def venue(stack: Stack) -> None:
    """A venue that sells and takes back."""
    for words in (
        ("env", "configure", VENUE, "--name", "Held"),
        ("env", "accept-gdpr", VENUE, "--accepted-by", "Jo", "--document", "v3"),
        ("env", "activate", VENUE),
        ("account", "open", VENUE, ACCOUNT, "--limit", "20,00", "--on-account"),
        ("account", "change", VENUE, ACCOUNT, "--description", "Stoel 1"),
        ("till", "sell", VENUE, ACCOUNT, "2 x Pils 3,50 21%", "--sale-id", SALE),
        ("till", "cancel", VENUE, ACCOUNT, SALE, "--amount", "3,50"),
    ):
        with redirect_stdout(io.StringIO()) as said, pytest.raises(SystemExit) as ended:
            main([*words, "--json", "--dir", str(stack.folder)])
        assert ended.value.code == 0, (words, said.getvalue())


@pytest.fixture
def onaccount(stack: Stack, capsys: pytest.CaptureFixture[str]) -> Run:
    run = runner(capsys)
    return lambda *words: run(*words, "--json", "--dir", str(stack.folder))


@pytest.mark.parametrize("of", ["limits", "ledger", "invoices"])
def test_all_that_was_done_here_is_kept_and_told(onaccount: Run, of: str) -> None:
    found = onaccount(of, "verify")
    assert (found.status, found.json["ok"]) == (0, True), found


def test_a_check_that_looks_at_the_store_alone_asks_no_topic(onaccount: Run) -> None:
    found = onaccount("limits", "verify", VENUE, "--store-only")
    assert (found.status, found.json["held"], found.json["sales"]) == (0, None, 1)


def test_of_an_environment_that_is_not_there_nothing_is_said_to_be_right(onaccount: Run) -> None:
    found = onaccount("limits", "verify", "4712", "--store-only")
    assert (found.status, found.out) == (2, "")
    assert json.loads(found.err) == {"error": "There is no environment 4712."}


OF_SALE = f"WHERE sale_id = '{SALE}'"
OF_OTHER = f"WHERE sale_id = '{OTHER}'"
OF_ACCOUNT = f"WHERE environment = {VENUE} AND account = '{ACCOUNT}'"
CHANGES = {
    "a sum": (
        f"UPDATE account SET approved = approved - 100 {OF_ACCOUNT}",
        f"UPDATE account SET approved = approved + 100 {OF_ACCOUNT}",
        {"approved is kept as 600, what is remembered gives 700"},
    ),
    "what is taken back of a sale": (
        f"UPDATE sale SET reversed = reversed + 50 {OF_SALE}",
        f"UPDATE sale SET reversed = reversed - 50 {OF_SALE}",
        {
            "what is taken back of it is not what its reversals say",
            "reversed is kept as 350, what is remembered gives 400",
        },
    ),
    "an answer in other words": (
        f"UPDATE sale SET answer = answer || ' ' {OF_SALE}",
        f"UPDATE sale SET answer = substr(answer, 1, length(answer) - 1) {OF_SALE}",
        {"the sale was told in other words than are remembered"},
    ),
    "a sale under another id": (
        f"UPDATE sale SET sale_id = '{OTHER}' {OF_SALE}; "
        f"UPDATE cancellation SET sale_id = '{OTHER}' {OF_SALE}",
        f"UPDATE sale SET sale_id = '{SALE}' {OF_OTHER}; "
        f"UPDATE cancellation SET sale_id = '{SALE}' {OF_OTHER}",
        {"the sale was told and is not remembered", "the sale was never told on pos.decisions"},
    ),
    "a limit that was never told": (
        f"UPDATE account SET version = version + 1, credit_limit = 9999999 {OF_ACCOUNT}",
        f"UPDATE account SET version = version - 1, credit_limit = 2000 {OF_ACCOUNT}",
        {"version 3 of the account was never told on registry.state"},
    ),
    "an account that went back": (
        f"UPDATE account SET version = version - 1 {OF_ACCOUNT}",
        f"UPDATE account SET version = version + 1 {OF_ACCOUNT}",
        {"version 2 of the account was told, 1 is kept"},
    ),
    "an account of nobody": (
        f"UPDATE account SET holder = '{OTHER}' {OF_ACCOUNT}",
        f"UPDATE account SET holder = NULL {OF_ACCOUNT}",
        {f"its holder {OTHER} is not there"},
    ),
}


@asynccontextmanager
async def changed(stack: Stack, change: str, undo: str) -> AsyncIterator[asyncpg.Connection]:
    """The authorizer's store with a change that its triggers and foreign keys did not see."""
    connection = await asyncpg.connect(stack.info["postgres_admin"])
    try:
        await connection.execute(
            "SET search_path TO authorizer; SET session_replication_role TO replica"
        )
        await connection.execute(change)
        try:
            yield connection
        finally:
            await connection.execute(undo)
    finally:
        await connection.close()


async def look(stack: Stack, connection: asyncpg.Connection) -> dict[str, Any]:
    """The check of this venue, against the topics, for which nothing is on its way any more."""
    async with Log(KafkaSettings(kafka=stack.info["kafka"]), TOPICS) as log:
        return await audit(connection, int(VENUE), log=log, settled=timedelta(0))


@pytest.mark.parametrize("case", CHANGES)
async def test_what_somebody_changed_is_found_and_named(stack: Stack, case: str) -> None:
    change, undo, problems = CHANGES[case]
    async with changed(stack, change, undo) as connection:
        found = await look(stack, connection)
        assert {one["problem"] for one in found["problems"]} == problems
        assert not found["ok"]
    async with changed(stack, "SELECT", "SELECT") as connection:
        assert (await look(stack, connection))["problems"] == []
