"""What tills were told of the accounts, and what is to be told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Final

from pydantic import TypeAdapter

from runtime.answers import Answer
from runtime.arrays import columns
from runtime.breath import Breath
from runtime.sql import statements
from runtime.transaction import Tx
from schemas.terminals import DirectoryAccount
from services.authorizer.domain.directory import Listed, Order, order, pages, shown, words
from services.authorizer.store import forgetting

sql: Final = statements("services.authorizer", "sql/directory.sql")
TOPIC: Final = "pos.directories"
FOUND: Final = "directory.found"

Key = tuple[int, str]
Revision = tuple[int, int]
"""An environment and the revision of what its tills see."""

_account = TypeAdapter(DirectoryAccount).serializer.to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """An environment as tills see it, at one moment."""

    revision: int
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What one sign-on was answered: the directory's revision, or why there is nothing."""

    terminal: str
    revision: int | None
    reason: str | None
    answered_at: datetime


async def recall_sessions(tx: Tx, keys: Iterable[Key]) -> dict[Key, Session]:
    rows = await tx.fetch(sql.recall_sessions, *columns(keys))
    return {
        (r["environment"], r["session_id"]): Session(
            terminal=r["terminal"],
            revision=r["revision"],
            reason=r["reason"],
            answered_at=r["answered_at"],
        )
        for r in rows
    }


async def recall_searches(tx: Tx, keys: Iterable[Key]) -> dict[Key, tuple[bytes, Answer]]:
    """Which of these searches were answered: (digest, answer)."""
    asked = list(keys)
    erased = await _erased(tx, (environment for environment, _ in asked))
    rows = await tx.fetch(sql.recall_searches, *columns(asked))
    return {
        (r["environment"], r["search_id"]): (
            r["digest"],
            Answer(
                TOPIC,
                r["terminal"],
                f"{FOUND}/{r['environment']}/{r['search_id']}",
                FOUND,
                r["answered_at"],
                forgetting.out_of_told(
                    r["answer"], erased.get(r["environment"], {}), r["revision"]
                ),
            ),
        )
        for r in rows
    }


async def venues(tx: Tx, environments: Iterable[int]) -> dict[int, Venue]:
    """The environments, shared: no command changes them until the transaction ends."""
    rows = await tx.fetch(sql.houses, sorted(set(environments)))
    return {
        r["environment"]: Venue(
            revision=r["revision"],
            reason=None
            if r["gdpr_accepted"] and r["active"]
            else ("module_inactive" if r["gdpr_accepted"] else "gdpr_not_accepted"),
        )
        for r in rows
    }


async def directories(
    tx: Tx, known: Collection[Revision], present: Iterable[Revision]
) -> Mapping[Revision, Sequence[bytes]]:
    """The pages of these revisions, each as the JSON of its accounts.

    `known` were told before and are there; `present` are of this moment and made where they are
    missing.
    """
    wanted = dict.fromkeys((*known, *present))
    erased = await _erased(tx, (environment for environment, _ in known))
    rows = await tx.fetch(
        sql.pages,
        *columns(wanted),
    )
    found: dict[Revision, Sequence[bytes]] = {
        (r["environment"], r["revision"]): r["pages"] for r in rows
    }
    breath = Breath()
    for environment, revision in known:
        if names := erased.get(environment):
            told: list[bytes] = []
            for page in found[environment, revision]:
                told.append(forgetting.out_of_told(page, names, revision))
                await breath.take()
            found[environment, revision] = told
    for environment, revision in dict.fromkeys(present):
        if (environment, revision) not in found:
            made = await _overview(tx, environment)
            await tx.execute(sql.add_pages, environment, revision, made)
            found[environment, revision] = made
    return found


async def _erased(tx: Tx, environments: Iterable[int]) -> dict[int, forgetting.Names]:
    """Whose names are not to be told again, though the job that forgets them is not through yet.

    Ask before reading what was told: the job may be through in between, and then it is what was
    read that holds them.
    """
    some = set(environments)
    return (await forgetting.names(tx, some))[0] if some else {}


async def _overview(tx: Tx, environment: int) -> list[bytes]:
    """The pages of this moment. Of thousands of accounts: sales are answered in between."""
    breath = Breath()
    placed: list[tuple[Order, Listed]] = []
    for r in await tx.fetch(sql.overview, environment):
        listed = Listed(r["account"], r["description"], r["holder"])
        placed.append((order(listed), listed))
        await breath.take()
    placed.sort(key=itemgetter(0))
    told: list[bytes] = []
    for _, listed in placed:
        told.append(_account(shown(listed)))
        await breath.take()
    parts = pages([len(each) + 1 for each in told])
    return [b"[" + b",".join(told[part]) + b"]" for part in parts]


async def find(tx: Tx, asked: Sequence[tuple[int, str]]) -> dict[int, list[Listed]]:
    """Hits by the place of their search in `asked`: (environment, what was typed)."""
    hits: dict[int, list[Listed]] = defaultdict(list)
    rows = await tx.fetch(
        sql.find_accounts,
        list(range(len(asked))),
        [environment for environment, _ in asked],
        [" ".join(words(query)) for _, query in asked],
        [query.strip() for _, query in asked],
    )
    for r in rows:
        hits[r["number"]].append(
            Listed(r["account"], r["description"], r["holder"], r["status"], r["on_account"])
        )
    return hits


async def record_sessions(tx: Tx, sessions: Mapping[Key, Session]) -> None:
    if sessions:
        rows = sessions.values()
        await tx.execute(
            sql.record_sessions,
            *columns(sessions),
            [s.terminal for s in rows],
            [s.revision for s in rows],
            [s.reason for s in rows],
            tx.now,
        )


async def record_searches(
    tx: Tx, searches: Mapping[Key, tuple[bytes, Answer]], venues: Mapping[int, Venue]
) -> None:
    """Remember what was answered, and of which revision of its venue."""
    if searches:
        said = [answer for _, answer in searches.values()]
        houses = [venues.get(environment) for environment, _ in searches]
        await tx.execute(
            sql.record_searches,
            *columns(searches),
            [a.key for a in said],
            [digest for digest, _ in searches.values()],
            [a.value for a in said],
            [house and house.revision for house in houses],
            tx.now,
        )
