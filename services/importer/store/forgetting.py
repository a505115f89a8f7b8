"""What is no longer needed of people, taken out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from runtime.sql import statements
from runtime.transaction import Tx
from services.importer.store.uploads import Upload

sql = statements("services.importer", "sql/forgetting.sql")

AT_ONCE: Final = 5_000


async def some_rows(tx: Tx, upload: Upload) -> bool:
    """Forget rows with their commands; False once there are none."""
    gone = await tx.fetchval(sql.rows, upload.environment, upload.job_id, AT_ONCE)
    return bool(gone)


async def the_rest(tx: Tx, upload: Upload) -> None:
    """Forget what else holds people's data of a job whose rows are gone."""
    job = (upload.environment, upload.job_id)
    for statement in (sql.steps, sql.things, sql.preview, sql.forgotten):
        await tx.execute(statement, *job)


async def under_way(tx: Tx, environment: int, ids: Sequence[str]) -> bool:
    """Whether anything about these customers was asked and not answered: it may be asked again,
    and must be the same then. Until the transaction ends nothing more is sent about them."""
    who = (environment, list(ids))
    await tx.execute(sql.lock_jobs_of, *who)
    return bool(await tx.fetchval(sql.under_way, *who))


async def customers(tx: Tx, environment: int, ids: Sequence[str]) -> None:
    """Forget what rows and commands say of these customers, in whichever job."""
    who = (environment, list(ids))
    jobs = await tx.fetch(sql.jobs_of_customers, *who)
    for statement in (
        sql.warnings_of_customers,
        sql.commands_of_customers,
        sql.things_of_customers,
        sql.steps_of_customers,
    ):
        await tx.execute(statement, *who)
    for row in jobs:
        await tx.execute(sql.preview, environment, row["job_id"])
