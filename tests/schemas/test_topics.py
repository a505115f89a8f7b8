"""The topics table against the contract's."""

from __future__ import annotations

import pytest

from schemas.topics import GROUPS, MESSAGES, TOPIC, TOPICS, Topic, dead_letters, retries


def test_every_group_has_its_dead_letters_and_its_retries_for_itself() -> None:
    for group in GROUPS:
        assert TOPIC[dead_letters(group)].writers == (group, "operator")  # who dismisses some
        assert TOPIC[retries(group)].readers == (group,)
    with pytest.raises(ValueError, match="no such group"):
        dead_letters("till")


def test_there_are_the_topics_of_the_contract_one_of_our_own_and_two_for_each_group() -> None:
    assert len(TOPICS) == len(TOPIC) == 16 + 1 + 2 * len(GROUPS)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_topic_is_kept_as_the_contract_says(topic: Topic) -> None:
    config = topic.config()

    assert config["message.timestamp.type"] == "LogAppendTime"
    assert config["unclean.leader.election.enable"] == "false"
    assert topic.config(replication=3)["min.insync.replicas"] == "2"
    assert int(config["max.message.bytes"]) > topic.max_value_bytes
    without_end = topic.name.startswith("pos.") or topic.name.endswith(
        (".entries", ".events", ".commands", ".dead-letters", ".retries")
    )
    state = topic.name.endswith(".state") or topic.name in ("ledger.balances", "pos.unbooked")
    assert (config["cleanup.policy"] == "compact") is state
    if without_end and not state:
        assert config["retention.ms"] == "-1"
        assert config["retention.bytes"] == "-1"


def test_command_topics_keep_their_number_of_partitions() -> None:
    fixed = {topic.name for topic in TOPICS if topic.partitions_fixed}

    assert {"registry.commands", "invoices.commands"} <= fixed


def test_a_type_has_one_model_and_only_outcomes_travel_on_two_topics() -> None:
    carried = [model for topic in TOPICS for model in topic.messages]
    twice = {model.__name__ for model in carried if carried.count(model) > 1}

    assert twice == {"CommandApplied", "CommandRefused"}
    assert len(MESSAGES) == len(set(carried))
