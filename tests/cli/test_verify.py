"""Why a check of the books gives no report: Kafka, PostgreSQL or a setting, each by its name."""

from pathlib import Path

import pytest

from tests.cli.running import Run, runner
from tests.cli.test_client import unused_address
from tests.support.databases import Database

__all__ = ["unused_address"]

POSTGRES = "see whether PostgreSQL answers"
SERVICES = {"limits": "authorizer", "ledger": "ledger", "invoices": "invoicer"}
# Of the three two are one piece of code (runtime/verifying.py). All three report:
# tests/journeys/together/test_verified.py.
TWO = ("limits", "ledger")
STORE_ONLY = {"limits": "--store-only", "ledger": "--books-only", "invoices": "--store-only"}


@pytest.fixture
def onaccount(
    postgres: Database,
    unused_address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """With PostgreSQL at hand, and no Kafka."""
    monkeypatch.setenv("ONACCOUNT_KAFKA", unused_address)
    for service in SERVICES.values():
        monkeypatch.setenv(f"ONACCOUNT_POSTGRES_{service.upper()}", postgres.dsn(service))
    run = runner(capsys)
    return lambda *words: run(*words, "--dir", str(tmp_path))


@pytest.mark.parametrize("of", TWO)
def test_a_kafka_that_is_away_is_not_laid_on_postgresql(
    onaccount: Run, unused_address: str, of: str
) -> None:
    found = onaccount(of, "verify")
    assert found.status == 3
    assert f"Kafka does not answer at {unused_address}; {STORE_ONLY[of]} looks at" in found.err
    assert POSTGRES not in found.err


def test_an_environment_that_nobody_knows_is_told_as_by_any_other_command(onaccount: Run) -> None:
    found = onaccount("invoices", "verify", "4712", "--store-only")
    assert (found.status, found.out) == (2, "")
    assert found.err == "onaccount: There is no environment 4712.\n"


@pytest.mark.parametrize("of", TWO)
def test_a_setting_that_wont_do_is_named_without_its_value(
    onaccount: Run, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    monkeypatch.setenv("ONACCOUNT_KAFKA_CA_FILE", "/no/ca.crt")
    monkeypatch.setenv("ONACCOUNT_KAFKA_SECURITY", "SSL")
    found = onaccount(of, "verify", STORE_ONLY[of])
    assert found.status == 3
    assert "ONACCOUNT_KAFKA_CA_FILE can't be used" in found.err
    assert "POSTGRES" not in found.err
    assert POSTGRES not in found.err


@pytest.mark.parametrize("of", TWO)
def test_a_postgresql_that_is_away_is_named_with_its_setting(
    onaccount: Run, unused_address: str, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    name = f"ONACCOUNT_POSTGRES_{SERVICES[of].upper()}"
    monkeypatch.setenv(name, f"postgresql://login@{unused_address}/onaccount")
    found = onaccount(of, "verify", STORE_ONLY[of])
    assert found.status == 3
    assert f"{POSTGRES} at {name}" in found.err
