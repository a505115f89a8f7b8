"""Dead letters at the command line, on a real broker: listed, given again, dismissed."""

import asyncio

import pytest

from cli.client import Client
from cli.commands.deadletters import origin_of, place_of, retry_headers
from runtime import topics
from runtime.deadletters import CAUSE, DISMISSED, ORIGIN_OFFSET, ORIGIN_TOPIC
from runtime.settings import KafkaSettings
from tests.cli.running import runner
from tests.support.apart import run_apart
from tests.support.fixtures import NewTopicName


@pytest.fixture(scope="module")
def broker(kafka: str) -> KafkaSettings:
    """A broker with the contract's topics and no services."""
    settings = KafkaSettings(kafka=kafka)
    run_apart(topics.apply(settings.client()))
    return settings


async def test_a_retry_keeps_bytes_origin_and_first_time_but_not_the_cause(
    kafka: str, new_topic: NewTopicName
) -> None:
    topic = await new_topic()
    headers = [
        ("traceparent", b"00-a"),
        ("onaccount-origin-topic", b"pos.sales"),
        ("onaccount-origin-partition", b"3"),
        ("onaccount-origin-offset", b"17"),
        ("onaccount-origin-time", b"1790000000000"),
        ("onaccount-cause", b"it is not JSON"),
    ]
    async with Client(KafkaSettings(kafka=kafka)) as client:
        await client.put(topic, b"{", key=b"k", headers=headers)
        (letter,) = await client.read(topic)
    assert place_of(letter) == "0:0"
    assert origin_of(letter) == "pos.sales/3@17"
    assert retry_headers(letter) == headers[:-1]


def test_of_many_dead_letters_one_sees_how_many_of_each_cause_and_retries_them_all(
    broker: KafkaSettings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ONACCOUNT_KAFKA", broker.kafka)
    onaccount = runner(capsys)

    async def bury() -> None:
        async with Client(broker) as client:
            await asyncio.gather(*(put(client, n) for n in range(60)))

    async def put(client: Client, number: int) -> None:
        cause = b"undecodable: it is not JSON" if number else b"undecodable: it is not UTF-8"
        headers = [(ORIGIN_TOPIC, b"imports.uploads"), (ORIGIN_OFFSET, b"%d" % number)]
        await client.put(
            "importer.dead-letters", b"{", key=None, headers=[*headers, (CAUSE, cause)]
        )

    run_apart(bury())
    told = onaccount("dead-letters", "list", "importer")
    assert "59  importer  imports.uploads  open   undecodable: it is not JSON" in told.out
    assert "60 dead letters" in told.out
    assert len(told.out.splitlines()) < 66
    assert "imports.uploads/?@3 " in onaccount("dead-letters", "list", "importer", "--all").out
    assert "60 dead letters given to the importer again" in (
        onaccount("dead-letters", "retry", "importer", "all").out
    )
    again = onaccount("dead-letters", "list", "--json").json
    assert [one["retried"] for one in again] == [True] * 60

    # The cause was not mended: two die of it again, and are not lost from sight.
    async def bury_again() -> None:
        async with Client(broker) as client:
            await asyncio.gather(*(put(client, n) for n in (7, 8)))

    run_apart(bury_again())
    now_open = onaccount("dead-letters", "list", "importer", "--json").json
    assert sorted(one["origin"] for one in now_open if not one["retried"]) == [
        "imports.uploads/?@7",
        "imports.uploads/?@8",
    ]
    told = onaccount("dead-letters", "retry", "importer", "all")
    assert "2 dead letters given to the importer again" in told.out
    again = onaccount("dead-letters", "list", "--json").json
    assert [one["retried"] for one in again] == [True] * 62


def test_a_dead_letter_that_was_dismissed_is_listed_no_longer_and_can_still_be_given_again(
    broker: KafkaSettings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONACCOUNT_KAFKA", broker.kafka)
    onaccount = runner(capsys)

    async def bury() -> None:
        async with Client(broker) as client:
            added = [(ORIGIN_TOPIC, b"pos.decisions"), (CAUSE, b"undecodable")]
            for value, own in ((b"a", []), (b"b", []), (b"c", [(DISMISSED, b"0:1")])):
                await client.put("ledger.dead-letters", value, key=None, headers=[*own, *added])

    def listed(*more: str) -> dict[str, bool]:
        told = onaccount("dead-letters", "list", "ledger", *more, "--json").json
        return {one["place"]: one["dismissed"] for one in told}

    run_apart(bury())  # the third's sender tries to dismiss another's
    first, second, third = (f"0:{offset}" for offset in range(3))
    assert list(listed()) == [first, second, third]
    told = onaccount("dead-letters", "dismiss", "ledger", first)
    assert (told.status, told.out.strip()) == (0, "✓ 1 dead letter dismissed")
    assert listed() == {second: False, third: False}
    assert listed("--all") == {first: True, second: False, third: False}
    assert " dismissed " in onaccount("dead-letters", "list", "ledger", "--all").out

    assert onaccount("dead-letters", "retry", "ledger", "all", "--json").json["retried"] == [
        second,
        third,
    ]
    assert onaccount("dead-letters", "retry", "ledger", first, "--json").json["retried"] == [first]
    assert onaccount("dead-letters", "dismiss", "ledger", "all", "--json").json["dismissed"] == [
        second,
        third,
    ]
    assert listed() == {}
    assert onaccount("dead-letters", "dismiss", "ledger", "0:3").status == 2  # a note is none
