"""The connection to one service's PostgreSQL schema."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from asyncpg.protocol import protocol

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

IDLE_S = 5
"""So long a session may idle inside a transaction."""

# A stopped client (SIGSTOP, a cut cable) must not hold row locks for long: PostgreSQL ends a
# session that idles inside a transaction, and short keepalives end one whose host is gone.
# None of them works inside COPY FROM STDIN, so no COPY is used while rows are locked.
SESSION = {
    "application_name": "onaccount",
    "timezone": "UTC",
    "lock_timeout": "10s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": f"{IDLE_S}s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    # A plan that was kept while a table was small reads the whole table when it has grown: measured
    # at eight times the time after 80,000 rows. These statements carry hundreds of rows; planning
    # each anew is not noticed.
    "plan_cache_mode": "force_custom_plan",
    "jit": "off",  # these statements are short; compiling them costs more than they take
}

# For those whose every statement finds its rows by keys: a plan that is made once and for all, of
# index look-ups, is as good when a table is large as when it is empty. Planning took more of
# PostgreSQL's time for a small batch than all the rest (docs/performance.md). That it is one of
# look-ups PostgreSQL does not promise: where a table is empty all ways cost the same. So it is made
# anew every half minute, and a bad one does not outlive the table's first rows for long.
PLANS_S = 30.0
_ACQUIRE_S = 10.0
GONE_S = 10.0
"""How long a server that acknowledges nothing is taken for slow rather than gone. Seconds."""
BY_KEY = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_material": "off",
}


def _know_lists() -> None:
    """Have asyncpg tell lists by their type (docs/decisions/0087).

    Of each element of an array it asks whether that is a list too, which it asks the abstract class
    of all that can be iterated: two calls of Python for a text, most of what an array costs. Our
    arrays are lists, or tuples, and their elements neither. Where asyncpg asks otherwise one day
    nothing is set that it looks at.
    """
    vars(protocol)["IterableABC"] = (list, tuple)


def _notice_silence(connection: asyncpg.Connection, gone_s: float) -> None:
    """Have the kernel end a connection whose other side is silent: its cable cut, its power lost.

    Nothing else does before the time-out of a statement, which is a minute: what was sent is sent
    again, ever more seldom, and the worker looks ready meanwhile. A server that is only busy, or
    stopped, still has a kernel that acknowledges.
    """
    transport = getattr(connection, "_transport", None)  # asyncpg has no public way to it
    its = transport and transport.get_extra_info("socket")
    if its is None or its.family not in (socket.AF_INET, socket.AF_INET6):
        return  # a socket of the file system: no cable
    its.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    its.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, max(1, int(gone_s / 2)))
    its.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, int(gone_s / 5)))
    its.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    its.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(gone_s * 1000))


async def _keep_as_is(connection: asyncpg.Connection) -> None:
    """A released connection is in no transaction and was set to nothing: spare the round trip."""


class PlanningConnection(asyncpg.Connection):
    """A connection that knows when its plans were last forgotten."""

    planned_at = 0.0


async def _plan_anew(connection: asyncpg.Connection) -> None:
    """Forget plans that are older than `PLANS_S`; statements stay prepared."""
    assert isinstance(connection, PlanningConnection)
    now = time.monotonic()
    if now - connection.planned_at >= PLANS_S:
        connection.planned_at = now
        await connection.execute("DISCARD PLANS")


class Database:
    """A small pool of connections; a broken one is replaced by the next use.

    `by_key`: every statement finds its rows by keys, and is planned once.
    """

    def __init__(
        self,
        dsn: str,
        *,
        size: int = 8,
        name: str = "onaccount",
        by_key: bool = False,
        gone_s: float = GONE_S,
    ) -> None:
        self._dsn = dsn
        self.size = size
        self._by_key = by_key
        self._gone_s = gone_s
        self._session = {**SESSION, **(BY_KEY if by_key else {}), "application_name": name}
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> None:
        """Connect. Raises what asyncpg raises when the server is away."""
        _know_lists()
        async with self._opening:
            if self._pool is not None:
                return
            self._pool = await asyncpg.create_pool(
                self._dsn,
                min_size=1,
                max_size=self.size,
                max_inactive_connection_lifetime=300,
                timeout=5,
                command_timeout=65,
                server_settings=self._session,
                init=self._begin,
                reset=_plan_anew if self._by_key else _keep_as_is,
                connection_class=PlanningConnection if self._by_key else asyncpg.Connection,
            )

    async def _begin(self, connection: asyncpg.Connection) -> None:
        _notice_silence(connection, self._gone_s)

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection outside any transaction."""
        if self._pool is None:
            await self.open()
        pool = self._pool
        assert pool is not None
        # A time-out of the pool's own makes a task for each acquisition.
        async with asyncio.timeout(_ACQUIRE_S):
            connection = await pool.acquire()
        try:
            yield connection
        finally:
            await pool.release(connection, timeout=_ACQUIRE_S)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Connection]:
        """A connection inside a READ COMMITTED transaction that commits unless the body raises."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        async with self.connection() as connection:
            return list(await connection.fetch(query, *args))

    async def execute(self, query: str, *args: Any) -> str:
        async with self.connection() as connection:
            return str(await connection.execute(query, *args))
