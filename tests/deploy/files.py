"""The files of deploy/, read once for the tests over them."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
_PIN = re.compile(r"^([a-z0-9-]+)==(\S+)")


def pins(lock: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """{distribution: (version, its files' hashes)} of a lock."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for entry in lock.read_text(encoding="ascii").replace("\\\n", " ").splitlines():
        pin = _PIN.match(entry)
        assert pin, entry
        found[pin[1]] = (pin[2], frozenset(re.findall(r"--hash=(\S+)", entry)))
    return found


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions: (its word, the rest), continued lines put together."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in whole.splitlines() if line]


def copied() -> list[tuple[list[str], str]]:
    """What is copied from the repository into the image: (sources, destination)."""
    found = [rest.split() for word, rest in instructions() if word == "COPY"]
    return [(words[:-1], words[-1]) for words in found if not words[0].startswith("--from")]
