"""Commands that show one thing, asked for one that is not there: the same from each of them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from cli.app import GROUPS, app
from runtime import topics
from tests.cli.running import Run, runner
from tests.support.apart import run_apart
from tests.support.servers import Server

VENUE = {
    "type": "environment.state", "environment": 2890, "version": 1, "active": True,
    "currency": "EUR", "time_zone": "Europe/Amsterdam",
}  # fmt: skip
NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"
NOT_THERE = {
    "environment": ("4711", "2890"),
    "account": ("0007", "all"),
    "customer": (NOBODY, "nobody"),
    "group": ("authorizer", "ledger"),
    "invoice": (NOBODY, "2026-00001"),
    "job_id": (NOBODY, "0"),
    "place": ("0:17", "all"),
    "sale_id": (NOBODY, "17"),
}
"""What may be asked for, by the name of a command's argument: all of the first, and all of the
second, where the environment is there and is empty."""


async def fill(kafka: str) -> None:
    await topics.apply({"bootstrap_servers": kafka})
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        key = b"environment:2890:2890"
        await producer.send_and_wait("registry.state", json.dumps(VENUE).encode(), key=key)


@pytest.fixture(scope="module")
def one_venue(own_kafka: Server) -> str:
    run_apart(fill(own_kafka.address))
    return own_kafka.address


@pytest.fixture
def onaccount(
    one_venue: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Run:
    monkeypatch.setenv("ONACCOUNT_KAFKA", one_venue)
    return runner(capsys)


def showing() -> Iterator[tuple[str, ...]]:
    """Every `show` and `explain` of the command line that names one thing."""
    for group in sorted(GROUPS):
        for name in sorted({"show", "explain"} & set(app[group])):
            taken: Any = app[group][name].assemble_argument_collection()
            named = [one.field_info.name for one in taken if one.required]
            for words in zip(*(NOT_THERE[each] for each in named), strict=True):
                if words != ("2890",):  # that one is there
                    yield group, name, *words


def test_what_is_not_there_is_one_sentence_and_status_2_whatever_shows_it(onaccount: Run) -> None:
    groups = set()
    for words in showing():
        told = onaccount(*words)
        assert (told.status, told.out) == (2, ""), (words, told)
        assert told.err.startswith("onaccount: "), (words, told)
        assert told.err.count("\n") == 1, (words, told)
        if words[0] not in groups:
            asked = onaccount(*words, "--json")
            assert (asked.status, asked.out) == (2, ""), (words, asked)
            assert f"onaccount: {json.loads(asked.err)['error']}\n" == told.err
        groups.add(words[0])
    assert groups >= {"env", "account", "customer", "import", "invoices", "ledger", "sales"}


@pytest.mark.parametrize("words", [
    ("account", "list", "2890"), ("customer", "find", "2890"), ("limits", "show", "2890"),
    ("ledger", "balances", "2890"), ("import", "list", "2890"), ("invoices", "list", "2890"),
    ("sales", "unbooked"), ("dead-letters", "list"),
])  # fmt: skip
def test_a_list_of_nothing_is_one_sentence_and_no_empty_table(
    words: tuple[str, ...], onaccount: Run
) -> None:
    told = onaccount(*words)
    assert (told.status, told.out.count("\n")) == (0, 1), told.out


def test_a_search_that_finds_nothing_is_an_empty_list_and_status_1(onaccount: Run) -> None:
    for words in (("customer", "find"), ("account", "list"), ("limits", "show")):
        told = onaccount(*words, "2890", "nobody", "--json")
        assert (told.status, told.json) == (1, []), words
