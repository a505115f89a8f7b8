"""Giving mails to a mail server: a few connections, kept open while there is work for them."""

import asyncio
import re
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiosmtplib
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPConnectResponseError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from services.invoicer.settings import Settings

IDLE_S = 5.0
"""A connection that idled for longer is closed: servers close them too, and then a mail fails."""

_SERVICE_CLOSING = 421  # RFC 5321, 4.2.3: the server, not the mail


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The server took it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The server refused this mail to this recipient. 5xx is for good (RFC 5321, 4.2.1)."""

    code: int
    said: str

    @property
    def permanent(self) -> bool:
        return self.code >= 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """No server, or not one to talk to: says nothing about the mail."""

    why: str


Outcome = Sent | Refused | Away


class Mailer:
    """Sends mails over at most `smtp_connections` connections side by side."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._turns = asyncio.Semaphore(settings.smtp_connections)
        self._idle: deque[tuple[float, aiosmtplib.SMTP]] = deque()

    async def send(self, sender: str, recipient: str, content: bytes) -> Outcome:
        """Hand over one mail to one recipient. Raises nothing but cancellation."""
        try:
            async with self._connection() as connection:
                await connection.sendmail(sender, [recipient], content)
        except SMTPRecipientsRefused as error:
            first = error.recipients[0]
            return _refusal(first.code, first.message)
        except (SMTPAuthenticationError, SMTPConnectResponseError) as error:
            return Away(why=f"{type(error).__name__} {error.code}")
        except SMTPResponseException as error:
            return _refusal(error.code, error.message)
        except (SMTPException, OSError, TimeoutError) as error:
            return Away(why=type(error).__name__)
        return Sent()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[aiosmtplib.SMTP]:
        async with self._turns:
            connection = self._kept() or await self._connect()
            try:
                yield connection
            except SMTPResponseException:
                await self._keep_or_close(connection)
                raise
            except BaseException:
                connection.close()
                raise
            await self._keep_or_close(connection)

    def _kept(self) -> aiosmtplib.SMTP | None:
        while self._idle:
            since, connection = self._idle.pop()
            if time.monotonic() - since < IDLE_S and connection.is_connected:
                return connection
            connection.close()
        return None

    async def _keep_or_close(self, connection: aiosmtplib.SMTP) -> None:
        if not connection.is_connected:
            return
        with suppress(SMTPException, OSError):
            await connection.rset()
            self._idle.append((time.monotonic(), connection))
            return
        connection.close()

    async def _connect(self) -> aiosmtplib.SMTP:
        settings = self._settings
        connection = aiosmtplib.SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            timeout=settings.smtp_timeout_s,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            local_hostname=settings.smtp_hello or None,
        )
        try:
            await connection.connect()
            if settings.smtp_user and settings.smtp_password:
                await connection.login(
                    settings.smtp_user, settings.smtp_password.get_secret_value()
                )
        except BaseException:
            connection.close()
            raise
        return connection

    async def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop()[1].close()


def _refusal(code: int, said: str) -> Outcome:
    if code == _SERVICE_CLOSING or not 400 <= code <= 599:
        return Away(why=f"the server said {code}")
    return Refused(code=code, said=_plain(said))


def _plain(said: str) -> str:
    """The server's words on one line, without control characters."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\s]+", " ", said).strip()[:300] or "refused"
