"""The grants for Kafka cover the topics table, and what the workers do fits in them."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from pydantic import SecretStr

from deploy.kafka.acls import PEOPLE, PRINCIPALS, SCRIPT, grants, script
from runtime.worker import Worker
from schemas.topics import GROUPS, TOPICS, dead_letters, retries
from tests.deploy.files import ROOT
from tests.deploy.secured import asked, stand_in

ALL = grants()


def who(operation: str, topic: str) -> set[str]:
    return {
        one.principal
        for one in ALL
        if (one.kind, one.name, one.operation) == ("topic", topic, operation)
    }


def worker_of(group: str) -> Worker:
    settings = import_module(f"services.{group}.settings").Settings(
        postgres=SecretStr("postgresql://unused")
    )
    worker: Worker = import_module(f"services.{group}.__main__").build(settings)
    return worker


def test_the_committed_script_is_what_the_table_says() -> None:
    assert SCRIPT.read_text(encoding="ascii") == script(ALL), (
        "run `python -m deploy.kafka.acls > deploy/kafka/acls.sh`"
    )


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_each_topic_is_for_its_writers_and_readers_and_for_nobody_else(topic: object) -> None:
    found = next(one for one in TOPICS if one is topic)
    assert who("Write", found.name) == {p for word in found.writers for p in PRINCIPALS[word]}
    assert who("Read", found.name) == {p for word in found.readers for p in PRINCIPALS[word]}
    assert who("Write", found.name)
    assert who("Read", found.name)


@pytest.mark.parametrize("group", GROUPS)
def test_each_worker_may_read_what_it_subscribes_to_and_join_its_own_group(group: str) -> None:
    worker = worker_of(group)
    for topic in worker.topics - {dead_letters(group)}:
        assert group in who("Read", topic), topic
    for lane in worker.lanes:
        for route in lane.lane.routes:
            assert all(group in who("Read", topic) for topic in route.barrier)
    assert who("Read", retries(group)) == {group}
    joins = {one.name for one in ALL if one.principal == group and one.kind == "group"}
    assert joins == {group}


@pytest.mark.parametrize("group", GROUPS)
def test_each_topic_that_a_services_code_names_is_one_that_it_may_read_or_write(group: str) -> None:
    sources = (ROOT / "services" / group).rglob("*.py")
    code = "\n".join(file.read_text(encoding="utf-8") for file in sources)
    named = {topic.name for topic in TOPICS if f'"{topic.name}"' in code}
    assert named
    assert [topic for topic in named if group not in who("Read", topic) | who("Write", topic)] == []


def test_a_till_neither_reads_the_books_nor_gives_orders() -> None:
    mine = {(one.operation, one.name) for one in ALL if one.principal == "till"}
    assert mine == {
        ("Write", "pos.sales"),
        ("Write", "pos.terminals"),
        ("Read", "pos.decisions"),
        ("Read", "pos.directories"),
        ("Read", "till-"),
    }


def test_nobody_but_the_operator_makes_or_changes_topics_and_nobody_deletes() -> None:
    plain = {"Read", "Write"}
    assert {one.principal for one in ALL if one.operation not in plain} == {"operator"}
    assert not {one.operation for one in ALL} & {"Delete", "All", "ClusterAction"}
    assert not {one.principal for one in ALL} - {*GROUPS, *PEOPLE, "till"}


def test_the_script_asks_for_exactly_these_grants(tmp_path: Path) -> None:
    stand_in(tmp_path)
    file = tmp_path / "asked"
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ACLS_ASKED": str(file)}
    options = ["--bootstrap-server", "kafka:9092", "--command-config", "admin.properties"]
    subprocess.run(["sh", SCRIPT, *options], check=True, env=environment)
    commands = file.read_text().split("\n.\n")[:-1]
    assert all(one.split("\n")[:4] == options for one in commands)
    assert sorted(asked(file)) == ALL


def test_the_check_says_whether_the_script_is_up_to_date() -> None:
    command = [sys.executable, "-m", "deploy.kafka.acls", "--check"]
    assert subprocess.run(command, check=False, cwd=SCRIPT.parents[2]).returncode == 0
