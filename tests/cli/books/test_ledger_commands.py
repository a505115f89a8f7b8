"""`onaccount ledger show` and `export` against a real broker, in no database's sight."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from lxml import etree

from cli.books.xaf import NAMESPACE
from runtime import topics
from tests.cli.books.support import ENTRIES, LONG, THE_VENUE, uid
from tests.cli.running import Run, runner
from tests.support.apart import run_apart

QUIET = "0009"
"""Of this account nothing was ever posted."""


def states() -> list[tuple[str, dict[str, Any]]]:
    """What registry.state holds, an older record of the venue among it."""
    head = {"environment": 2890, "version": 2}
    venue = {**THE_VENUE.settings, "version": 2}
    quiet = {"type": "account.state", **head, "account": QUIET, "description": ""}
    found = [("environment:2890:2890", venue), (f"account:2890:{QUIET}", quiet)]
    for account, state in THE_VENUE.accounts.items():
        found.append((f"account:2890:{account}", {"type": "account.state", **head, **state}))
    for customer, state in THE_VENUE.customers.items():
        found.append((f"customer:2890:{customer}", {"type": "customer.state", **head, **state}))
    older = {**venue, "version": 1, "legal_name": "an older name"}
    return [*found, ("environment:2890:2890", older)]


async def fill(kafka: str) -> None:
    await topics.apply({"bootstrap_servers": kafka})
    balance = {
        "type": "balance.state",
        "environment": 2890,
        "account": "0007",
        "version": 10,
        "currency": "EUR",
        "unbilled": 999,
        "billed": -300,
        "at": "2026-08-01T00:00:00Z",
    }
    bill = {
        "type": "invoice.issued",
        "environment": 2890,
        "account": "0007",
        "invoice_id": uid("bill of july"),
        "number": "2026-00012",
    }
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:

        async def put(topic: str, key: str, message: dict[str, Any]) -> None:
            await producer.send(topic, json.dumps(message).encode(), key=key.encode())

        for key, state in states():
            await put("registry.state", key, state)
        for number, entry in enumerate((*reversed(ENTRIES), *ENTRIES)):
            await put("ledger.entries", f"any:{number}", entry)  # no order, no partitioner
        await put("ledger.entries", "x", {**ENTRIES[0], "environment": 2891})
        await put("ledger.balances", "2890:0007", balance)
        await put("invoices.events", "2890:0007", bill)
        await producer.flush()


@pytest.fixture(scope="module")
def filled(kafka: str) -> str:
    run_apart(fill(kafka))
    return kafka


@pytest.fixture
def onaccount(
    filled: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    monkeypatch.setenv("ONACCOUNT_KAFKA", filled)
    for service in ("AUTHORIZER", "LEDGER", "IMPORTER", "INVOICER"):
        monkeypatch.delenv(f"ONACCOUNT_POSTGRES_{service}", raising=False)
    return runner(capsys)


def test_an_accounts_statement_shows_what_is_owed_after_each_entry(onaccount: Run) -> None:
    told = onaccount("ledger", "show", "2890", "0007", "--period", "2026-07")
    assert told.status == 0, told.err
    assert "Account 0007, Café & Zoon <Houten>" in told.out
    lines = [line.split() for line in told.out.splitlines() if line.strip().startswith("2026-")]
    assert lines[0][:3] == ["2026-07-01", "00:00", "sold"]
    assert lines[2][2:] == ["invoiced", "-€7.00", "€7.00", "€7.00", "2026-00012"]
    assert lines[3][2:5] == ["paid", "-€10.00", "-€3.00"]
    assert "4 entries; owed: €0.00 not yet invoiced, -€3.00 invoiced" in told.out


def test_a_statement_as_json_has_each_entry_once_and_the_balance(onaccount: Run) -> None:
    found = onaccount("ledger", "show", "2890", "0007", "--json").json
    assert len(found["entries"]) == 10
    assert found["closing"] == {"unbilled": 999, "billed": -300}
    assert found["balance"]["version"] == 10


def test_with_its_legs_a_statement_shows_both_sides(onaccount: Run) -> None:
    told = onaccount("ledger", "show", "2890", LONG, "--legs")
    assert "revenue:unbilled:21" in told.out
    assert told.out.count("€3.50") >= 3


def test_an_account_without_entries_is_said_to_have_none(onaccount: Run) -> None:
    told = onaccount("ledger", "show", "2890", QUIET)
    assert told.status == 0
    assert "0 entries; owed: €0.00 not yet invoiced, €0.00 invoiced" in told.out
    assert onaccount("ledger", "show", "2890", QUIET, "--json").json["entries"] == []


def test_an_unknown_environment_is_one_sentence(onaccount: Run) -> None:
    told = onaccount("ledger", "export", "4711", "2026")
    assert told.status == 2
    assert "There is no environment 4711" in told.err


@pytest.mark.parametrize("format", ["xlsx", "csv", "xaf"])
def test_a_period_is_exported_to_a_file_with_its_sums(
    onaccount: Run, tmp_path: Path, format: str
) -> None:
    file = tmp_path / f"july.{format}"
    told = onaccount("ledger", "export", "2890", "2026-07", "--out", str(file))
    assert told.status == 0, told.err
    assert "5 entries, 13 lines" in told.out
    assert file.stat().st_size > 1_000
    assert [one.name for one in tmp_path.iterdir()] == [file.name]


def test_an_export_goes_into_a_folder_under_its_own_name(onaccount: Run, tmp_path: Path) -> None:
    told = onaccount("ledger", "export", "2890", "2026-07", "--out", str(tmp_path))
    assert told.status == 0, told.err
    assert [one.name for one in tmp_path.iterdir()] == ["ledger-2890-2026-07.xlsx"]


def test_an_export_says_as_json_what_is_in_it(onaccount: Run, tmp_path: Path) -> None:
    file = tmp_path / "july.xaf"
    told = onaccount("ledger", "export", "2890", "2026-07", "--out", str(file), "--json")
    assert told.out.count("\n") == 1
    assert (told.json["entries"], told.json["debit"], told.json["credit"]) == (5, 3450, 3450)
    name = etree.parse(file).findtext(".//x:companyName", namespaces={"x": NAMESPACE})
    assert name == "Sportclub De Twaalf B.V."


def test_a_folder_that_is_not_there_is_one_sentence(onaccount: Run, tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "july.csv"
    told = onaccount("ledger", "export", "2890", "2026-07", "--out", str(file))
    assert told.status == 2
    assert "Traceback" not in told.err
    assert str(file.parent) in told.err
