"""The compose file says nothing that the code, the image and the local stack do not know."""

import os
import re
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from cli.stack import jars
from cli.stack.kafka import PROPERTIES, java
from cli.stack.process import run
from runtime.settings import SERVICES as WORKERS
from runtime.settings import WorkerSettings
from tests.deploy.files import COMPOSE, DEPLOY, ROOT, SERVICES

ONCE = ("roles", "migrate", "topics")
SECRETS = ("postgres", "roles", "admin", *WORKERS)
# What differs on purpose from the local stack: where it listens, and what suits a test machine.
OF_THE_LOCAL_STACK = {
    "controller.quorum.voters",
    "listeners",
    "advertised.listeners",
    "log.dirs",
    "delete.topic.enable",
    "metadata.max.idle.interval.ms",
    "offsets.topic.num.partitions",
    "transaction.state.log.num.partitions",
    "share.coordinator.state.topic.num.partitions",
    "broker.heartbeat.interval.ms",
    "broker.session.timeout.ms",
    "group.min.session.timeout.ms",
    "log.cleaner.dedupe.buffer.size",
    "num.network.threads",
    "num.io.threads",
    "log.segment.bytes",
}


def known_settings() -> set[str]:
    """Every ONACCOUNT_* that a worker or the command line reads."""
    found = {"ONACCOUNT_POSTGRES_ADMIN", *(f"ONACCOUNT_POSTGRES_{w.upper()}" for w in WORKERS)}
    for worker in WORKERS:
        settings: type[WorkerSettings] = import_module(f"services.{worker}.settings").Settings
        found |= {f"ONACCOUNT_{name.upper()}" for name in settings.model_fields}
    return found


def kafka_properties() -> dict[str, str]:
    """The KAFKA_* of the compose file as the image's rule makes properties of them."""
    given = SERVICES["kafka"]["environment"].items()
    return {
        name.removeprefix("KAFKA_").lower().replace("_", "."): value
        for name, value in given
        if name.startswith("KAFKA_") and name != "KAFKA_HEAP_OPTS"
    }


def secrets_in(folder: Path) -> dict[str, dict[str, str]]:
    """{file: {variable: value}} of what secrets.sh made."""
    return {
        file.stem: dict(line.split("=", 1) for line in file.read_text().splitlines())
        for file in folder.glob("*.env")
    }


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "made here"
    subprocess.run(["sh", DEPLOY / "secrets.sh", folder], check=True, capture_output=True)
    return folder


def test_every_service_is_there_and_started_as_the_image_starts_things() -> None:
    for worker in WORKERS:
        assert SERVICES[worker]["command"] == [f"services.{worker}"]
        assert (ROOT / "services" / worker / "__main__.py").exists()
    assert set(SERVICES) == {"kafka", "postgres", "mail", "onaccount", *ONCE, *WORKERS}


