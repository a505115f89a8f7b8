"""A mail catcher: an SMTP server that delivers nothing and keeps each mail as an .eml file.

By itself:  python -m cli.stack.mail --port 2525 --dir var/mail [--host 127.0.0.1]
"""

import argparse
import asyncio
import hashlib
import os
import signal
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import compat32
from pathlib import Path
from typing import Any

from cli.stack.process import Program
from cli.trouble import Trouble

SIZE_LIMIT = 40 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """The catcher on 127.0.0.1:`port`, whose mails go to `folder`."""

    folder: Path
    port: int
    log: Path
    death_signal: signal.Signals | None = None
    name: str = "mail"

    @property
    def address(self) -> str:
        """What clients are told."""
        return f"127.0.0.1:{self.port}"

    async def prepare(self) -> None:
        """Make the folder, and clear it of what was not finished."""
        make_ready(self.folder)

    def program(self) -> Program:
        """This module, in a process of its own."""
        where = ["--port", str(self.port), "--dir", str(self.folder.resolve())]
        return Program(
            name=self.name,
            command=[sys.executable, "-m", "cli.stack.mail", *where],
            log=self.log,
            death_signal=self.death_signal,
        )

    async def probe(self, *, again: bool = False) -> None:
        """Read its greeting."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        greeting = await reader.readline()
        writer.close()
        if not greeting.startswith(b"220 "):
            raise ConnectionError(greeting)


class Keeper:
    """Writes each mail that comes in to a file of its own (aiosmtpd's handler)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep one mail; it is on the disk before the client is told 250."""
        try:
            await asyncio.to_thread(keep, self.folder, envelope)
        except OSError as fault:
            print(f"a mail can't be kept in {self.folder}: {fault.strerror}", file=sys.stderr)
            return "452 4.3.1 no room for this mail now"
        return "250 OK"


def keep(folder: Path, envelope: Any) -> Path:
    """Write a mail as an .eml file whose name sorts by time; it appears whole or not at all.

    The envelope's addresses are put before it, as X-Envelope-From and X-Envelope-To. A mail that
    is sent twice is kept twice.
    """
    content: bytes = envelope.content
    message_id = message_from_bytes(content, policy=compat32).get("Message-ID", "")
    digest = hashlib.sha256(message_id.strip().encode() or content).hexdigest()[:16]
    at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    file = folder / f"{at}-{digest}.eml"
    part = file.with_suffix(".part")
    head = [f"X-Envelope-From: {envelope.mail_from}"]
    head += [f"X-Envelope-To: {address}" for address in envelope.rcpt_tos]
    with part.open("wb") as out:
        out.write("".join(f"{line}\r\n" for line in head).encode())
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return file


def make_ready(folder: Path) -> None:
    """Make the folder, and clear it of what a killed catcher had not yet said 250 to."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # invoices, with names and addresses
    for part in folder.glob("*.part"):
        part.unlink()


async def serve(host: str, port: int, folder: Path) -> None:
    """Catch mails until SIGTERM or SIGINT; raises Trouble when the port is in use."""
    from aiosmtpd.smtp import SMTP

    loop, keeper = asyncio.get_running_loop(), Keeper(folder)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        server = await loop.create_server(
            lambda: SMTP(
                keeper, data_size_limit=SIZE_LIMIT, enable_SMTPUTF8=True, ident="onaccount mail"
            ),
            host,
            port,
        )
    except OSError as fault:
        raise Trouble(
            f"The mail catcher can't listen on {host}:{port} ({fault.strerror}); choose another "
            "port, or end what listens there."
        ) from fault
    print(f"keeping mails for {host}:{port} in {folder}", flush=True)
    await stop.wait()
    server.close()


def main() -> int:
    """Run the catcher."""
    parser = argparse.ArgumentParser(prog="python -m cli.stack.mail", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    chosen = parser.parse_args()
    try:
        make_ready(chosen.dir)
        asyncio.run(serve(chosen.host, chosen.port, chosen.dir))
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
