"""Registry: takes environment.*, customer.*, account.* and registry.republish from
registry.commands; answers command.applied or command.refused on registry.outcomes; changes
environments, customers and accounts, whose state goes to registry.state."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

from runtime.answers import Answer
from runtime.incoming import Incoming
from runtime.transaction import Tx
from schemas.commands import INVALID, Caution, Change, CommandApplied, CommandRefused
from schemas.content import digest
from schemas.malformed import Malformed
from schemas.registry import (
    AccountChange,
    AccountLink,
    AccountOpen,
    CustomerChange,
    CustomerErase,
    CustomerRegister,
    EnvironmentAcceptGdpr,
    EnvironmentActivate,
    EnvironmentConfigure,
    EnvironmentDeactivate,
    RegistryRepublish,
)
from schemas.wire import encode
from services.authorizer.domain import accounts, customers, environments
from services.authorizer.domain.registry import (
    Applied,
    Outcome,
    Refused,
    Registry,
    missing,
    terms_missing,
)
from services.authorizer.store import registry as store
from services.authorizer.store.registry import CommandRow, Wanted

TOPIC = "registry.outcomes"
MOST_WARNINGS = 100


async def handle(batch: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
    """Carry out a batch of commands in the log's order; each sees those before it."""
    asked = [(i, *_name(i.message), _digest(i.message)) for i in batch]
    registry = await store.lock(tx, _wanted([i.message for i in batch]))
    known = await store.recall(tx, {(environment, id_) for _, environment, id_, _ in asked})
    reused = await store.recall_reused(tx, [(e, i, content) for _, e, i, content in asked])
    new: list[CommandRow] = []
    made: dict[tuple[int, str, bytes], Any] = {}
    answers: list[Answer] = []
    for incoming, environment, id_, content in asked:
        row = known.get((environment, id_))
        if row is None:
            row = _carry_out(incoming, content, registry)
            known[environment, id_] = row
            new.append(row)
        elif row.digest != content:
            key = environment, id_, content
            if key not in reused:
                reused[key] = made[key] = tx.now, _reused(environment, id_)
            at, value = reused[key]
            answers.append(_answer(environment, id_, False, at, value, incoming, content))
            continue
        for kind, *state in row.touched:
            tx.touch(kind, *state)
        if isinstance(incoming.message, RegistryRepublish) and row.applied:
            await _touch_all(environment, tx)
        answers.append(_answer(environment, id_, row.applied, row.decided_at, row.answer, incoming))
    await store.record(tx, registry, new)
    await store.record_reused(tx, made)
    return answers


# -- lock and recall ---------------------------------------------------------------------------


def _name(message: Any) -> tuple[int, str]:
    if isinstance(message, Malformed):
        return int(message.ids["environment"]), str(message.ids["command_id"])
    return message.environment, message.command_id


def _digest(message: Any) -> bytes:
    if isinstance(message, Malformed):
        said = repr((message.type, sorted(message.ids.items()), message.field, message.message))
        return sha256(b"malformed:" + said.encode()).digest()
    return digest(message)


def _wanted(messages: Sequence[Any]) -> Wanted:
    named_customers: set[tuple[int, str]] = set()
    named_accounts: set[tuple[int, str]] = set()
    erased: set[tuple[int, str]] = set()
    for message in messages:
        match message:
            case CustomerErase(environment=e, customer_id=c):
                named_customers.add((e, c))
                erased.add((e, c))
            case CustomerRegister(environment=e, customer_id=c):
                named_customers.add((e, c))
            case CustomerChange(environment=e, customer_id=c):
                named_customers.add((e, c))
            case AccountOpen(environment=e, account=a, holder=h):
                named_accounts.add((e, a))
                if h is not None:
                    named_customers.add((e, h))
            case AccountChange(environment=e, accounts=numbers):
                named_accounts.update((e, a) for a in numbers)
            case AccountLink(environment=e, account=a, customer_id=c):
                named_accounts.add((e, a))
                named_customers.add((e, c))
            case _:
                pass
    return Wanted(
        environments=frozenset(_name(message)[0] for message in messages),
        customers=frozenset(named_customers),
        erased=frozenset(erased),
        accounts=frozenset(named_accounts),
    )


