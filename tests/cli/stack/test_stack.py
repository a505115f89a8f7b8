"""`stack up` as a person, or a check from outside, meets it: it serves, and it survives.

Goal: whatever is killed comes back where it was, with what was in it; nothing is left behind.
Method: real processes and kill -9. The tests stand in the order of a stack's life and share it.
"""

import asyncio
import contextlib
import os
import signal
import smtplib
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from cli.stack.process import wait_until
from schemas.topics import TOPICS
from tests.support import run
from tests.support.stacks import NO_WORKERS, Stack, begin_stack, running_in

pytestmark = pytest.mark.timeout(120)

SERVERS = ("kafka", "postgres", "mail")


@pytest.fixture(scope="module")
def folder() -> Path:
    return run.current().new_folder("stack") / "with a space, a comma and één"


@pytest.fixture(scope="module")
def bare(folder: Path) -> Iterator[Stack]:
    """A stack without workers."""
    stack = begin_stack(folder, workers=NO_WORKERS, formatted=False)
    stack.wait_ready()
    yield stack
    stack.end()


async def put(stack: Stack, text: str) -> None:
    """Leave something in each of the servers."""
    async with AIOKafkaProducer(bootstrap_servers=stack.info["kafka"], acks="all") as producer:
        await producer.send_and_wait("kept", text.encode(), partition=0)
    connection = await asyncpg.connect(stack.info["postgres_admin"])
    await connection.execute("INSERT INTO public.kept VALUES ($1)", text)
    await connection.close()
    host, port = stack.info["smtp"].split(":")
    with smtplib.SMTP(host, int(port)) as client:
        client.sendmail("a@example.org", ["b@example.org"], f"Subject: {text}\r\n\r\nhello\r\n")


