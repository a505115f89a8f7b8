"""The manifests say nothing that the code, the image and the compose file do not know."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import certifi
import pytest
import yaml

from runtime.settings import SERVICES as WORKERS
from tests.deploy.files import DEPLOY, SERVICES, instructions
from tests.deploy.test_compose import known_settings

FOLDER = DEPLOY / "kubernetes"
ONCE = ("migrate", "topics")


def documents(file: Path) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(file.read_text(encoding="utf-8")) if one]


def of_kind(kind: str, file: Path) -> dict[str, Any]:
    (found,) = [one for one in documents(file) if one["kind"] == kind]
    return found


DEPLOYMENTS = {name: of_kind("Deployment", FOLDER / "workers" / f"{name}.yaml") for name in WORKERS}
JOBS = {name: of_kind("Job", FOLDER / "prepare" / f"{name}.yaml") for name in ONCE}
PODS: dict[str, dict[str, Any]] = {
    name: one["spec"]["template"]["spec"] for name, one in {**DEPLOYMENTS, **JOBS}.items()
}
CONTAINERS: dict[str, dict[str, Any]] = {name: pod["containers"][0] for name, pod in PODS.items()}
LITERALS: list[str] = documents(FOLDER / "settings" / "kustomization.yaml")[0][
    "configMapGenerator"
][0]["literals"]
GIVEN = dict(one.split("=", 1) for one in LITERALS)


def without(what: Any, name: str) -> Any:
    """The same with the worker's name left out, to be compared with another's."""
    return yaml.safe_load(re.sub(rf"\b({name}|{name.upper()})\b|_{name.upper()}\b", "X", str(what)))


@pytest.mark.parametrize("folder", ["settings", "prepare", "workers", "monitoring"])
def test_every_file_is_put_together_and_every_resource_is_there(folder: str) -> None:
    (kustomization,) = documents(FOLDER / folder / "kustomization.yaml")
    listed = set(kustomization.get("resources", ()))
    here = {file.name for file in (FOLDER / folder).glob("*.yaml")} - {"kustomization.yaml"}
    assert listed - {"../settings"} == here
    for one in here:
        for document in documents(FOLDER / folder / one):
            assert "namespace" not in document["metadata"]


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_runs_what_the_compose_file_runs(name: str) -> None:
    container, service = CONTAINERS[name], SERVICES[name]
    version = re.sub(r"\$\{\w+:-(.+)\}", r"\1", service["image"])
    assert container["image"] == version
    assert container["args"] == service["command"]
    assert "command" not in container
    memory = service["deploy"]["resources"]["limits"]["memory"]
    assert container["resources"]["limits"] == {"memory": memory[:-1] + memory[-1].upper() + "i"}


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_has_no_rights_and_nothing_to_write_to(name: str) -> None:
    pod, container = PODS[name], CONTAINERS[name]
    assert pod["automountServiceAccountToken"] is False
    user = dict(instructions())["USER"]
    context = pod["securityContext"]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == user
    assert context["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    writable = [one["name"] for one in pod.get("volumes", ()) if "secret" not in one]
    assert writable == (["tmp"] if name == "importer" else [])
    mounts = {one["name"] for one in container.get("volumeMounts", ())}
    assert mounts == {one["name"] for one in pod.get("volumes", ())}


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_variable_is_a_setting_and_a_secret_is_its_owners(name: str) -> None:
    container = CONTAINERS[name]
    named = [one["name"] for one in container["env"]]
    known = known_settings()
    assert set(named) | set(GIVEN) <= known
    assert not any(re.search(r"PASSWORD|POSTGRES|USER", one) for one in GIVEN)
    secrets = {"migrate": "onaccount-admin", "topics": "onaccount-operator"}
    for one in container["env"]:
        if (ref := one["valueFrom"].get("secretKeyRef")) is None:
            continue
        smtp = one["name"].startswith("ONACCOUNT_SMTP_")
        assert ref["name"] == ("onaccount-smtp" if smtp else secrets.get(name, f"onaccount-{name}"))
        assert ref["key"] == one["name"]
        assert ref.get("optional", False) is smtp


@pytest.mark.parametrize("name", WORKERS)
def test_a_worker_is_given_all_that_it_needs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in GIVEN.items():
        monkeypatch.setenv(variable, value)
    for one in CONTAINERS[name]["env"]:
        monkeypatch.setenv(one["name"], "of-a-test")
    monkeypatch.setenv(f"ONACCOUNT_POSTGRES_{name.upper()}", "postgresql://of-a-test")
    folder = [m["mountPath"] for m in CONTAINERS[name]["volumeMounts"] if m["name"] == "kafka-ca"]
    assert GIVEN["ONACCOUNT_KAFKA_CA_FILE"] == f"{folder[0]}/ca.crt"
    monkeypatch.setenv("ONACCOUNT_KAFKA_CA_FILE", certifi.where())  # here it is mounted nowhere
    settings = import_module(f"services.{name}.settings").Settings.read()
    assert f"ONACCOUNT_POSTGRES_{name.upper()}" in {o["name"] for o in CONTAINERS[name]["env"]}
    assert settings.kafka_user == "of-a-test"
    assert settings.kafka_security == "SASL_SSL"
    assert CONTAINERS[name]["envFrom"] == [{"configMapRef": {"name": "onaccount-settings"}}]
    assert CONTAINERS[name]["ports"] == [{"name": "health", "containerPort": settings.health_port}]
    assert dict(instructions())["EXPOSE"] == str(settings.health_port)
    grace_s = PODS[name]["terminationGracePeriodSeconds"]
    assert f"{grace_s}s" == SERVICES[name]["stop_grace_period"]
    assert grace_s > settings.drain_s + 3


@pytest.mark.parametrize("name", WORKERS)
def test_what_waits_or_stopped_on_purpose_is_not_started_again(name: str) -> None:
    container, health = CONTAINERS[name], SERVICES[name]["healthcheck"]
    paths = {
        probe: container[f"{probe}Probe"]["httpGet"]
        for probe in ("startup", "liveness", "readiness")
    }
    assert paths["startup"] == paths["liveness"] == {"path": "/live", "port": "health"}
    assert paths["readiness"] == {"path": "/ready", "port": "health"}
    ready = container["readinessProbe"]
    assert (f"{ready['periodSeconds']}s", f"{ready['timeoutSeconds']}s") == (
        health["interval"],
        health["timeout"],
    )
    startup = container["startupProbe"]
    assert f"{startup['periodSeconds'] * startup['failureThreshold']}s" == health["start_period"]


@pytest.mark.parametrize("name", WORKERS[1:])
def test_the_workers_differ_only_where_they_should(name: str) -> None:
    ours, first = (
        {key: value for key, value in one["spec"].items() if key != "template"}
        for one in (DEPLOYMENTS[name], DEPLOYMENTS[WORKERS[0]])
    )
    assert without(ours, name) == without(first, WORKERS[0])
    apart = {"containers", "volumes"}
    pods = [{k: v for k, v in PODS[one].items() if k not in apart} for one in (name, WORKERS[0])]
    assert without(pods[0], name) == without(pods[1], WORKERS[0])


@pytest.mark.parametrize("name", WORKERS)
def test_what_selects_a_worker_selects_that_one_alone(name: str) -> None:
    labels = {"app.kubernetes.io/name": "onaccount", "app.kubernetes.io/component": name}
    spec = DEPLOYMENTS[name]["spec"]
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"] == labels
    budget = of_kind("PodDisruptionBudget", FOLDER / "workers" / f"{name}.yaml")["spec"]
    assert budget == {"maxUnavailable": 1, "selector": {"matchLabels": labels}}
    assert spec["replicas"] > 1
    monitor = of_kind("PodMonitor", FOLDER / "monitoring" / "podmonitor.yaml")["spec"]
    assert monitor["selector"]["matchExpressions"][0]["values"] == list(WORKERS)
    assert monitor["podMetricsEndpoints"][0]["port"] == "health"
