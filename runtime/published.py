"""What was published and is still noted as unpublished."""

from collections.abc import Sequence

from runtime.database import Database
from runtime.transaction import sql

MOST = 1_000


class Published:
    """Ids of rows to be forgotten: with the next step that commits, else at the next tick.

    A transaction of their own for each step's answers was one commit in four. Until then a worker
    that dies leaves them to be published once more, the same bytes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids: list[int] = []

    def add(self, ids: Sequence[int]) -> None:
        """These were published; or a transaction that would have forgotten them was rolled back."""
        self._ids += ids

    def take(self) -> list[int]:
        """Some to forget in a transaction; what it does not commit is added again."""
        taken, self._ids = self._ids[:MOST], self._ids[MOST:]
        return taken

    async def forget(self) -> None:
        """Forget all, in transactions of their own. Raises what asyncpg raises."""
        while ids := self.take():
            try:
                await self._database.execute(sql.published, ids)
            except BaseException:
                self.add(ids)
                raise
