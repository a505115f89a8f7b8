"""A setting that can't be used ends a worker at once, in one sentence that shows no value."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from cli.trouble import Trouble
from cli.where import kafka
from runtime.settings import WorkerSettings
from runtime.settings_table import unknown
from services.importer.settings import Settings as Importer
from tests.runtime.test_subscribers import DSN

FORM = "it must read postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
SERVERS = "it must read HOST:PORT, or several of these with commas between"
LOGIN = "it is not set, and ONACCOUNT_KAFKA_SECURITY asks for a login"
WRONG = [
    ({"POSTGRES_LEDGER": ""}, FORM),
    ({"POSTGRES_LEDGER": "host=db dbname=onaccount"}, FORM),
    ({"POSTGRES_LEDGER": "mysql://secret@db/onaccount"}, FORM),
    ({"POSTGRES_LEDGER": "postgresql://ledger:sec/ret@db:5432/onaccount"}, "%40 %2F %3F %23"),
    ({"POSTGRES_LEDGER": "postgresql://ledger:sec@ret@db:5432/onaccount"}, "%40 %2F %3F %23"),
    ({"POSTGRES_LEDGER": "postgresql://ledger:secret@db:543210/onaccount"}, FORM),
    ({"POSTGRES_LEDGER": "postgresql://db/onaccount?sslmode=on"}, "sslmode is one of disable,"),
    (
        {"POSTGRES_LEDGER": "postgresql://db/onaccount?sslmode=verify-full&sslrootcert=/no/ca.crt"},
        "/no/ca.crt can't be read: No such file or directory",
    ),
    (
        {"POSTGRES_LEDGER": "postgresql://db/onaccount?sslmode=require&connect_timeout=10"},
        "psql alone knows connect_timeout: leave out",
    ),
    ({"KAFKA": ""}, SERVERS),
    ({"KAFKA": "kafka-1:9092,"}, SERVERS),
    ({"KAFKA": "kafka-1:port"}, SERVERS),
    ({"KAFKA": "kafka-1:"}, SERVERS),
    ({"KAFKA": "http://kafka-1:9092"}, SERVERS),
    ({"KAFKA_SECURITY": "TLS"}, "Input should be 'PLAINTEXT', 'SSL', "),
    ({"KAFKA_SECURITY": "SASL_PLAINTEXT", "KAFKA_USER": "ledger"}, LOGIN),
    ({"KAFKA_SECURITY": "SASL_PLAINTEXT", "KAFKA_PASSWORD": "secret"}, LOGIN),
    ({"KAFKA_SECURITY": "SSL", "KAFKA_CA_FILE": "/no/ca.crt"}, "/no/ca.crt can't be read: No such"),
    ({"KAFKA_SECURITY": "SSL", "KAFKA_CA_FILE": __file__}, "there is no certificate in PEM in "),
    ({"FETCH_BYTES": "99999999999"}, "Input should be less than or equal to 268435456"),
    ({"JOB_DAYS": "inf"}, "Input should be a finite number"),
    ({"JOB_DAYS": "99999999"}, "Input should be less than or equal to 1000000"),
]


class Settings(WorkerSettings):
    service: ClassVar[str] = "ledger"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment in which nothing is wrong."""
    monkeypatch.setenv("ONACCOUNT_POSTGRES_LEDGER", DSN)
    monkeypatch.setenv("ONACCOUNT_KAFKA", "kafka-1:9092")
    return monkeypatch


@pytest.mark.parametrize(("wrong", "why"), WRONG)
def test_what_can_not_be_used_is_said_with_its_name_and_without_its_value(
    wrong: dict[str, str], why: str, surroundings: pytest.MonkeyPatch
) -> None:
    for name, value in wrong.items():
        surroundings.setenv(f"ONACCOUNT_{name}", value)
    with pytest.raises(SystemExit) as ended:
        Settings.read()
    said = str(ended.value)
    assert said.startswith("ledger: ONACCOUNT_")
    assert any(f"ONACCOUNT_{name} can't be used (" in said for name in wrong) or LOGIN in said
    assert why in said
    assert said.endswith("; docs/settings.md lists all settings.")
    assert "sec" not in said.replace("SECURITY", "")


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://ledger:p%40ss@db:5432/onaccount",
        "postgres://ledger@[::1]:5432/onaccount?sslmode=prefer",
        "postgresql://ledger@one:5432,two:5433/onaccount?target_session_attrs=read-write",
        "postgresql:///onaccount?host=/run/postgresql&port=5432",
        f"postgresql://db/onaccount?sslmode=verify-ca&sslrootcert={__file__}",
        f"postgresql://db:/onaccount?sslmode=verify_full&sslrootcert={__file__}",
        "postgresql://%2Frun%2Fpostgresql/onaccount?sslmode=disable&sslrootcert=/no/ca.crt",
    ],
)
def test_every_form_of_dsn_that_the_driver_takes_is_taken(
    dsn: str, surroundings: pytest.MonkeyPatch
) -> None:
    surroundings.setenv("ONACCOUNT_POSTGRES_LEDGER", dsn)
    assert Settings.read().postgres.get_secret_value() == dsn


@pytest.mark.parametrize(
    ("name", "value"),
    [("JOB_DAYS", 99_999), ("IMPORT_UNDO_DAYS", 99_999), ("SESSION_TIMEOUT_MS", 3_600_000)],
)
def test_what_an_operator_writes_for_for_ever_and_what_brokers_may_be_told_to_take_is_taken(
    name: str, value: int, surroundings: pytest.MonkeyPatch
) -> None:
    surroundings.setenv("ONACCOUNT_POSTGRES_IMPORTER", DSN)
    surroundings.setenv(f"ONACCOUNT_{name}", str(value))
    assert getattr(Importer.read(), name.lower()) == value


@pytest.mark.parametrize("servers", ["one:9092, two:9092", "one", "[::1]:9092", "::1", "10.0.0.1"])
def test_every_form_of_address_that_the_driver_takes_is_taken(
    servers: str, surroundings: pytest.MonkeyPatch
) -> None:
    surroundings.setenv("ONACCOUNT_KAFKA", servers)
    assert Settings.read().kafka == servers


def test_the_command_line_says_so_too(surroundings: pytest.MonkeyPatch, tmp_path: Path) -> None:
    surroundings.setenv("ONACCOUNT_KAFKA_SECURITY", "TLS")
    with pytest.raises(Trouble, match="ONACCOUNT_KAFKA_SECURITY can't be used"):
        kafka(tmp_path)


def test_a_name_that_nobody_reads_is_found_and_others_settings_are_not() -> None:
    shared = ["PATH", "ONACCOUNT_SMTP", "ONACCOUNT_IMPORT_ROWS", "ONACCOUNT_POSTGRES_ADMIN"]
    misspelt = ["ONACCOUNT_SMTP_SECURTY", "ONACCOUNT_KAFKA_PASWORD"]
    assert unknown([*shared, *misspelt]) == sorted(misspelt)