# -- decide ------------------------------------------------------------------------------------


def _carry_out(incoming: Incoming, content: bytes, registry: Registry) -> CommandRow:
    message = incoming.message
    environment, id_ = _name(message)
    outcome = _decide(message, registry)
    touched: list[list[Any]] = []
    if isinstance(outcome, Applied):
        touched = [
            [kind, environment] if kind == "environment" else [kind, environment, name]
            for kind, name, change in outcome.changes
            if change != "unchanged"
        ]
    return CommandRow(
        environment=environment,
        command_id=id_,
        digest=content,
        decided_at=registry.now,
        applied=isinstance(outcome, Applied),
        touched=touched,
        answer=_bytes(environment, id_, outcome),
    )


def _decide(message: Any, registry: Registry) -> Outcome:
    if isinstance(message, Malformed):
        return Refused(
            reason=INVALID, field=message.field, message=f"{message.field} {message.message}."
        )
    match message:
        case EnvironmentConfigure():
            return environments.configure(message, registry)
        case EnvironmentAcceptGdpr():
            return environments.accept_gdpr(message, registry)
        case EnvironmentActivate() | EnvironmentDeactivate():
            return environments.switch(message, registry)
    environment = registry.environments.get(message.environment)
    if environment is None:
        return missing(message.environment)
    match message:
        case CustomerErase():  # what was taken may always be forgotten
            return customers.erase(message, registry)
        case RegistryRepublish():
            return Applied()
    if environment.gdpr is None:
        return terms_missing(message.environment)
    match message:
        case CustomerRegister():
            return customers.register(message, registry)
        case CustomerChange():
            return customers.change(message, registry)
        case AccountOpen():
            return accounts.open_account(message, registry)
        case AccountChange():
            return accounts.change(message, registry)
        case AccountLink():
            return accounts.link(message, registry)
        case _:
            raise TypeError(f"no rule for {type(message).__name__}")


async def _touch_all(environment: int, tx: Tx) -> None:
    """Tell all state of an environment, as it stands, with the versions that it has."""
    for kind, name in await store.keys_of(tx, environment):
        tx.touch(kind, environment, *(() if kind == "environment" else (name,)))


# -- answer ------------------------------------------------------------------------------------


def _bytes(environment: int, id_: str, outcome: Outcome) -> bytes:
    if isinstance(outcome, Refused):
        return encode(
            CommandRefused(
                command_id=id_,
                environment=environment,
                reason=outcome.reason,
                field=outcome.field,
                message=outcome.message,
            )
        )
    cautions = tuple(
        Caution(kind=kind, id=name, field=field, message=said)
        for kind, name, field, said in outcome.warnings[:MOST_WARNINGS]
    )
    return encode(
        CommandApplied(
            command_id=id_,
            environment=environment,
            changes=tuple(
                Change(kind=kind, id=name, change=change) for kind, name, change in outcome.changes
            ),
            warnings=cautions or None,
        )
    )


def _reused(environment: int, id_: str) -> bytes:
    said = "This command_id was used for another command; the first answer stands."
    return _bytes(environment, id_, Refused(reason="command_id_reused", message=said))


def _answer(
    environment: int, id_: str, applied: bool, at: Any, value: bytes, incoming: Incoming,
    content: bytes | None = None,
) -> Answer:  # fmt: skip
    type_ = "command.applied" if applied else "command.refused"
    suffix = "" if content is None else f"/{content.hex()[:16]}"
    return Answer(
        TOPIC, str(environment), f"{type_}/{environment}/{id_}{suffix}", type_, at, value,
        incoming.trace,
    )  # fmt: skip
