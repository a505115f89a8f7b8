"""What the command line puts on topics, and where the answers to it are to be found."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from uuid_utils import uuid7

from cli.amounts import decimal

Json = dict[str, Any]


def new_id() -> str:
    """A new id, in order of time."""
    return str(uuid7())


def now() -> str:
    """This moment as RFC 3339, in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def me() -> str:
    """Who gives a command, where it is not said: the user of this machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def command(kind: str, environment: int, *, by: str | None = None, **fields: Any) -> Json:
    """A command of registry.commands or invoices.commands, with an id of its own unless one is
    among the fields.

    A field that is None is left out; what is to be cleared is given as CLEAR.
    """
    id_ = fields.pop("command_id", None) or new_id()
    head = {"type": kind, "command_id": id_, "environment": environment, "at": now()}
    return {**head, "by": by or me(), **given(fields)}


class Clear:
    """Stands for null: in a command an absent field stays as it is, and null clears it."""


CLEAR = Clear()


def given(fields: Mapping[str, Any]) -> Json:
    """The fields that have a value, with CLEAR as null."""
    return {
        name: None if value is CLEAR else value
        for name, value in fields.items()
        if value is not None
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How messages of one topic are keyed and answered.

    `asked_by` names, per message type, the field whose value the answers carry; where that is not
    said, `id_field` does.
    """

    key: tuple[str, ...]
    answers: tuple[str, ...]
    id_field: str
    asked_by: Mapping[str, str]


ROUTES: dict[str, Route] = {
    "pos.sales": Route(
        key=("environment", "account"),
        answers=("pos.decisions",),
        id_field="sale_id",
        asked_by={"sale.cancelled": "cancellation_id"},
    ),
    "pos.terminals": Route(
        key=("terminal",),
        answers=("pos.directories",),
        id_field="session_id",
        asked_by={"terminal.searched": "search_id"},
    ),
    "registry.commands": Route(
        key=("environment",), answers=("registry.outcomes",), id_field="command_id", asked_by={}
    ),
    "imports.uploads": Route(
        key=("job_id",), answers=("imports.events",), id_field="job_id", asked_by={}
    ),
    "invoices.commands": Route(
        key=("environment",),
        answers=("invoices.events", "invoices.documents"),
        id_field="command_id",
        asked_by={
            "invoices.run": "run_id",
            "payment.record": "payment_id",
            "payment.refund": "refund_id",
            "statement.request": "statement_id",
            "document.request": "request_id",
            "pending.request": "request_id",
        },
    ),
}

# By which field an answer tells which message it answers. Where another topic's message of the
# same kind carries an id of ours too (invoice.issued a run's?), it is not an answer to us.
ANSWERED_BY: dict[str, str] = {
    "sale.approved": "sale_id",
    "sale.declined": "sale_id",
    "sale.reversed": "cancellation_id",
    "sale.reversal_refused": "cancellation_id",
    "directory.page": "session_id",
    "directory.found": "search_id",
    "command.applied": "command_id",
    "command.refused": "command_id",
    "import.previewed": "job_id",
    "import.progressed": "job_id",
    "import.completed": "job_id",
    "import.failed": "job_id",
    "import.report": "job_id",
    "import.undone": "job_id",
    "run.progressed": "run_id",
    "run.completed": "run_id",
    "document.part": "request_id",
    "pending.listed": "request_id",
}


def topic_of(kind: str) -> str:
    """The topic on which messages of this type are sent."""
    match kind.split("."):
        case ["sale", _]:
            return "pos.sales"
        case ["terminal", _]:
            return "pos.terminals"
        case ["import", _]:
            return "imports.uploads"
        case ["invoices" | "invoice" | "payment" | "statement" | "document" | "pending", _] | [
            "exchange_rate",
            _,
        ]:
            return "invoices.commands"
        case _:
            return "registry.commands"


def key_of(message: Json) -> str:
    """The record's key, as the contract has it for the message's topic."""
    return ":".join(str(message[field]) for field in ROUTES[topic_of(message["type"])].key)


def id_of(message: Json) -> str:
    """The id that the answers to this message carry."""
    route = ROUTES[topic_of(message["type"])]
    return str(message[route.asked_by.get(message["type"], route.id_field)])


_REPEATED_WITH = {
    "sale.requested": "sale_id",
    "sale.recorded": "sale_id",
    "sale.cancelled": "cancellation_id",
    "payment.record": "payment_id",
    "payment.refund": "refund_id",
    "invoices.run": "run_id",
    "account.change": "command_id",
    "customer.register": "customer_id",
}


SAME_COMMAND = "give the same command again: nothing is done twice."
"""How is repeated what a command makes the same message of each time."""


def repetition(message: Json) -> str:
    """What whoever got no answer to this message may do: it may have been done all the same."""
    if field := _REPEATED_WITH.get(message["type"]):
        option = field.replace("_", "-")
        with_ = f"`--{option} {message[field]}`"
        if message["type"] == "payment.refund":  # all that is left would be another amount then
            with_ = f"the amount {decimal(message['amount'])} and {with_}"
        if message["type"] == "sale.recorded":  # which is booked as of when it was sold
            with_ = f"`--at {message['at']}` and {with_}"
        again = f"give it again with {with_}: it is not done twice"
        if message["type"] != "sale.requested":
            return f"{again}."
        place = f"{message['environment']} {message['account']} {message[field]}"
        return f"{again}. If nobody was served: `onaccount till cancel {place}`."
    return "look whether it was done (`show` and `list`) before you give it again."


def answered_id(answer: Json) -> str | None:
    """The id of the message that this one answers; None if it answers none."""
    field = ANSWERED_BY.get(str(answer.get("type")))
    return None if field is None else str(answer.get(field))


def answer_topics(*kinds: str) -> tuple[str, ...]:
    """The topics to listen on for the answers to messages of these types."""
    return tuple(dict.fromkeys(t for kind in kinds for t in ROUTES[topic_of(kind)].answers))
