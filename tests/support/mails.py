"""A mail server of our own: it keeps what it gets, and refuses what a test tells it to."""

import asyncio
import threading
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Any

from aiosmtpd.smtp import SMTP

from cli.stack.ports import free_port


class MailServer:
    """Listens on 127.0.0.1 in a thread of its own.

    `answers` is {recipient: what RCPT is answered}, such as "550 5.1.1 no such user" or
    "451 4.7.1 try again later"; `data_answer` is what each mail is answered (None: 250).
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.answers: dict[str, str] = {}
        self.data_answer: str | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """host:port, as in ONACCOUNT_SMTP."""
        return f"127.0.0.1:{self.port}"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        """Take or refuse one recipient."""
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep one mail."""
        if self.data_answer:
            return self.data_answer
        mail = message_from_bytes(envelope.content, _class=EmailMessage, policy=SMTP_POLICY)
        self.mails.append(mail)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"

    def start(self) -> None:
        """Listen; also again after `stop`, at the same address."""
        if not self._thread.is_alive():
            self._thread.start()
        self._server = self._do(
            self._loop.create_server(
                lambda: SMTP(self, enable_SMTPUTF8=True, ident="test"), "127.0.0.1", self.port
            )
        )

    def stop(self) -> None:
        """Be away: connections are refused."""
        if self._server is not None:
            self._loop.call_soon_threadsafe(self._server.close)
            self._server = None

    def close(self) -> None:
        """End for good, and what is still said with clients."""
        self.stop()
        if self._thread.is_alive():
            self._do(self._end_talks())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5)

    async def _end_talks(self) -> None:
        talks = asyncio.all_tasks() - {asyncio.current_task()}
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(5)
