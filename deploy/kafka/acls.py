"""Who may read and write what in Kafka, made from the topics table (schemas/topics.py).

    python -m deploy.kafka.acls > deploy/kafka/acls.sh      the commands, for Kafka's own tool
    python -m deploy.kafka.acls --check                     status 1 when the file is another one

Pure data in, text out. A topic's writers and readers are the contract's words; `PRINCIPALS` says
who goes by each of them. A word that stands there not is a KeyError: a new party can't be
forgotten.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from schemas.topics import GROUPS, TOPICS, Topic

SCRIPT: Final = Path(__file__).with_name("acls.sh")

PEOPLE: Final = ("administrator", "finance", "operator")
"""Logins of people and of the programs that act for them, by what they do."""

PRINCIPALS: Final[dict[str, tuple[str, ...]]] = {
    **{group: (group,) for group in GROUPS},
    "tills": ("till",),
    "cli": ("administrator",),
    "finance": ("finance",),
    "operator": ("operator",),
    # Whoever works with the venue's data; a till does not, and is not to see other tills' figures.
    "anyone": PEOPLE,
}
"""The logins that go by a word of the topics table."""

Kind = Literal["topic", "group", "cluster"]
HEADER: Final = """\
#!/bin/sh
# Made by `python -m deploy.kafka.acls` from schemas/topics.py; a test compares the two.
# Who may read and write what. Run it with Kafka's kafka-acls.sh on the PATH, as a super user, as
# often as one likes: it adds what is missing and takes nothing away.
#
#   sh acls.sh --bootstrap-server kafka-1:9093 --command-config admin.properties
#
# The brokers must refuse whom nothing allows (StandardAuthorizer, which does so unless
# allow.everyone.if.no.acl.found is set). Reading and writing each include describing.
set -eu
allow() {
    principal=$1
    shift
    kafka-acls.sh $connection --add --allow-principal "User:$principal" "$@"
}
connection=$*
"""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Grant:
    """One thing that one login may do with one topic, group or the cluster, by Kafka's names."""

    principal: str
    kind: Kind
    name: str
    operation: str
    prefixed: bool = False


def grants(topics: Iterable[Topic] = TOPICS) -> list[Grant]:
    """All grants, in order."""
    found: set[Grant] = set()
    for topic in topics:
        for words, operation in ((topic.readers, "Read"), (topic.writers, "Write")):
            found |= {
                Grant(principal=one, kind="topic", name=topic.name, operation=operation)
                for word in words
                for one in PRINCIPALS[word]
            }
    for group in GROUPS:
        found.add(Grant(principal=group, kind="group", name=group, operation="Read"))
    # Tills may share what they read in groups of their own, named till-...
    found.add(Grant(principal="till", kind="group", name="till-", operation="Read", prefixed=True))
    return sorted(found | _operator(topics))


def _operator(topics: Iterable[Topic]) -> set[Grant]:
    """What `onaccount topics apply` does beside describing: make topics and settle differences."""
    cluster = {("cluster", "kafka-cluster", one) for one in ("Create", "Describe")}
    settings = {
        ("topic", topic.name, one)
        for topic in topics
        for one in ("Describe", "DescribeConfigs", "Alter", "AlterConfigs")
    }
    return {
        Grant(principal="operator", kind=kind, name=name, operation=operation)  # type: ignore[arg-type]
        for kind, name, operation in cluster | settings
    }


def script(grants: Iterable[Grant]) -> str:
    """The grants as a shell script: as few starts of Kafka's tool as can be."""
    names: dict[tuple[str, Kind, str, bool], list[str]] = {}
    for one in grants:
        names.setdefault((one.principal, one.kind, one.name, one.prefixed), []).append(
            one.operation
        )
    together: dict[tuple[str, Kind, bool, tuple[str, ...]], list[str]] = {}
    for (principal, kind, name, prefixed), operations in names.items():
        key = (principal, kind, prefixed, tuple(sorted(operations)))
        together.setdefault(key, []).append(name)
    return HEADER + "".join(
        _command(*key, sorted(resources)) for key, resources in sorted(together.items())
    )


def _command(
    principal: str, kind: Kind, prefixed: bool, operations: tuple[str, ...], names: list[str]
) -> str:
    lines = [f"\nallow {principal}"]
    lines += [f"--operation {one}" for one in operations]
    lines += ["--cluster"] if kind == "cluster" else [f"--{kind} {name}" for name in names]
    lines += ["--resource-pattern-type prefixed"] if prefixed else []
    return " \\\n    ".join(lines) + "\n"


def main() -> int:
    """Print the script, or compare it with the committed one."""
    text = script(grants())
    if sys.argv[1:] == ["--check"]:
        return 0 if SCRIPT.read_text(encoding="ascii") == text else 1
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
