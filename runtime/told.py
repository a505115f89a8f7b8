"""The same refusal, byte for byte, of a message that is remembered nowhere else."""

from hashlib import sha256

from runtime.answers import Answer
from runtime.sql import statements
from runtime.transaction import Tx

sql = statements("runtime", "sql/told.sql")


async def first_told(tx: Tx, given: Answer) -> Answer:
    """This answer as it was given the first time; now, where that is now.

    For what takes no id's place (what can't be read, another content under a known id, a run that
    began nothing): its sender may say it otherwise under the same id and is then answered anew. So
    its ce_id is made from what is refused and why; what comes under that ce_id is one answer for
    ever.
    """
    name = sha256(given.id.encode()).digest()
    await tx.execute(sql.keep, name, given.time, given.value)
    row = await tx.fetchrow(sql.kept, name)
    assert row is not None  # it was just written, or had been
    return given._replace(time=row["ce_time"], value=row["value"])
