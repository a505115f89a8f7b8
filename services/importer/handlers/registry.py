"""registry.state and registry.outcomes: the importer's own copy, and what became of its commands.

Takes environment.state, customer.state, account.state, command.applied and command.refused.
Answers nothing. Changes the copy (the highest version wins) and the outcomes of commands that
the importer sent; the jobs that wait for either look for themselves. Of customers that were
erased a job `erase` takes out what imports still hold of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from hashlib import sha256
from typing import TypeVar

from runtime.answers import Answer
from runtime.incoming import Incoming
from runtime.transaction import Tx
from schemas.commands import CommandApplied, CommandRefused
from schemas.registry import AccountState, CustomerState, EnvironmentState
from services.importer.domain.messages import Tongue, of_row
from services.importer.domain.registry_sentences import refused as refused_because
from services.importer.domain.registry_sentences import warned
from services.importer.store import registry
from services.importer.store.registry import Asked, Became, Outcome, builds_on

ERASE = "erase"

STATES = (EnvironmentState, CustomerState, AccountState)
OUTCOMES = (CommandApplied, CommandRefused)

MOST = {"": 0, "unchanged": 1, "changed": 2, "created": 3}

S = TypeVar("S", EnvironmentState, CustomerState, AccountState)


async def hear_state(batch: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
    """Keep the newest state of each environment, customer and account."""
    erased: dict[int, set[str]] = defaultdict(set)
    ref = ""
    environments: dict[Hashable, EnvironmentState] = {}
    customers: dict[Hashable, CustomerState] = {}
    accounts: dict[Hashable, AccountState] = {}
    for record in batch:
        state = record.message
        # By its very type: of a model isinstance takes ten times as long.
        kind = type(state)
        if kind is CustomerState:
            _keep(customers, (state.environment, state.customer_id), state)
            if state.erased:
                # Also where that is known: something may be left, of a job that was given up.
                erased[state.environment].add(state.customer_id)
                ref = ref or f"{record.partition}/{record.offset}"
        elif kind is AccountState:
            _keep(accounts, (state.environment, state.account), state)
        elif kind is EnvironmentState:
            _keep(environments, state.environment, state)
    await registry.hear_environments(tx, environments.values())
    await registry.hear_customers(tx, customers.values())
    await registry.hear_accounts(tx, accounts.values())
    for environment, ids in sorted(erased.items()):
        # A batch that comes again may be a longer one.
        who = sha256(",".join(sorted(ids)).encode()).hexdigest()
        asked = {"environment": environment, "customers": sorted(ids)}
        await tx.add_job(ERASE, f"{environment}/{ref}/{who}", asked)
    return ()


def _keep(newest: dict[Hashable, S], key: Hashable, state: S) -> None:
    known = newest.setdefault(key, state)
    if known.version < state.version:
        newest[key] = state


async def hear_outcomes(batch: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
    """Note what became of commands; those of others are not known here and change nothing."""
    said: dict[tuple[int, str], CommandApplied | CommandRefused] = {}
    for record in batch:
        match record.message:
            case CommandApplied() | CommandRefused() as message:
                said.setdefault((message.environment, message.command_id), message)
    if not said:
        return ()
    asked = await registry.asked(tx, said)
    tongues = await registry.tongues(tx, {b.environment for b in asked.values()})
    found = []
    for key, bundle in asked.items():
        tongue = tongues.get(bundle.environment, "en")
        found.append((bundle, await _results(tx, said[key], bundle, tongue)))
    await registry.note_results(tx, found)
    await registry.note_undone(
        tx, [outcome_of(message) for key, message in said.items() if key not in asked]
    )
    return ()


async def _results(
    tx: Tx, said: CommandApplied | CommandRefused, bundle: Asked, tongue: Tongue
) -> Became:
    """What became of each step, with what a report says of it."""
    if isinstance(said, CommandRefused):
        told = refused_because(said.reason, said.field, said.message, tongue)
        return Became(results={str(at): ["refused", told] for at in range(len(bundle.rows))})
    done: dict[int, str] = {}
    for change in said.changes:
        if change.step is not None and MOST[change.change] >= MOST[done.get(change.step, "")]:
            done[change.step] = change.change
    told_of: dict[int, list[str]] = defaultdict(list)
    for warning in said.warnings or ():
        # Of an account's number the importer says itself what there is to say, in the preview.
        if warning.step is not None and (warning.kind, warning.field) != ("account", "account"):
            told_of[warning.step].append(warned(warning.field, warning.message, tongue))
    results: dict[str, list[str | None]] = {
        str(step): [effect, "; ".join(told_of[step])[:2000]] if step in told_of else [effect]
        for step, effect in done.items()
    }
    refused = said.refused or ()
    needed = await builds_on(tx, bundle) if any(r.reason == "depends" for r in refused) else {}
    for one in refused:
        why: str | None = refused_because(one.reason, one.field, one.message, tongue)
        if one.reason == "depends" and one.step in needed:
            # Where a row does not build on another, the refused step is its own and said why.
            other = bundle.rows[needed[one.step]]
            own = other == bundle.rows[one.step]
            why = None if own else of_row("depends", tongue, other=other)
        results[str(one.step)] = ["refused", why]
    made = [(change.kind, change.id) for change in said.changes if change.change == "created"]
    return Became(
        results=results,
        customers=[one for kind, one in made if kind == "customer"],
        accounts=[one for kind, one in made if kind == "account"],
    )


def outcome_of(said: CommandApplied | CommandRefused) -> Outcome:
    """The most that a command did: created before changed before unchanged."""
    if isinstance(said, CommandRefused):
        return Outcome(
            environment=said.environment,
            command_id=said.command_id,
            outcome="refused",
            effect=None,
            message=said.message,
            reason=said.reason,
        )
    effect = max((c.change for c in said.changes), key=MOST.__getitem__, default="unchanged")
    cautions = "; ".join(c.message for c in said.warnings or ())
    return Outcome(
        environment=said.environment,
        command_id=said.command_id,
        outcome="applied",
        effect=effect,
        message=cautions[:2000] or None,
    )
