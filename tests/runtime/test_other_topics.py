"""A type on a topic where it does not belong: skipped, or a dead letter, and never in the way."""

from __future__ import annotations

import json

import pytest
from aiokafka import ConsumerRecord

from runtime.deadletters import CAUSE
from runtime.settings import SERVICES
from schemas.topics import MESSAGES
from schemas.wire import TOPIC_MESSAGES
from tests.runtime.test_subscribers import built


def record(topic: str, kind: str) -> ConsumerRecord:
    value = json.dumps({"type": kind}).encode()
    return ConsumerRecord(topic, 0, 7, 1_795_000_000_000, 1, b"k", value, None, 1, len(value), ())


@pytest.mark.parametrize("service", SERVICES)
def test_a_group_passes_over_what_is_not_meant_for_it_and_loses_nothing_that_is(
    service: str,
) -> None:
    """Every type on every topic that the group reads and that does not carry it."""
    opener = built(service).lanes[0]._opener
    homes = {name: topic for topic, known in opener._known.items() for name in known.names}
    assert len(homes) > 2
    outcomes = set()
    for topic, known in opener._known.items():
        carried = {model.model_fields["type"].default for model in TOPIC_MESSAGES[topic]}
        for kind in (set(MESSAGES) | {"sale.undreamt"}) - carried:
            batch = opener.open([record(topic, kind)])
            assert (batch.incoming, list(batch.marks.values())) == ([], [8])
            causes = [dict(dead.headers)[CAUSE].decode() for dead in batch.dead]
            if not known.takes:  # read for its positions alone: only the group writes there
                expected = []
            elif kind in homes:
                expected = [f"undecodable: {kind} came on {topic}, and is read from "
                            f"{homes[kind]} alone"]  # fmt: skip
            elif kind in MESSAGES:
                expected = []
            else:
                expected = ["undecodable: its type is not one of this topic's"]
            assert causes == expected
            outcomes.add(len(expected))
    assert outcomes == {0, 1}
