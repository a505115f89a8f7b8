"""A worker as a process: its health port, its metrics, its logs, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.health import HealthServer
from runtime.settings import SERVICES
from runtime.status import PULSE_OLD_S, Status
from tests.runtime.rig import ROOT, Rig, sale


def ask(port: int, path: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as response:
            raw, code = response.read(), response.status
    except urllib.error.HTTPError as error:
        raw, code = error.read(), error.code
    try:
        return code, json.loads(raw)
    except ValueError:
        return code, raw.decode()


@pytest.fixture
def status() -> Iterator[tuple[Status, int]]:
    status = Status(started=True, postgres=None, kafka=None)
    server = HealthServer(status, "127.0.0.1", 0)
    server.start()
    yield status, server.port
    server.stop()


def test_ready_gives_the_reasons_and_live_is_another_question(status: tuple[Status, int]) -> None:
    one, port = status
    assert ask(port, "/ready") == (200, {"ok": True, "why": []})
    one.postgres, one.lanes = "ConnectionRefusedError", {"sales": False}
    one.waits["sales: Kafka"] = "MessageSizeTooLargeError"
    code, said = ask(port, "/ready?verbose")
    assert code == 503
    assert said["why"] == [
        "PostgreSQL: ConnectionRefusedError",
        "lane sales has not joined its group",
        "sales: Kafka: waits for MessageSizeTooLargeError",
    ]
    assert ask(port, "/live") == (200, {"ok": True, "why": []})
    assert ask(port, "/nothing")[0] == 404


def test_whoever_has_addresses_of_ipv6_alone_can_ask_too() -> None:
    server = HealthServer(Status(), "::", 0)
    server.start()
    try:
        for here in ("127.0.0.1", "[::1]"):
            with urllib.request.urlopen(f"http://{here}:{server.port}/live", timeout=5) as told:
                assert json.loads(told.read())["ok"]
    finally:
        server.stop()


def test_a_probe_that_breaks_off_is_a_line_of_the_log(
    status: tuple[Status, int], capfd: pytest.CaptureFixture[str]
) -> None:
    """Logs are one event a line: no traceback of the port's own."""
    with socket.create_connection(("127.0.0.1", status[1])) as probe:
        probe.sendall(b"GET /rea")
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    told, until = "", time.monotonic() + 10
    while "health not told" not in told and time.monotonic() < until:
        time.sleep(0.02)
        told += "".join(capfd.readouterr())
    assert "ConnectionResetError" in told
    assert "Traceback" not in told
    assert ask(status[1], "/live")[0] == 200


def test_a_loop_that_hangs_is_not_alive_and_a_batch_that_hangs_is_not_either(
    status: tuple[Status, int],
) -> None:
    one, port = status
    one.pulse = time.monotonic() - PULSE_OLD_S - 5
    assert "the event loop has not turned" in str(ask(port, "/live"))
    one.pulse = time.monotonic()
    one.in_hand["sales"] = time.monotonic() - 500
    assert "lane sales has had a batch in hand for 500 s" in str(ask(port, "/live"))
    one.waits["sales: PostgreSQL"] = "LockNotAvailableError"
    assert ask(port, "/live")[0] == 200


def test_what_stands_still_on_purpose_says_by_what() -> None:
    one = Status(started=True)
    one.waits["sales: PostgreSQL"] = "ConnectionRefusedError"
    assert not one.stopped_by("store")
    assert not one.stopped_by("code")
    one.stopped("sales", "our own code failed on 10 records")
    assert not one.stopped_by("store")
    assert one.stopped_by("code")
    one.went_back = "PostgreSQL knows less"
    assert one.stopped_by("store")
    assert one.unready() == [
        "PostgreSQL knows less",
        "our own code failed on 10 records",
        "PostgreSQL: not asked yet",
        "Kafka: not asked yet",
        "sales: PostgreSQL: waits for ConnectionRefusedError",
    ]


@contextlib.contextmanager
def started(rig: Rig, **environment: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A toy worker as a process, its output at hand, and its health port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.runtime.toy"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={
            **os.environ, "ONACCOUNT_KAFKA": rig.kafka, "ONACCOUNT_POSTGRES_LEDGER": rig.dsn,
            "ONACCOUNT_SESSION_TIMEOUT_MS": "2500", "ONACCOUNT_HEALTH_PORT": str(port),
            "ONACCOUNT_WORKER": "toy-1", **environment,
        },
    )  # fmt: skip
    try:
        yield process, port
    finally:
        process.kill()
        process.communicate()


async def until_ready(port: int, within_s: float = 90) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if (await asyncio.to_thread(ask, port, "/ready"))[0] == 200:
                return
        await asyncio.sleep(0.05)
    raise AssertionError("not ready")


