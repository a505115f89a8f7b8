"""PostgreSQL behind a cut cable: nothing answers, nothing refuses, and no connection is closed."""

from __future__ import annotations

import asyncio
import ctypes
import socket
import struct
import time

import asyncpg
import pytest

from runtime import database
from runtime.database import Connection
from runtime.faults import Fault, fault_of
from tests.support.databases import Database

GONE_S = 1.0
SO_ATTACH_FILTER = 26


def plug(connection: Connection) -> socket.socket:
    found: socket.socket = getattr(connection, "_transport", None).get_extra_info("socket")  # type: ignore[union-attr]
    return found


def cut(its: socket.socket) -> None:
    """From here on the kernel drops what comes in for this socket, acknowledgements too.

    A filter of one instruction: keep nothing.
    """
    instruction = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    program = struct.pack("HL", 1, ctypes.addressof(instruction))
    its.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


@pytest.fixture
def scissors() -> None:
    """Kernels differ in whether they let everybody attach a filter."""
    with socket.socket() as its:
        try:
            cut(its)
        except PermissionError:
            pytest.skip("this kernel lets only root cut a cable")


async def ask(its: database.Database, *, waits: bool) -> None:
    """A question over a cable that is cut: while its answer is awaited, or just before."""
    async with its.connection() as connection:
        asked = asyncio.ensure_future(connection.fetchval("SELECT pg_sleep(50)")) if waits else None
        await asyncio.sleep(0.3)
        cut(plug(connection))
        await (asked or connection.fetchval("SELECT 1"))


@pytest.mark.usefixtures("scissors")
@pytest.mark.parametrize(
    "waits", [True, False], ids=["while an answer is awaited", "before asking"]
)
async def test_a_cut_cable_is_noticed_in_seconds_and_the_next_use_connects_anew(
    postgres: Database, waits: bool
) -> None:
    its = database.Database(postgres.dsn("ledger"), gone_s=GONE_S)
    try:
        began = time.monotonic()
        with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)) as fault:
            await ask(its, waits=waits)
        assert time.monotonic() - began < 20  # not the minute of a statement's own time-out
        assert fault_of(fault.value) is Fault.SURROUNDINGS, fault.value
        assert await its.fetch("SELECT 1 AS one") == [(1,)]
    finally:
        await its.close()


async def test_a_worker_gives_a_silent_server_ten_seconds(postgres: Database) -> None:
    its = database.Database(postgres.dsn("ledger"))
    try:
        async with its.connection() as connection:
            its_plug = plug(connection)
            assert its_plug.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 10_000
            assert its_plug.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert its_plug.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5
    finally:
        await its.close()
