"""The registry: registry.commands -> registry.outcomes, registry.state.

Takes environment.*, customer.*, account.*, registry.* and unbooked.dismiss. Answers each with
command.applied or command.refused, remembers that under the command's id, and lets the state of
what it touched be published. A command is done as a whole or not at all; of registry.apply that
is true of each step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256

from runtime.answers import Answer
from runtime.breath import Breath
from runtime.incoming import Incoming, traced
from runtime.transaction import Tx
from schemas.commands import (
    INVALID,
    TOO_EARLY,
    Command,
    CommandApplied,
    CommandRefused,
    too_early,
)
from schemas.content import digest
from schemas.malformed import Malformed
from schemas.registry import AccountChange, EnvironmentAcceptGdpr
from schemas.steps import ChangeAccountsStep, RegistryApply, Step
from schemas.unbooked import UnbookedDismiss
from schemas.wire import encode
from services.authorizer import outcomes
from services.authorizer.domain.book import RefusalKey
from services.authorizer.domain.commands import carry_out, changing_accounts, refuses_all
from services.authorizer.domain.entities import (
    Applied,
    Effect,
    Entity,
    Key,
    Outcome,
    Refusal,
    Registry,
)
from services.authorizer.domain.steps import Steps
from services.authorizer.metrics import COMMANDS
from services.authorizer.store import entities, forgetting, registry, sales, states, unbooked
from services.authorizer.store.spoken import accounts_named

MOST_ACCOUNTS = 20_000
"""That are held in memory at once: two commands of the greatest size."""

STEP_WEIGHS = 16
"""Accounts that weigh as much as a step: each step makes a thing, where an account is changed. Six
bundles of an import, which is what is decided at once, are one part then and not two."""

REPUBLISH = "republish"

REUSED = Refusal(
    reason="command_id_reused",
    field="command_id",
    message="Another command was answered under this command_id; that answer stands.",
)
NOT_PROCESSED = Refusal(
    reason="not_processed",
    message="The command could not be processed because of a fault; nothing was changed.",
)

Said = Answer | RefusalKey


async def carry_out_commands(incoming: Sequence[Incoming], tx: Tx) -> list[Answer]:
    """Lock, recall, decide, record, answer."""
    said: list[Answer] = []
    for part in _bounded(incoming):
        answers = await _carry_out(part, tx)
        said += [traced(answer, record) for answer, record in zip(answers, part, strict=True)]
    return said


async def refuse_poison(incoming: Sequence[Incoming], tx: Tx) -> list[Answer]:
    """Refuse a command that is a dead letter by our own fault, unless it was answered before."""
    said: list[Answer] = []
    for record in incoming:
        command = record.message
        if isinstance(command, Command):
            key = (command.environment, command.command_id)
            known = await registry.recall(tx, [key])
            if not known:
                known = {key: (digest(command), _answer(command, NOT_PROCESSED, tx))}
                await registry.record_commands(tx, known)
            said.append(known[key][1])
    return said


def _bounded(incoming: Sequence[Incoming]) -> Iterator[list[Incoming]]:
    """Parts of a batch that name no more accounts together than memory should hold."""
    part: list[Incoming] = []
    named = 0
    for record in incoming:
        command = record.message
        if isinstance(command, RegistryApply):
            count = sum(map(_things, command.steps))
        else:
            count = len(accounts_named(command)) if isinstance(command, Command) else 0
        if part and named + count > MOST_ACCOUNTS:
            yield part
            part, named = [], 0
        part.append(record)
        named += count
    if part:
        yield part


def _things(step: Step) -> int:
    """What a step weighs: few enough are decided between two statements that PostgreSQL does not
    take the transaction for a forgotten one."""
    return STEP_WEIGHS + (len(step.accounts) if type(step) is ChangeAccountsStep else 0)


async def _carry_out(part: Sequence[Incoming], tx: Tx) -> list[Answer]:
    commands = [record.message for record in part if isinstance(record.message, Command)]
    known = await registry.open_registry(tx, commands)
    before: list[Entity] = [
        *known.environments.values(),
        *known.customers.values(),
        *known.accounts.values(),
    ]
    answered = await registry.recall(tx, {(c.environment, c.command_id): None for c in commands})
    made: dict[Key, tuple[bytes, Answer]] = {}
    refusals: dict[RefusalKey, Answer] = {}
    said: list[Said] = []
    breath = Breath()
    for record in part:
        message: Command | Malformed = record.message
        await breath.take()
        if isinstance(message, Malformed):
            said.append(_refuse_unreadable(message, refusals, tx))
            continue
        key = (message.environment, message.command_id)
        content = digest(message)
        earlier = answered.get(key)
        if earlier is None and _has_not_happened(record):
            said.append(_refuse_unreadable(_too_early(message), refusals, tx))
        elif earlier is None:
            if isinstance(message, UnbookedDismiss):
                outcome = await unbooked.dismiss(tx, message)
                answer = _answer(message, outcome, tx)
            elif isinstance(message, RegistryApply):
                outcome, answer = await _apply(message, known, tx)
            else:
                outcome, answer = await _decide(message, known, tx)
            made[key] = answered[key] = (content, answer)
            said.append(answered[key][1])
            await _follow(message, outcome, known, tx)
        elif earlier[0] == content:
            said.append(earlier[1])
            await _follow_again(message, earlier[1], tx)
        else:
            name = RefusalKey(message.environment, "command", message.command_id, content)
            refusals[name] = _answer(message, REUSED, tx, suffix=f"/{content.hex()[:16]}")
            said.append(name)
    written = list(known.changed.values())
    revisions = await entities.record(tx, written, before)
    states.know(tx, written, revisions)
    await registry.record_commands(tx, made)
    first = await sales.remember_refusals(tx, refusals) if refusals else {}
    return [first[one] if isinstance(one, RefusalKey) else one for one in said]


def _has_not_happened(record: Incoming) -> bool:
    """Whether somebody is said to accept the terms later than he can have said so. Of no other
    command is it kept when it was given."""
    command = record.message
    return isinstance(command, EnvironmentAcceptGdpr) and too_early(command.at, record.time)


def _too_early(command: Command) -> Malformed:
    return Malformed(
        type=command.type,
        ids={"environment": command.environment, "command_id": command.command_id},
        fields={},
        field="at",
        message=TOO_EARLY,
        answered_by=command.answered_by,
        digest=digest(command),
    )


async def _decide(command: Command, known: Registry, tx: Tx) -> tuple[Outcome, Answer]:
    """Decide and word one command; sales are answered between any two of thousands of accounts."""
    if isinstance(command, AccountChange):
        outcome = await Breath().through(changing_accounts(command, known))
    else:
        outcome = carry_out(command, known)
    return outcome, _answer(command, outcome, tx)


async def _apply(asked: RegistryApply, known: Registry, tx: Tx) -> tuple[Outcome, Answer]:
    """Decide and word the steps of a command; sales are answered in between."""
    if (refusal := refuses_all(asked, known)) is not None:
        return refusal, _answer(asked, refusal, tx)
    steps = Steps(known, known.environments[asked.environment])
    results: Counter[tuple[str, str]] = Counter()
    breath = Breath()
    for step in asked.steps:
        found = steps.take(step)
        results[step.type, "applied" if isinstance(found, Applied) else found.reason] += 1
        await breath.take()
    for labels, count in results.items():
        tx.when_committed(partial(COMMANDS.labels(*labels).inc, count))
    outcome = steps.outcome()
    return outcome, _answer(asked, outcome, tx)


async def _follow(command: Command, outcome: Outcome, known: Registry, tx: Tx) -> None:
    result = "applied" if isinstance(outcome, Applied) else outcome.reason
    tx.when_committed(COMMANDS.labels(command.type, result).inc)
    if isinstance(outcome, Applied):
        breath = Breath()
        for entity in outcome.entities:
            known.keep(entity)
            await breath.take()
        await _publish(command, outcome.changes, tx)


async def _follow_again(command: Command, answer: Answer, tx: Tx) -> None:
    """Who made the change may have died before its state was told."""
    if answer.type == "command.applied":
        said = CommandApplied.model_validate_json(answer.value)
        await _publish(command, [Effect(c.kind, c.id, c.change) for c in said.changes], tx)


async def _publish(command: Command, changes: Sequence[Effect], tx: Tx) -> None:
    environment = command.environment
    breath = Breath()
    for change in changes:
        if change.kind == "environment":
            tx.touch("environment", environment)
        else:
            tx.touch(change.kind, environment, change.id)
        await breath.take()
    told_again = command.type == "registry.republish"
    if told_again:
        await tx.add_job(
            REPUBLISH, f"{environment}/{command.command_id}", {"environment": environment}
        )
    erased_before = command.type == "customer.erase" and all(
        each.change == "unchanged" for each in changes
    )
    if told_again or erased_before:
        await forgetting.again(tx, environment, command.command_id)


def _answer(command: Command, outcome: Outcome, tx: Tx, *, suffix: str = "") -> Answer:
    environment, command_id = command.environment, command.command_id
    if isinstance(outcome, Applied):
        value = outcomes.applied(environment, command_id, outcome)
        return _outgoing("command.applied", environment, command_id, value, tx, suffix)
    message = CommandRefused(
        command_id=command_id,
        environment=environment,
        reason=outcome.reason,
        field=outcome.field,
        message=outcome.message,
    )
    return _outgoing(message.type, environment, command_id, encode(message), tx, suffix)


def _outgoing(
    kind: str, environment: int, command_id: str, value: bytes, tx: Tx, suffix: str
) -> Answer:
    ce_id = f"{kind}/{environment}/{command_id}{suffix}"
    return Answer(registry.TOPIC, str(environment), ce_id, kind, tx.now, value)


def _refuse_unreadable(given: Malformed, refusals: dict[RefusalKey, Answer], tx: Tx) -> RefusalKey:
    """What is wrong in itself takes no id's place: whoever mends it may keep the id."""
    environment, command_id = int(given.ids["environment"]), str(given.ids["command_id"])
    content = sha256(
        repr((given.type, sorted(given.ids.items()), given.field, given.message)).encode()
    ).digest()
    message = CommandRefused(
        command_id=command_id,
        environment=environment,
        reason=INVALID,
        field=given.field,
        message=f"{given.field} {given.message}.",
    )
    name = RefusalKey(environment, "command", command_id, content)
    refusals[name] = _outgoing(
        message.type, environment, command_id, encode(message), tx, f"/{content.hex()[:16]}"
    )
    return name