async def test_it_serves_metrics_and_logs_json_without_personal_data(rig: Rig) -> None:
    account, bad = "Jansen", sale("Jansen", note="raise")
    bad["lines"][0]["description"] = "Biertje voor Jansen"
    good = sale(account)
    with started(rig) as (process, port):
        await until_ready(port)
        await rig.send(good, bad, b'{"type":"Jansen"}')
        await rig.all_answered(account, [good["sale_id"], bad["sale_id"]])
        metrics = (await asyncio.to_thread(ask, port, "/metrics"))[1]
        process.send_signal(signal.SIGTERM)
        said = (await asyncio.to_thread(process.communicate, timeout=60))[0]
    assert process.returncode == 0
    for name in (
        'onaccount_records_total{fate="settled",topic="pos.sales"}',
        'onaccount_dead_letters_total{cause="own_fault",topic="pos.sales"}',
        'onaccount_answers_total{type="sale.approved"}',
        "onaccount_batch_seconds_bucket",
        "onaccount_batch_records_bucket",
        "onaccount_lag_records",
        "onaccount_ready 1.0",
        'onaccount_stopped{cause="store"} 0.0',
        'onaccount_stopped{cause="code"} 0.0',
        "faststream_received_messages_total",
    ):
        assert name in metrics, name
    lines = [json.loads(line) for line in said.splitlines()]
    assert {line["event"] for line in lines} >= {"health", "serving", "dead letter", "stopped"}
    assert all(line["service"] == "ledger" and line["worker"] == "toy-1" for line in lines)
    assert "Jansen" not in said
    assert rig.dsn not in said


@pytest.mark.parametrize("moment", ["health", "serving", 0.05, 0.2, 0.4])
async def test_told_to_stop_at_any_moment_of_its_start_it_exits_zero(
    rig: Rig, moment: str | float
) -> None:
    """At a line of its log, or so long after its first line."""
    with started(rig) as (process, _):
        assert process.stdout is not None
        while True:
            line = json.loads(await asyncio.to_thread(process.stdout.readline))
            if moment == line["event"] or not isinstance(moment, str):
                break
        if not isinstance(moment, str):
            await asyncio.sleep(moment)
        began = time.monotonic()
        process.terminate()
        rest = (await asyncio.to_thread(process.communicate, timeout=60))[0]
    assert process.returncode == 0, rest
    assert time.monotonic() - began < 10
    assert "Traceback" not in rest


def caught(process: subprocess.Popen[str], number: signal.Signals) -> bool:
    """Whether the process has a handler of its own for a signal (proc(5): SigCgt)."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    lines = (line for line in status.splitlines() if line.startswith("SigCgt:"))
    found = next(lines, "SigCgt: 0")  # a dead one that nobody has waited for may have none
    return bool(int(found.split()[1], 16) >> (number - 1) & 1)


@pytest.mark.parametrize("service", SERVICES)
def test_told_to_stop_before_its_code_is_loaded_a_worker_exits_zero(service: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", f"services.{service}"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        end = time.monotonic() + 60
        while not caught(process, signal.SIGTERM):
            assert process.poll() is None, f"it died with {process.returncode}"
            assert time.monotonic() < end, "it has no handler of its own after 60 s"
            time.sleep(0.001)
        process.terminate()
        said = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    assert said == ""


def test_a_check_that_is_broken_off_does_not_say_that_all_is_well() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", EARLY, "verify"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM


EARLY = """
from runtime.early import ready_to_end
ready_to_end()
print("ready", flush=True)
import time; time.sleep(60)
"""


@pytest.mark.parametrize("away", ["kafka", "postgres"])
async def test_told_to_stop_while_a_server_hangs_it_exits_zero_within_ten_seconds(
    rig: Rig, away: str
) -> None:
    """A server that takes connections and says nothing: every time-out is on the way."""
    mute = socket.create_server(("127.0.0.1", 0), backlog=50)
    address = f"127.0.0.1:{mute.getsockname()[1]}"
    setting = (
        {"ONACCOUNT_KAFKA": address}
        if away == "kafka"
        else {"ONACCOUNT_POSTGRES_LEDGER": f"postgresql://ledger:x@{address}/x"}
    )
    try:
        with started(rig, **setting) as (process, port):
            assert process.stdout is not None
            await asyncio.to_thread(process.stdout.readline)
            await asyncio.sleep(1)
            assert (await asyncio.to_thread(ask, port, "/live"))[0] == 200
            assert (await asyncio.to_thread(ask, port, "/ready"))[0] == 503
            began = time.monotonic()
            process.terminate()
            rest = (await asyncio.to_thread(process.communicate, timeout=60))[0]
        assert process.returncode == 0, rest
        assert time.monotonic() - began < 10
    finally:
        mute.close()


async def test_a_health_port_that_is_taken_is_said_in_a_sentence(rig: Rig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started(rig, ONACCOUNT_HEALTH_PORT=str(port)) as (process, _):
            said = (await asyncio.to_thread(process.communicate, timeout=60))[0]
    assert process.returncode == 1
    assert f"port {port} for health and metrics can't be opened (Address already in use)" in said
    assert "Traceback" not in said
