"""A mail server that misbehaves: each thing that a real one was seen to do, on command.

It speaks SMTP by itself, line by line, so that it can break off anywhere. What it took, as a real
server would have it in its queue, is in `mails`; so a mail that it took without a word is there.
"""

import asyncio
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Any

from cli.stack.ports import free_port

CERTIFICATE = Path(__file__).with_name("mail_server.pem")


MOST_BYTES = 64 * 1024 * 1024


class HangUp(Exception):
    """Close the line here, without a word."""


@dataclass
class Said:
    """One command in a session: `verb` is CONNECT, EHLO, MAIL, RCPT, DATA, "." (the mail is there),
    RSET, AUTH or QUIT; `nth` counts this verb since the server was made."""

    verb: str
    argument: str
    nth: int


Rule = Callable[[Said], str | None]
"""What to answer; None: as a good server would. May wait (time.sleep is not asyncio's: it is run
in the session's own coroutine through `delay_s`) or raise HangUp."""


@dataclass
class RudeServer:
    """Listens on 127.0.0.1 in a thread of its own. `rule` is asked first, for every command."""

    rule: Rule = lambda said: None
    delay_s: dict[str, float] = field(default_factory=dict)
    """Verb -> how long to think before answering it."""
    starttls: bool = False
    tls: bool = False
    login: str | None = None
    """The AUTH PLAIN argument that is let in; None: no login is asked for."""
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    most_at_once: int = 0

    def __post_init__(self) -> None:
        self.port = free_port()
        self._counts: dict[str, int] = {}
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(CERTIFICATE)

    @property
    def address(self) -> str:
        """host:port, as in ONACCOUNT_SMTP."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen; also again after `stop`, at the same address."""
        self._server = self._do(
            asyncio.start_server(
                self._serve,
                "127.0.0.1",
                self.port,
                ssl=self._context if self.tls else None,
                limit=MOST_BYTES,
            )
        )

    def stop(self) -> None:
        """Be away: what is open is closed, connections are refused."""

        async def leave() -> None:
            if self._server is not None:
                self._server.close()
            for writer in self._open:
                writer.close()

        self._do(leave())

    def close(self) -> None:
        """End for good."""
        self.stop()
        self._do(self._settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _settle(self) -> None:
        others = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    # -- one session -----------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self.most_at_once = max(self.most_at_once, len(self._open))
        try:
            if await self._answer(writer, "CONNECT", "", "220 rude at your service"):
                await self._talk(reader, writer)
        except (HangUp, ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rcpt = ""
        while line := (await reader.readline()).decode().strip():
            verb, _, argument = line.partition(" ")
            verb = verb.upper()
            if verb == "STARTTLS" and self.starttls:
                await self._say(writer, "220 go ahead")
                await writer.start_tls(self._context)
                continue
            taken = await self._answer(writer, verb, argument, self._usual(verb, argument))
            if verb == "RCPT" and taken:
                rcpt = argument.partition("<")[2].partition(">")[0]
            elif verb == "DATA" and taken:
                content = await reader.readuntil(b"\r\n.\r\n")
                plain = content[:-3].replace(b"\r\n..", b"\r\n.")
                mail = message_from_bytes(plain, _class=EmailMessage, policy=SMTP_POLICY)
                await self._take(writer, mail, rcpt)
            elif verb == "QUIT":
                return

    async def _take(self, writer: asyncio.StreamWriter, mail: EmailMessage, rcpt: str) -> None:
        """Keep a mail, unless the rule refuses it; when it hangs up, the mail is kept."""
        self.mails.append(mail)
        self.recipients.append(rcpt)
        if not await self._answer(writer, ".", rcpt, "250 2.0.0 kept"):
            place = next(n for n, kept in enumerate(self.mails) if kept is mail)
            del self.mails[place], self.recipients[place]

    def _usual(self, verb: str, argument: str) -> str:
        if verb == "EHLO":
            more = ["STARTTLS"] if self.starttls else []
            more += ["AUTH PLAIN"] if self.login else []
            return "\r\n".join(["250-rude", *(f"250-{each}" for each in more), "250 SIZE 99999999"])
        if verb == "AUTH":
            let_in = argument == f"PLAIN {self.login}"
            return "235 2.7.0 in" if let_in else "535 5.7.8 wrong password"
        usual = {"DATA": "354 go on", "QUIT": "221 bye", "STARTTLS": "502 5.5.1 no TLS here"}
        return usual.get(verb, "250 yes")

    async def _answer(
        self, writer: asyncio.StreamWriter, verb: str, argument: str, usual: str
    ) -> bool:
        """Think, answer; whether that was a yes."""
        self.verbs.append(verb)
        self._counts[verb] = self._counts.get(verb, 0) + 1
        await asyncio.sleep(self.delay_s.get(verb, 0))
        answer = self.rule(Said(verb, argument, self._counts[verb])) or usual
        await self._say(writer, answer)
        return answer[0] in "23"

    async def _say(self, writer: asyncio.StreamWriter, answer: str) -> None:
        writer.write(f"{answer}\r\n".encode(errors="surrogateescape"))
        await writer.drain()
