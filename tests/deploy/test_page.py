"""The operator's page says what the code says."""

import re
from importlib import import_module

import pytest
from pydantic import SecretStr

from runtime.settings import SERVICES as WORKERS
from runtime.worker import Worker
from schemas.topics import TOPIC
from tests.deploy.files import DEPLOY, ROOT, SERVICES
from tests.deploy.test_compose import known_settings

PAGE = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")


def connections(service: str) -> int:
    settings = import_module(f"services.{service}.settings").Settings(
        postgres=SecretStr("postgresql://unused")
    )
    worker: Worker = import_module(f"services.{service}.__main__").build(settings)
    return worker.connections


@pytest.mark.parametrize("service", WORKERS)
def test_the_connections_are_as_many_as_a_worker_opens_at_most(service: str) -> None:
    assert f"| {service} | {connections(service)} |" in PAGE


def test_the_compose_files_postgresql_takes_several_of_each_worker() -> None:
    _, *settings = SERVICES["postgres"]["command"]  # -c name=value, for each
    allowed = int(dict(one.split("=") for one in settings[1::2])["max_connections"])
    assert allowed >= 2 * sum(connections(service) for service in WORKERS) + 10


def test_the_partitions_are_the_topics_tables() -> None:
    rows = re.findall(r"^\| (\w+) \| ([\w.]+\.\w+) \| (\d+) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 5
    for service, topic, partitions in rows:
        assert TOPIC[topic].partitions == int(partitions)
        assert service in TOPIC[topic].readers
    fixed = {name for name, topic in TOPIC.items() if topic.partitions_fixed}
    assert all(f"`{name}`" in PAGE for name in fixed)


def test_all_that_the_page_names_exists() -> None:
    for path in set(re.findall(r"(?:deploy|tests)/[\w/.]+\.(?:sh|sql|py|yaml)", PAGE)):
        assert (ROOT / path).exists(), path
    named = set(re.findall(r"ONACCOUNT_[A-Z]+(?:_[A-Z]+)*(?!\w|_?\.\.\.)", PAGE))
    assert named - known_settings() - {"ONACCOUNT_POSTGRES"} == set()
    code = "".join(f.read_text(encoding="utf-8") for f in (ROOT / "runtime").glob("*.py"))
    for metric in set(re.findall(r"`(onaccount_\w+)`", PAGE)):
        assert f'"{metric.removesuffix("_total")}"' in code, metric
    assert (DEPLOY / "Dockerfile").exists()
