"""registry.state and registry.outcomes: the importer's own copy, and what became of its commands.

Takes environment.state, customer.state, account.state, command.applied and command.refused.
Answers nothing. Changes the copy (the highest version wins) and the outcomes of commands that
the importer sent; the jobs that wait for either look for themselves. Of customers that were
erased a job `erase` takes out what imports still hold of them.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import TypeVar

from runtime.answers import Answer
from runtime.incoming import Incoming
from runtime.transaction import Tx
from schemas.commands import CommandApplied, CommandRefused
from schemas.registry import AccountState, CustomerState, EnvironmentState
from services.importer.domain.messages import say
from services.importer.domain.result_sentences import RESULTS
from services.importer.store import registry
from services.importer.store.registry import Outcome

ERASE = "erase"

STATES = (EnvironmentState, CustomerState, AccountState)
OUTCOMES = (CommandApplied, CommandRefused)

S = TypeVar("S", EnvironmentState, CustomerState, AccountState)


async def hear_state(batch: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
    """Keep the newest state of each environment, customer and account."""
    environments: dict[Hashable, EnvironmentState] = {}
    customers: dict[Hashable, CustomerState] = {}
    accounts: dict[Hashable, AccountState] = {}
    for record in batch:
        match record.message:
            case EnvironmentState() as state:
                _keep(environments, state.environment, state)
            case CustomerState() as state:
                _keep(customers, (state.environment, state.customer_id), state)
            case AccountState() as state:
                _keep(accounts, (state.environment, state.account), state)
    await registry.hear_environments(tx, environments.values())
    erased = await registry.hear_customers(tx, customers.values())
    await registry.hear_accounts(tx, accounts.values())
    for environment, ids in sorted(erased.items()):
        ref = f"{environment}/{sha256(','.join(sorted(ids)).encode()).hexdigest()}"
        await tx.add_job(ERASE, ref, {"environment": environment, "customers": sorted(ids)})
    return ()


def _keep(newest: dict[Hashable, S], key: Hashable, state: S) -> None:
    if key not in newest or newest[key].version < state.version:
        newest[key] = state


async def hear_outcomes(batch: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
    """Note what became of commands; those of others are not known here and change nothing."""
    outcomes: dict[tuple[int, str], Outcome] = {}
    for record in batch:
        match record.message:
            case CommandApplied() as applied:
                found = outcome_of(applied)
            case CommandRefused() as refused:
                found = Outcome(
                    environment=refused.environment,
                    command_id=refused.command_id,
                    outcome="refused",
                    effect=None,
                    message=refused.message,
                    reason=refused.reason,
                )
            case _:
                continue
        outcomes.setdefault((found.environment, found.command_id), found)
    await registry.note_outcomes(tx, await _introduced(tx, outcomes.values()))
    return ()


async def _introduced(tx: Tx, outcomes: Collection[Outcome]) -> list[Outcome]:
    """The registry speaks English everywhere: a report says first whose words these are."""
    refused = {o.environment for o in outcomes if o.outcome == "refused"}
    tongues = await registry.tongues(tx, refused) if refused else {}
    return [
        replace(o, told=say(RESULTS["registry"], tongues.get(o.environment, "en"), value=o.message))
        if o.outcome == "refused" and o.message
        else o
        for o in outcomes
    ]


def outcome_of(applied: CommandApplied) -> Outcome:
    """The most that a command did: created before changed before unchanged."""
    done = {change.change for change in applied.changes}
    effect = next((e for e in ("created", "changed") if e in done), "unchanged")
    # Of an account's number the importer says itself what there is to say, in the preview already.
    told = [
        c.message for c in applied.warnings or () if (c.kind, c.field) != ("account", "account")
    ]
    cautions = "; ".join(told)
    return Outcome(
        environment=applied.environment,
        command_id=applied.command_id,
        outcome="applied",
        effect=effect,
        message=cautions[:2000] or None,
    )
