"""PostgreSQL starts for whoever we are: also for root, which it refuses to be."""

import os
import signal
from pathlib import Path

import asyncpg
import psutil
import pytest

from cli.stack.component import running
from cli.stack.ports import free_port
from cli.stack.postgres import Postgres
from cli.stack.process import gone
from tests.support.servers import Server


@pytest.fixture
def server(tmp_path: Path) -> Postgres:
    """In a folder of mode 700 with a name that is no easy one."""
    folder = tmp_path / "a folder, with 'quotes' and é"
    folder.mkdir(mode=0o700)
    return Postgres(
        folder=folder / "postgres",
        port=free_port(),
        password="tests-only",
        log=folder / "postgres.log",
        fsync=False,
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to be somebody else")
@pytest.mark.parametrize("user", ["inside:65534", "become:65534"])
async def test_root_can_start_it_in_a_folder_that_others_cannot_enter(
    server: Postgres, user: str
) -> None:
    from dataclasses import replace

    server = replace(server, user=user)
    for _ in range(2):  # the second time with what the first has made
        async with running(server) as pid:
            connection = await asyncpg.connect(server.dsn("postgres"))
            await connection.execute("CREATE TABLE IF NOT EXISTS one (id int)")
            await connection.close()
            assert psutil.Process(pid).uids().real == (0 if user.startswith("inside") else 65534)
    if user.startswith("become"):
        server = replace(server, user=None)  # whoever comes later goes on with that user
        async with running(server) as pid:
            assert psutil.Process(pid).uids().real == 65534


async def test_backends_that_outlive_a_killed_postmaster_do_not_keep_a_new_one_from_starting(
    server: Postgres,
) -> None:
    one = Server(server)
    await one.start()
    connection = await asyncpg.connect(server.dsn("postgres"))
    backend = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()"))
    backend.send_signal(signal.SIGSTOP)  # so that it does not notice the postmaster's end
    await one.kill()
    assert backend.is_running()
    await one.start()
    assert gone(backend)
    await one.stop()
    connection.terminate()


async def test_what_was_committed_just_before_a_kill_is_there_also_without_fsync(
    server: Postgres,
) -> None:
    """What says `--no-fsync` gives up the crash of a machine, not that of a process."""
    one = Server(server)
    await one.start()
    connection = await asyncpg.connect(server.dsn("postgres"))
    await connection.execute("CREATE TABLE one (id int)")
    for number in range(200):
        await connection.execute("INSERT INTO one VALUES ($1)", number)
    await one.kill()
    connection.terminate()
    await one.start()
    connection = await asyncpg.connect(server.dsn("postgres"))
    assert await connection.fetchval("SELECT count(*) FROM one") == 200
    await connection.close()
    await one.stop()


async def test_it_takes_no_other_password_and_listens_on_this_machine_only(
    own_postgres: Server,
) -> None:
    component = own_postgres.component
    assert isinstance(component, Postgres)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(component.dsn("postgres", password="guessed"))
    listening = {
        one.laddr.ip
        for one in psutil.Process(own_postgres.pid).net_connections()
        if one.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
