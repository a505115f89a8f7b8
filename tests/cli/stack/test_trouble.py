"""What the stack says when it can't be started: one sentence, with what, where and what to do."""

import errno
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cli.stack import jars
from cli.stack.commands import see_to_room
from cli.stack.component import answers, running
from cli.stack.kafka import Kafka
from cli.stack.plan import HIGHEST_PORT, parse_counts
from cli.stack.ports import free_port
from cli.stack.worker import Worker
from cli.trouble import Trouble, from_os_error
from runtime.health import HealthServer
from runtime.status import Status
from tests.support.rude_mails import CERTIFICATE
from tests.support.stacks import NO_WORKERS


def refused(*arguments: str, **environment: str) -> str:
    """What `stack up` says when it fails; it must be one line, and no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", "stack", "up", "--workers", NO_WORKERS, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **environment},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_a_port_that_is_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = refused("--dir", str(tmp_path / "d"), "--ports", f"kafka={port}")
    assert str(port) in said
    assert "in use" in said


async def test_a_broker_that_ends_while_it_starts_says_why_and_not_how_it_closed_down(
    tmp_path: Path,
) -> None:
    """Somebody took its port after it was found free."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port()))
        other.listen()
        port = other.getsockname()[1]
        broker = Kafka(
            folder=tmp_path / "kafka",
            port=port,
            controller_port=free_port(taken={port}),
            log=tmp_path / "kafka.log",
        )
        with pytest.raises(Trouble, match=r"kafka ended by itself .* Address already in use"):
            async with running(broker):
                pass


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "d").touch()
    assert str(tmp_path / "d") in refused("--dir", str(tmp_path / "d"))


def test_a_folder_that_cannot_be_written_is_named() -> None:
    said = refused("--dir", "/sys/onaccount")
    assert "/sys/onaccount" in said
    assert "permission" in said.lower()


def test_a_given_kafka_that_does_not_answer_is_named(tmp_path: Path) -> None:
    said = refused("--dir", str(tmp_path / "d"), ONACCOUNT_KAFKA="127.0.0.1:1")
    assert "127.0.0.1:1" in said
    assert "ONACCOUNT_KAFKA" in said


def test_workers_that_do_not_exist_are_named() -> None:
    with pytest.raises(Trouble, match="authoriser=2"):
        parse_counts("ledger=1,authoriser=2")
    with pytest.raises(Trouble, match="authorizer is at most 16"):
        parse_counts("authorizer=17")
    with pytest.raises(Trouble, match="kafka is at most 65535"):
        parse_counts("kafka=65536", ("kafka",), most=HIGHEST_PORT)
    assert parse_counts(" authorizer=2, ledger=0 ") == {"authorizer": 2, "ledger": 0}


@pytest.fixture
async def repository(tmp_path: Path) -> Path:
    """A Maven cache of this test's own, with links to the jars of the usual one."""
    usual = await jars.ensure()
    for jar in jars.listed():
        (tmp_path / jar.path).parent.mkdir(parents=True)
        (tmp_path / jar.path).symlink_to(usual / jar.path)
    return tmp_path


def test_a_jar_with_another_hash_is_named_and_not_run(repository: Path, tmp_path: Path) -> None:
    jar = repository / jars.listed()[7].path
    content = jar.read_bytes()
    jar.unlink()
    jar.write_bytes(content + b"\n")
    said = refused("--dir", str(tmp_path / "d"), M2_REPO=str(repository))
    assert str(jar) in said
    assert jars.listed()[7].sha256 in said
    assert not (tmp_path / "d" / "kafka" / "data").exists()


@contextmanager
def maven(content: bytes | None, certificate: Path | None = None) -> Iterator[str]:
    """A server that answers everything with `content`, or (None) does not answer; over TLS where
    it has a certificate."""
    wake = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if content is None:
                wake.wait(10)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Not in the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
    wake.set()
    server.shutdown()
    server.server_close()


def test_a_download_that_does_not_answer_is_tried_again_then_told(tmp_path: Path) -> None:
    jar = jars.listed()[0]
    with maven(None) as url, pytest.raises(Trouble, match="2 attempts") as told:
        jars.download(tmp_path, [jar], {"central": url}, attempts=2, timeout_s=0.2, pause_s=0)
    assert jar.path in str(told.value)
    assert url in str(told.value)
    assert list(tmp_path.rglob("*.jar")) == []


def test_a_download_with_another_hash_is_not_kept(tmp_path: Path) -> None:
    with maven(b"something else") as url, pytest.raises(Trouble, match="sha256"):
        jars.download(tmp_path, jars.listed()[:1], {"central": url})
    assert list(tmp_path.rglob("*.jar")) == []


def test_a_download_that_is_right_is_kept_where_jgo_and_maven_look(tmp_path: Path) -> None:
    jar = jars.listed()[0]
    original = jars.repository() / jar.path
    with maven(original.read_bytes()) as url:
        jars.download(tmp_path, [jar], {"central": url})
    assert jars.missing([jar], tmp_path) == []
    assert not [one for one in tmp_path.iterdir() if one.name.startswith("onaccount")]


def test_a_proxy_whose_authority_this_machine_trusts_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pip does; requests brings a list of its own, on which no company's authority stands."""
    jar = jars.listed()[0]
    content = (jars.repository() / jar.path).read_bytes()
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "")  # which is put back, whatever is set meanwhile
        monkeypatch.delenv(name)
    with maven(content, CERTIFICATE) as url:
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        with pytest.raises(Trouble, match=r"SSLError, 2 attempts"):
            jars.download(tmp_path, [jar], {"central": url}, attempts=2, pause_s=0)
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
        jars.download(tmp_path, [jar], {"central": url}, attempts=2, pause_s=0)
    assert jars.missing([jar], tmp_path) == []


def test_no_room_on_the_disk_is_told(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="1000000000 MB are needed"):
        see_to_room(tmp_path, needed_mb=1_000_000_000)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.ENOTDIR])
def test_what_the_system_refuses_is_told_with_the_place(number: int) -> None:
    said = str(from_os_error(OSError(number, os.strerror(number), "/a/place")))
    assert "/a/place" in said
    assert said.endswith(".")


async def test_a_worker_that_stopped_for_good_is_not_waited_for(tmp_path: Path) -> None:
    status = Status()
    status.went_back = "Kafka was put back; see docs/runbook.md before starting again"
    server = HealthServer(status, "127.0.0.1", 0)
    server.start()
    worker = Worker(
        name="ledger-1", service="ledger", health_port=server.port, environment={}, log=tmp_path
    )
    process = subprocess.Popen(["sleep", "30"])
    try:
        with pytest.raises(Trouble, match=r"ledger-1 stopped: Kafka was put back; see docs"):
            await answers(worker, process, within_s=3)
        status.went_back = None  # but is waited for where it waits itself
        with pytest.raises(ConnectionError):
            await worker.probe()
        await worker.probe(again=True)
    finally:
        process.kill()
        process.wait()
        server.stop()