def test_a_worker_is_named_as_its_container(tmp_path: Path) -> None:
    """No two have one name; and a container that is started again has the one it had."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$ONACCOUNT_WORKER: $@"\n')
    python.chmod(0o755)
    for worker in WORKERS:
        its = SERVICES[worker]
        command = [part.replace("$$", "$") for part in (*its["entrypoint"], *its["command"])]
        said = subprocess.run(
            ["/bin/sh", *command[1:]],
            check=True,
            capture_output=True,
            text=True,
            env={"PATH": str(tmp_path), "HOSTNAME": "3f2a"},
        )
        assert said.stdout == f"3f2a: -m services.{worker}\n"


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned_by_a_tag(name: str) -> None:
    image = SERVICES[name]["image"]
    assert re.fullmatch(r"[a-z/]+:(v?\d[\d.]*|\$\{ONACCOUNT_VERSION:-\d+\.\d+\.\d+\})", image)


def test_kafka_is_of_the_version_that_the_tests_run_on() -> None:
    assert SERVICES["kafka"]["image"].partition(":")[2] == jars.ENDPOINT.split("+")[0].split(":")[2]


def test_every_setting_that_is_named_exists() -> None:
    known = known_settings() | {"ONACCOUNT_VERSION", "ONACCOUNT_REVISION"}
    named = set(re.findall(r"ONACCOUNT_[A-Z_]+", (DEPLOY / "compose.yaml").read_text()))
    assert named - known == set()


@pytest.mark.parametrize("name", ["migrate", "topics"])
def test_every_command_line_is_one_of_the_real_command(name: str) -> None:
    from cli.app import app

    module, *tokens = SERVICES[name]["command"]
    assert module == "cli"
    _, bound, rest = app.parse_args(tokens, print_error=False, exit_on_error=False)[:3]
    assert not bound.args
    assert not rest


def test_services_can_be_scaled_and_projects_stand_side_by_side() -> None:
    for name, service in SERVICES.items():
        assert "container_name" not in service, name
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1::"), f"{name} takes a fixed port of the host"
    for worker in WORKERS:
        assert SERVICES[worker]["environment"]["ONACCOUNT_HEALTH_HOST"] == "0.0.0.0"


@pytest.mark.parametrize("worker", WORKERS)
def test_a_worker_starts_after_the_schemas_and_topics_and_comes_back_when_it_ends(
    worker: str,
) -> None:
    service = SERVICES[worker]
    waits = {name: one["condition"] for name, one in service["depends_on"].items()}
    completed = "service_completed_successfully"
    assert waits == {"migrate": completed, "topics": completed}
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][-1] == "ready"
    grace_s = int(service["stop_grace_period"].removesuffix("s"))
    assert grace_s > WorkerSettings.model_fields["drain_s"].default + 3


def test_what_is_run_once_waits_for_its_server_and_is_not_run_again() -> None:
    for name, server in (("roles", "postgres"), ("topics", "kafka")):
        assert SERVICES[name]["depends_on"] == {server: {"condition": "service_healthy"}}
        assert "test" in SERVICES[server]["healthcheck"]
    for name in ONCE:
        assert SERVICES[name]["restart"] == "no"
        assert SERVICES[name]["healthcheck"] == {"disable": True}


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_bounded_and_gains_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert set(service["deploy"]["resources"]["limits"]) == {"memory", "cpus"}
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"]["max-size"]
    if service["image"].startswith("onaccount:"):
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]


def test_the_importer_alone_has_a_folder_to_write_to() -> None:
    ours = [name for name, one in SERVICES.items() if one["image"].startswith("onaccount:")]
    assert [name for name in ours if "tmpfs" in SERVICES[name]] == ["importer"]
    assert [name for name in ours if "volumes" in SERVICES[name]] == []


def test_no_password_stands_in_the_file() -> None:
    for name, service in SERVICES.items():
        for variable in service.get("environment", ()):
            assert not re.search(r"PASSWORD|POSTGRES_[A-Z]+$|SECRET", variable) or (
                variable == "POSTGRES_DB"
            ), f"{name}: {variable}"
    assert "://" not in re.sub(r"(PLAINTEXT|CONTROLLER)://", "", str(SERVICES))


def test_each_service_gets_its_own_secret_and_no_other(secrets: Path) -> None:
    made = secrets_in(secrets)
    assert set(made) == set(SECRETS)
    wanted: dict[str, list[str]] = {}
    for name, service in SERVICES.items():
        files = [one for one in service.get("env_file", ()) if isinstance(one, str)]
        wanted[name] = [Path(one).stem for one in files]
    assert {name for name, files in wanted.items() if files} == {
        "postgres", "roles", "migrate", *WORKERS,
    }  # fmt: skip
    for worker in WORKERS:
        assert wanted[worker] == [worker]
        (dsn,) = made[worker].values()
        password = made["roles"][f"PASSWORD_{worker.upper()}"]
        assert dsn == f"postgresql://{worker}:{password}@postgres:5432/onaccount"
    assert made["postgres"]["POSTGRES_PASSWORD"] == made["roles"]["PGPASSWORD"]
    assert made["postgres"]["POSTGRES_PASSWORD"] in made["admin"]["ONACCOUNT_POSTGRES_ADMIN"]


def test_passwords_are_made_once_and_for_the_owner_alone(secrets: Path) -> None:
    before = secrets_in(secrets)
    assert all(file.stat().st_mode & 0o077 == 0 for file in secrets.iterdir())
    values = [value for file in before.values() for value in file.values()]
    assert min(len(value) for value in values) >= 48
    again = subprocess.run(["sh", DEPLOY / "secrets.sh", secrets], check=False, capture_output=True)
    assert again.returncode == 0
    assert secrets_in(secrets) == before
    (secrets / "complete").unlink()
    half = subprocess.run(["sh", DEPLOY / "secrets.sh", secrets], check=False, capture_output=True)
    assert half.returncode == 1
    assert secrets_in(secrets) == before


def test_kafka_is_set_up_as_the_local_stacks_is() -> None:
    pairs = (line.split("=", 1) for line in PROPERTIES.splitlines() if line[:1] != "#")
    local = {name: value for name, value in pairs if name not in OF_THE_LOCAL_STACK}
    ours = kafka_properties()
    assert {name: ours.get(name) for name in local} == local
    assert set(ours) - set(local) <= OF_THE_LOCAL_STACK


async def test_kafka_itself_takes_these_settings(tmp_path: Path) -> None:
    settings = {**kafka_properties(), "log.dirs": str(tmp_path / "data")}
    file = tmp_path / "server.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    folder = await jars.ensure()
    command = [java(), "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", jars.class_path(folder)]
    command += ["kafka.tools.StorageTool", "format", "-c", str(file)]
    cluster_id = SERVICES["kafka"]["environment"]["CLUSTER_ID"]
    status, printed = await run([*command, "-t", cluster_id])
    assert status == 0, printed
    assert (tmp_path / "data" / "meta.properties").exists()


def test_kafka_brings_to_the_disk_what_it_writes_as_the_stack_has_it() -> None:
    of_the_stack = dict(line.split("=", 1) for line in PROPERTIES.splitlines() if "=" in line)
    flushing = {name: v for name, v in of_the_stack.items() if name.startswith("log.flush.")}
    assert flushing
    assert flushing.items() <= kafka_properties().items()


def test_the_folders_and_volumes_that_are_mounted_exist() -> None:
    mounts: list[Any] = [m for one in SERVICES.values() for m in one.get("volumes", ())]
    for mount in mounts:
        source = mount.split(":")[0]
        there = (
            (DEPLOY / source).is_dir() if source.startswith(".") else source in COMPOSE["volumes"]
        )
        assert there, mount
    for part in SERVICES["roles"]["command"]:
        if part.startswith("/sql/"):
            assert (DEPLOY / "postgres" / part.removeprefix("/sql/")).exists()
    assert os.access(DEPLOY / "secrets.sh", os.X_OK)