async def found(stack: Stack) -> tuple[set[str], set[str], set[str]]:
    """What is in each of the servers."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.info["kafka"])
    async with consumer:
        partition = TopicPartition("kept", 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        records = {(await consumer.getone()).value.decode() for _ in range(end)}
    connection = await asyncpg.connect(stack.info["postgres_admin"])
    rows = {row["text"] for row in await connection.fetch("SELECT text FROM public.kept")}
    await connection.close()
    mails = [file.read_text() for file in Path(stack.info["mail_dir"]).glob("*.eml")]
    subjects = {mail.split("Subject: ")[1].splitlines()[0] for mail in mails}
    return records, rows, subjects


async def test_once_the_file_is_there_everything_serves(bare: Stack) -> None:
    info = bare.info
    assert stat.S_IMODE((bare.folder / "stack.json").stat().st_mode) == 0o600
    for name in ("kafka", "logs", "mails"):
        assert stat.S_IMODE((bare.folder / name).stat().st_mode) == 0o700, name
    assert [one["name"] for one in info["processes"]] == list(SERVERS)
    names = {one["name"]: psutil.Process(one["pid"]).name() for one in info["processes"]}
    assert names["kafka"] == "java"
    assert names["postgres"] == "postgres"
    admin = AIOKafkaAdminClient(bootstrap_servers=info["kafka"])
    await admin.start()
    assert {topic.name for topic in TOPICS} <= set(await admin.list_topics())
    await admin.create_topics([NewTopic("kept", 1, 1)])
    await admin.close()
    for service, dsn in info["postgres"].items():
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SELECT current_user") == service
        assert await connection.fetchval("SELECT count(*) FROM positions") == 0
        await connection.close()
    connection = await asyncpg.connect(info["postgres_admin"])
    await connection.execute("CREATE TABLE public.kept (text text)")
    await connection.close()
    await put(bare, "first")
    assert await found(bare) == ({"first"}, {"first"}, {"first"})


@pytest.mark.parametrize("name", SERVERS)
async def test_a_killed_server_is_back_at_its_address_with_its_data(bare: Stack, name: str) -> None:
    before = bare.info
    pid = bare.kill(name)
    assert wait_until(lambda: bare.pid(name) is None, within_s=10), "the file still gives a pid"
    await asyncio.to_thread(bare.wait_back, name, pid)
    after = bare.info
    assert {key: after[key] for key in ("kafka", "postgres", "smtp")} == {
        key: before[key] for key in ("kafka", "postgres", "smtp")
    }
    await put(bare, f"after {name}")
    assert all({"first", f"after {name}"} <= part for part in await found(bare))


def test_a_second_stack_in_the_same_folder_is_refused(bare: Stack) -> None:
    second = onaccount("up", "--dir", str(bare.folder))
    assert second.returncode == 1
    assert "already" in second.stderr
    assert second.stderr.count("\n") == 1
    assert bare.process.poll() is None
    assert bare.pid("kafka") is not None


async def test_everything_is_there_again_after_all_of_it_was_killed(
    bare: Stack, folder: Path
) -> None:
    before = bare.info
    expected = await found(bare)
    bare.process.kill()
    for one in before["processes"]:
        os.kill(one["pid"], signal.SIGKILL)
    bare.process.wait()
    again = begin_stack(folder, workers=NO_WORKERS)
    again.wait_ready()
    bare.process = again.process
    assert again.info["kafka"] == before["kafka"]
    assert again.info["postgres"] == before["postgres"]
    assert await found(again) == expected
    await put(again, "last")


def test_down_ends_what_a_killed_up_has_left(bare: Stack, folder: Path) -> None:
    started = running_in(folder)
    assert {mark.name for mark in started} == set(SERVERS)
    bare.process.kill()
    bare.process.wait()
    done = onaccount("down", "--dir", str(folder))
    assert done.returncode == 0, done.stderr
    assert [mark for mark in started if mark.process() is not None] == []
    assert working_in(folder) == []
    assert not (folder / "stack.json").exists()


def test_down_ends_a_running_stack_and_its_exit_status_is_0(bare: Stack, folder: Path) -> None:
    again = begin_stack(folder, workers=NO_WORKERS)
    again.wait_ready()
    bare.process = again.process
    done = onaccount("down", "--dir", str(folder))
    assert done.returncode == 0, done.stderr
    assert again.process.wait(5) == 0
    assert working_in(folder) == []
    assert "no stack runs" in onaccount("down", "--dir", str(folder)).stdout


@pytest.mark.parametrize("after_s", [0.3, 1.0, 2.0])
def test_ctrl_c_while_it_starts_leaves_nothing(after_s: float) -> None:
    folder = run.current().new_folder("interrupted")
    stack = begin_stack(folder, workers=NO_WORKERS, formatted=False)
    with contextlib.suppress(subprocess.TimeoutExpired):
        stack.process.wait(after_s)
    assert stack.end(signal.SIGINT, within_s=10) in (130, -signal.SIGINT)
    assert "Traceback" not in stack.output
    assert working_in(folder) == []


def test_a_given_kafka_is_used_and_two_stacks_live_side_by_side(kafka: str) -> None:
    stacks = [
        begin_stack(
            run.current().new_folder("beside"),
            workers=NO_WORKERS,
            environment={"ONACCOUNT_KAFKA": kafka},
        )
        for _ in range(2)
    ]
    try:
        for stack in stacks:
            stack.wait_ready()
            assert stack.info["kafka"] == kafka
            assert [one["name"] for one in stack.info["processes"]] == ["postgres", "mail"]
        assert stacks[0].info["smtp"] != stacks[1].info["smtp"]
    finally:
        statuses = [stack.end() for stack in stacks]
    assert statuses == [0, 0]


def onaccount(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", "stack", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **environment},
    )


def working_in(folder: Path) -> list[str]:
    """Processes that have this folder in their command line or work in it."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), process.cwd()]
        except (psutil.Error, OSError):
            continue
        if any(str(folder) in word for word in words):
            found.append(" ".join(words))
    return found
