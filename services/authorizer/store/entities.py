"""Writes back what a batch of commands changed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from pydantic_core import to_json

from runtime.arrays import columns
from runtime.breath import Breath
from runtime.transaction import Tx
from services.authorizer.domain.entities import Account, Customer, Entity, Environment, Key
from services.authorizer.domain.names import display_name, fold, searched_name
from services.authorizer.store import forgetting
from services.authorizer.store.registry import A_BREATH, sql


async def record(
    tx: Tx, changed: Collection[Entity], before: Collection[Entity]
) -> Mapping[int, int]:
    """Write what changed; a unique violation means that another worker was first.

    `before` is all that was read at the batch's beginning: what is not among it is new. Gives the
    revision at which that leaves each environment that was there before.
    """
    breath = Breath()
    known: dict[tuple[str, int, str], Entity] = {}
    for entity in before:
        known[entity.kind, entity.environment, entity.id] = entity
        await breath.take()
    new: list[Entity] = []
    old: list[Entity] = []
    for entity in changed:
        there = (entity.kind, entity.environment, entity.id) in known
        (old if there else new).append(entity)
        await breath.take()
    for statement, some in ((sql.add_environments, new), (sql.change_environments, old)):
        await _environments(tx, statement, [e for e in some if isinstance(e, Environment)])
    names = await _names_to_forget(tx, old, known)
    for statement, some in ((sql.add_customers, new), (sql.change_customers, old)):
        await _customers(tx, statement, [e for e in some if isinstance(e, Customer)])
    await forgetting.note(tx, names)
    added = [e for e in new if isinstance(e, Account)]
    altered = [e for e in old if isinstance(e, Account)]
    if added:
        sums = [account.sums for account in added]
        await tx.execute(
            sql.add_accounts,
            *_account_columns(added),
            [s.issued for s in sums],
            [s.credited for s in sums],
            [s.paid for s in sums],
            [s.refunded for s in sums],
            tx.now,
        )
    await _change_accounts(tx, altered)
    await _viewers(tx, [*added, *altered], known)
    revised = {e.environment for e in changed} - {
        e.environment for e in new if isinstance(e, Environment)
    }
    if not revised:
        return {}
    rows = await tx.fetch(sql.new_revisions, sorted(revised))
    return {r["environment"]: r["revision"] for r in rows}


async def _names_to_forget(
    tx: Tx, old: Sequence[Entity], known: dict[tuple[str, int, str], Entity]
) -> list[Key]:
    """What tills were ever told that those are called who are erased, by environment."""
    erased = [e for e in old if isinstance(e, Customer) and e.erased]
    if not erased:
        return []
    found: dict[Key, None] = {}
    for customer in erased:
        before = known[customer.kind, customer.environment, customer.id]
        if isinstance(before, Customer) and (name := display_name(before.fields)):
            found[customer.environment, name] = None
    keys = columns((e.environment, e.customer_id) for e in erased)
    for r in await tx.fetch(sql.earlier_names, *keys):
        found.update({(r["environment"], name): None for name in r["earlier_names"]})
    return list(found)


async def _change_accounts(tx: Tx, altered: Sequence[Account]) -> None:
    """Write accounts that were there. All is made ready before the first is locked: their sales
    wait from then on."""
    parts: list[tuple[list[object], ...]] = []
    breath = Breath()
    for start in range(0, len(altered), A_BREATH):
        parts.append(_account_columns(altered[start : start + A_BREATH]))
        await breath.take()
    if parts:
        await tx.execute(sql.lock_accounts, *columns((a.environment, a.account) for a in altered))
    for values in parts:
        await tx.execute(sql.change_accounts, *values, tx.now)


async def _environments(tx: Tx, statement: str, some: Sequence[Environment]) -> None:
    if some:
        gdpr = [e.gdpr for e in some]
        await tx.execute(
            statement,
            [e.environment for e in some],
            [e.version for e in some],
            [e.active for e in some],
            [g and g.accepted_by for g in gdpr],
            [g and g.document for g in gdpr],
            [g and g.at for g in gdpr],
            [json.dumps(e.settings) for e in some],
            tx.now,
        )


async def _customers(tx: Tx, statement: str, some: Sequence[Customer]) -> None:
    if some:
        await tx.execute(
            statement,
            *columns((c.environment, c.customer_id) for c in some),
            [c.version for c in some],
            [c.erased for c in some],
            [to_json(c.fields).decode() for c in some],
            [display_name(c.fields) for c in some],
            [searched_name(c.fields) for c in some],
            tx.now,
        )


def _account_columns(some: Sequence[Account]) -> tuple[list[object], ...]:
    return (
        [a.environment for a in some],
        [a.account for a in some],
        [a.version for a in some],
        [a.description for a in some],
        [fold(f"{a.account} {a.description}") for a in some],
        [a.status for a in some],
        [a.limit for a in some],
        [a.on_account for a in some],
        [a.in_overview for a in some],
        [a.holder for a in some],
    )


async def _viewers(
    tx: Tx, accounts: Sequence[Account], known: dict[tuple[str, int, str], Entity]
) -> None:
    added: list[tuple[Key, str]] = []
    removed: list[tuple[Key, str]] = []
    breath = Breath()
    for account in accounts:
        await breath.take()
        key = (account.environment, account.account)
        earlier = known.get((account.kind, *key))
        before = earlier.viewers if isinstance(earlier, Account) else frozenset()
        if account.viewers == before:
            continue
        added += [(key, viewer) for viewer in sorted(account.viewers - before)]
        removed += [(key, viewer) for viewer in sorted(before - account.viewers)]
    for statement, pairs in ((sql.remove_viewers, removed), (sql.add_viewers, added)):
        if pairs:
            await tx.execute(
                statement, *columns(key for key, _ in pairs), [viewer for _, viewer in pairs]
            )
