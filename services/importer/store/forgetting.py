"""What is no longer needed of people, taken out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from runtime.sql import statements
from runtime.transaction import Tx
from services.importer.store.uploads import Upload

sql = statements("services.importer", "sql/forgetting.sql")

AT_ONCE: Final = 5_000


async def some(tx: Tx, upload: Upload) -> bool:
    """Forget some rows with their commands, and then of what an undo did; False once there is
    nothing. From the first on an undo is too late: what it took back of the rows that are left
    would be told as all of it."""
    await tx.execute(sql.forgotten, upload.environment, upload.job_id)
    for statement in (sql.rows, sql.steps, sql.things):
        if await tx.fetchval(statement, upload.environment, upload.job_id, AT_ONCE):
            return True
    return False


async def the_rest(tx: Tx, upload: Upload) -> None:
    """Forget what else holds people's data of a job whose rows are gone."""
    await tx.execute(sql.preview, upload.environment, upload.job_id)


async def under_way(tx: Tx, environment: int, ids: Sequence[str]) -> bool:
    """Whether these customers may be planned with still, as they were read before; or anything
    about them was asked and not answered: it may be asked again, and must be the same then. Until
    the transaction ends nothing more is sent about them."""
    who = (environment, list(ids))
    if await tx.fetchval(sql.planning, environment):
        return True
    await tx.execute(sql.lock_jobs_of, *who)
    return bool(await tx.fetchval(sql.under_way, *who))


async def customers(tx: Tx, environment: int, ids: Sequence[str]) -> None:
    """Forget what rows and commands say of these customers, in whichever job."""
    who = (environment, list(ids))
    bundles = await tx.fetch(sql.bundles_of_customers, *who)
    rows: defaultdict[str, set[int]] = defaultdict(set)
    for bundle in bundles:
        rows[str(bundle["job_id"])].update(bundle["rows"])
    for job_id, numbers in sorted(rows.items()):
        await tx.execute(sql.warnings_of_rows, environment, job_id, sorted(numbers))
        await tx.execute(sql.preview, environment, job_id)
    await tx.execute(sql.previews, environment)
    where = ([b["job_id"] for b in bundles], [b["number"] for b in bundles])
    await tx.execute(sql.commands_of_customers, *who, *where)
    await tx.execute(sql.planned_of_customers, *who)
    await tx.execute(sql.things_of_customers, *who)
    await tx.execute(sql.steps_of_customers, *who)
