"""Where things are: from the environment (ONACCOUNT_*), or from a local stack's stack.json."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cli.trouble import Trouble
from runtime.settings import KafkaSettings, wrong_in


class Unreachable(Trouble):
    """Something does not answer at its address, or not in time."""

    exit_code = 3


def silent(settings: KafkaSettings) -> Unreachable:
    """What is said of a Kafka that does not answer, or with which no connection comes about: a
    client that speaks without TLS to a broker that wants it learns no more."""
    says = f"Kafka does not answer at {settings.kafka}; see whether it runs there"
    if os.environ.get("ONACCOUNT_KAFKA"):
        security = settings.kafka_security
        login = "" if "SASL" not in security else ", with that user and password"
        return Unreachable(
            f"{says}, and takes clients as ONACCOUNT_KAFKA_SECURITY says ({security}){login}."
        )
    return Unreachable(
        f"{says} (`onaccount stack up` starts one), or set ONACCOUNT_KAFKA to its address."
    )


def stack(folder: Path) -> dict[str, Any]:
    """What `onaccount stack up` wrote about the stack in `folder`; raises Trouble if none runs."""
    file = folder / "stack.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        others = " or ".join(f"`--dir {one.parent}`" for one in sorted(folder.glob("*/stack.json")))
        raise Unreachable(
            f"No stack runs in {folder} (there is no {file}); "
            + (f"one does elsewhere: add {others}. Or " if others else "")
            + "start one with `onaccount stack up`, "
            "name its folder with --dir, or set ONACCOUNT_KAFKA to a Kafka that runs elsewhere."
        ) from None
    except (OSError, ValueError) as fault:
        raise Trouble(
            f"{file} can't be read ({fault}); stop the stack with `onaccount stack down` and start "
            "it again."
        ) from fault
    if not isinstance(found, dict) or not isinstance(found.get("kafka"), str):
        raise Trouble(f"{file} does not describe a stack; remove it and start the stack again.")
    return found


def kafka(folder: Path) -> KafkaSettings:
    """How to reach Kafka: ONACCOUNT_KAFKA if it is set, else the stack in `folder`."""
    return settings(os.environ.get("ONACCOUNT_KAFKA") or str(stack(folder)["kafka"]))


def settings(address: str) -> KafkaSettings:
    """How Kafka at this address is reached. Raises Trouble for what can't be meant."""
    try:
        return KafkaSettings(kafka=address)
    except ValidationError as error:
        raise Trouble(wrong_in(error, KafkaSettings)) from None


def postgres(folder: Path, service: str) -> str:
    """The DSN of a service's login role: ONACCOUNT_POSTGRES_<SERVICE>, else the stack's."""
    name = f"ONACCOUNT_POSTGRES_{service.upper()}"
    if dsn := os.environ.get(name):
        return dsn
    databases = stack(folder).get("postgres", {})
    if service not in databases:
        raise Trouble(
            f"The stack in {folder} names no database of the {service}; set {name} to its DSN."
        )
    return str(databases[service])
