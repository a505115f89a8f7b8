"""What planned rows change of what is known."""

from __future__ import annotations

import json

from runtime.sql import statements
from runtime.transaction import Tx
from services.importer.domain.differences import Changing
from services.importer.store.uploads import Upload

sql = statements("services.importer", "sql/differences.sql")


async def changing(tx: Tx, upload: Upload, most: int) -> list[Changing]:
    """The first commands of a job that change something, those of limits before all others."""
    rows = await tx.fetch(sql.changing, upload.environment, upload.job_id, most)
    return [
        Changing(
            row=r["row"],
            type=r["type"],
            body=json.loads(r["body"]),
            before=json.loads(r["before"]),
            holder=json.loads(r["holder"]),
        )
        for r in rows
    ]
