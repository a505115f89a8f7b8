"""What a worker remembers outlives PostgreSQL, which after a crash counts its transactions anew.

Method: a server of this module's own is killed while a sale is decided and not committed; the next
transaction, which commonly gets the lost one's number, lowers the account's limit.
"""

from contextlib import suppress

import asyncpg

from tests.services.authorizer.changes import lower
from tests.services.authorizer.support import NOON, requested, said, venue
from tests.support import databases
from tests.support.servers import Server


async def test_a_sale_is_not_decided_on_what_a_crash_undid(own_postgres: Server) -> None:
    server = own_postgres
    database = databases.described(server.component, databases.TEMPLATE)
    async with venue(database, limit=100) as bench:
        with suppress(asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError):
            async with bench.transaction() as tx:
                await bench.decide_sales([bench.incoming(requested("lost", 10), at=NOON)], tx)
                lost = await tx.fetchval("SELECT pg_current_xact_id()::xid")
                await server.kill()
        await server.start()
        await lower(bench)
        (row,) = await bench.rows("SELECT xmin, approved FROM account")
        assert (row["xmin"] >= lost, row["approved"]) == (True, 0)
        (answer,) = await bench.sell(requested("a", 20))
        assert said(answer).get("reason") == "over_limit"
