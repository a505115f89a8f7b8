"""Giving mails to a mail server: a few connections, kept open while there is work for them."""

import asyncio
import ssl
import time
from collections import deque
from contextlib import suppress

import aiosmtplib
from aiosmtplib.errors import (
    SMTPDataError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from services.invoicer.settings import Settings
from services.invoicer.smtp_outcomes import (
    SERVICE_CLOSING,
    Away,
    Outcome,
    Refused,
    Sent,
    Unsure,
    of_response,
    why_of,
)

IDLE_S = 5.0
"""A connection that idled for longer is closed: servers close them too, and then a mail fails."""

_GO_ON, _TAKEN = 354, 250

MAILS_PER_CONNECTION = 100
"""Servers count too, and many refuse more than that."""


class Mailer:
    """Sends mails over at most `smtp_connections` connections side by side.

    While the server is away it is tried with growing pauses, by whoever comes first after a
    pause; `ready` lets the others wait without composing a mail that could not be sent.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._turns = asyncio.Semaphore(settings.smtp_connections)
        self._idle: deque[_Connection] = deque()
        self._pause_s = 0.0
        self._not_before = 0.0
        self._tls: ssl.SSLContext | None = None

    async def ready(self) -> None:
        """Wait while the server is known to be away; not longer than `smtp_away_s`."""
        await asyncio.sleep(max(0.0, self._not_before - time.monotonic()))

    async def send(self, sender: str, recipient: str, content: bytes) -> Outcome:
        """Hand over one mail to one recipient. Raises nothing but cancellation."""
        async with self._turns:
            kept = self._kept()
            if kept is not None:
                outcome = await self._talk(kept, sender, recipient, content)
                if not isinstance(outcome, Away):
                    return outcome
                # It was closed while it idled, or had enough: that says nothing yet.
            outcome = await self._over_a_new_one(sender, recipient, content)
        self._note(outcome)
        return outcome

    async def close(self) -> None:
        """Take leave of the server."""
        while self._idle:
            connection = self._idle.pop()
            with suppress(SMTPException, OSError, TimeoutError):
                await connection.smtp.quit(timeout=1)
            connection.smtp.close()

    def _note(self, outcome: Outcome) -> None:
        """A 421 slows all mails, whomever it was said of: many servers limit so what they take."""
        closing = isinstance(outcome, Refused) and outcome.code == SERVICE_CLOSING
        if not closing and not isinstance(outcome, Away):
            self._pause_s = self._not_before = 0.0
            return
        longest_s = self._settings.smtp_away_s
        self._pause_s = min(longest_s, self._pause_s * 2 or longest_s / 8)
        self._not_before = time.monotonic() + self._pause_s

    # -- one mail over one connection ------------------------------------------------------------

    async def _over_a_new_one(self, sender: str, recipient: str, content: bytes) -> Outcome:
        try:
            smtp = await self._connect()
        except (SMTPException, OSError, TimeoutError) as error:
            return Away(why=why_of(error))
        return await self._talk(_Connection(smtp), sender, recipient, content)

    async def _talk(
        self, connection: "_Connection", sender: str, recipient: str, content: bytes
    ) -> Outcome:
        """MAIL, RCPT, DATA. Once the mail is on its way, a line that breaks off leaves open whether
        the server has it (RFC 5321, 4.5.3.2.6)."""
        smtp, named, given = connection.smtp, False, False
        try:
            size = [f"SIZE={len(content)}"] if smtp.supports_extension("size") else []
            await smtp.mail(sender, options=size)
            named = not connection.since  # one that idled may be closed whatever the mail
            await smtp.rcpt(recipient)
            await _may_come(smtp)
            given = True
            await _content(smtp, content, self._settings.smtp_data_timeout_s)
        except SMTPResponseException as error:
            outcome = of_response(error.code, error.message, named=named, given=given)
            going = error.code == SERVICE_CLOSING
            reset = isinstance(outcome, Refused) and not going
            await self._keep_or_close(connection, reset=reset)
            return outcome
        except (SMTPException, OSError, TimeoutError) as error:
            smtp.close()
            why = why_of(error)
            return Unsure(why=why) if given else Away(why=why)
        except BaseException:
            smtp.close()
            raise
        connection.mails += 1
        self._keep(connection)
        return Sent()

    # -- connections -----------------------------------------------------------------------------

    def _kept(self) -> "_Connection | None":
        while self._idle:
            connection = self._idle.pop()
            fresh = time.monotonic() - connection.since < IDLE_S
            if fresh and connection.smtp.is_connected:
                return connection
            connection.smtp.close()
        return None

    def _keep(self, connection: "_Connection") -> None:
        if connection.mails < MAILS_PER_CONNECTION and connection.smtp.is_connected:
            connection.since = time.monotonic()
            self._idle.append(connection)
        else:
            connection.smtp.close()

    async def _keep_or_close(self, connection: "_Connection", *, reset: bool) -> None:
        """After a refusal the server is told to forget this mail; after worse it is left alone."""
        if reset and connection.smtp.is_connected:
            with suppress(SMTPException, OSError, TimeoutError):
                await connection.smtp.rset()
                self._keep(connection)
                return
        connection.smtp.close()

    async def _connect(self) -> aiosmtplib.SMTP:
        settings = self._settings
        smtp = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            timeout=settings.smtp_timeout_s,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            tls_context=self._tls_context(),
            local_hostname=settings.smtp_hello or None,
        )
        try:
            await smtp.connect()
            if settings.smtp_user and settings.smtp_password:
                await smtp.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _tls_context(self) -> ssl.SSLContext | None:
        if self._settings.smtp_security == "none":
            return None
        self._tls = self._tls or ssl.create_default_context(cafile=self._settings.smtp_ca_file)
        return self._tls


async def _may_come(smtp: aiosmtplib.SMTP) -> None:
    """Say DATA. Raises SMTPDataError where the server won't have it."""
    response = await smtp.execute_command(b"DATA")
    if response.code != _GO_ON:
        raise SMTPDataError(response.code, response.message)


async def _content(smtp: aiosmtplib.SMTP, content: bytes, timeout_s: float) -> None:
    """The mail itself, whose lines end in CR LF, and the answer to it.

    As the library's own `data`, which searches a mail for line ends and dots for 13 ms.
    """
    protocol = smtp.protocol
    if protocol is None:
        raise SMTPServerDisconnected("Connection lost")
    stuffed = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]  # RFC 5321, 4.5.2
    end = b".\r\n" if stuffed.endswith(b"\r\n") else b"\r\n.\r\n"
    protocol._response_pending = True  # or what is answered counts as said unasked
    protocol.write(stuffed + end)
    response = await protocol.read_response(timeout=timeout_s)
    if response.code != _TAKEN:
        raise SMTPDataError(response.code, response.message)


class _Connection:
    """An open connection, how many mails went over it, and since when it idles."""

    __slots__ = ("mails", "since", "smtp")

    def __init__(self, smtp: aiosmtplib.SMTP) -> None:
        self.smtp = smtp
        self.mails = 0
        self.since = 0.0
