"""What is still to go of erased customers from what tills were told (docs/decisions/0115)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pydantic_core import to_json

from runtime.arrays import columns
from runtime.breath import Breath
from runtime.sql import statements
from runtime.transaction import Tx
from services.authorizer.domain.entities import Key

sql: Final = statements("services.authorizer", "sql/forgetting.sql")

KIND: Final = "forget"

BYTES_A_STEP: Final = 500_000
"""Of directories, as PostgreSQL keeps them: compressed."""

SEARCHES_A_STEP: Final = 2_000

# Where a name stands in what a till is told: in its accounts, and nowhere else unescaped.
_NAME: Final = re.compile(rb'"name":("(?:[^"\\]|\\.)*"),"description":')


Names = Mapping[bytes, int]
"""By a name, as it stands in JSON: the last revision that may hold it. Later it is another's."""


async def note(tx: Tx, names: Sequence[Key]) -> None:
    """Have these names (environment, name) forgotten: by a job, for it may take minutes."""
    if not names:
        return
    last: dict[int, int] = {}
    for r in await tx.fetch(sql.note, *columns(names)):
        last[r["environment"]] = max(r["id"], last.get(r["environment"], 0))
    for environment, id_ in last.items():
        await _add_job(tx, environment, f"{environment}/{id_}")


async def again(tx: Tx, environment: int, command_id: str) -> None:
    """Have what is noted still forgotten by another job: its own may have been given up."""
    last = await tx.fetchval(sql.last_noted, environment)
    if last is not None:
        await _add_job(tx, environment, f"{environment}/{last}/{command_id}")


async def _add_job(tx: Tx, environment: int, ref: str) -> None:
    await tx.add_job(KIND, ref, {"environment": environment}, serial=f"{KIND} {environment}")


async def names(
    tx: Tx, environments: Iterable[int], upto: int | None = None
) -> tuple[dict[int, Names], int]:
    """What is still to go, by environment, and the last id among it (0: nothing is)."""
    found: dict[int, dict[bytes, int]] = defaultdict(dict)
    last = 0
    for r in await tx.fetch(sql.to_forget, sorted(set(environments)), upto):
        its, name = found[r["environment"]], to_json(r["name"])
        its[name] = max(r["revision"], its.get(name, 0))
        last = max(last, r["id"])
    return dict(found), last


def out_of_told(content: bytes, names: Names, revision: int | None) -> bytes:
    """A page, or what a search was answered, of this revision without them. None: nobody knows of
    which it is, and the names go."""

    def instead(found: re.Match[bytes]) -> bytes:
        until = names.get(found[1])
        stays = until is None or (revision is not None and revision > until)
        return found[0] if stays else b'"name":"","description":'

    return _NAME.sub(instead, content)


async def forget_in_pages(tx: Tx, environment: int, after: int, names: Names) -> int | None:
    """Of some revisions after this one; gives the last of them, None where there are no more."""
    upto = max(names.values())
    rows = await tx.fetch(sql.pages_after, environment, after, upto, BYTES_A_STEP)
    breath = Breath()
    for r in rows:
        pages = []
        for page in r["pages"]:
            pages.append(out_of_told(page, names, r["revision"]))
            await breath.take()
        if pages != r["pages"]:
            await tx.execute(sql.change_pages, environment, r["revision"], pages)
    return rows[-1]["revision"] if rows else None


async def forget_in_searches(
    tx: Tx, environment: int, after: str | None, names: Names
) -> str | None:
    """Of some searches after this one; gives the last of them, None where there are no more."""
    rows = await tx.fetch(sql.searches_after, environment, after, SEARCHES_A_STEP)
    breath = Breath()
    changed: dict[str, bytes] = {}
    for r in rows:
        answer = out_of_told(r["answer"], names, r["revision"])
        if answer != r["answer"]:
            changed[r["search_id"]] = answer
        await breath.take()
    if changed:
        await tx.execute(sql.change_searches, environment, list(changed), list(changed.values()))
    return rows[-1]["search_id"] if len(rows) == SEARCHES_A_STEP else None


async def forgotten(tx: Tx, environment: int, upto: int) -> None:
    await tx.execute(sql.forgotten, environment, upto)
