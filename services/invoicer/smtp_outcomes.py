"""What a mail server's answer means for the mail."""

import re
from dataclasses import dataclass

from aiosmtplib.errors import SMTPResponseException

SERVICE_CLOSING = 421  # RFC 5321, 4.2.3: the server, not the mail; but see `of_response`
_LOGIN_WANTED = frozenset({530, 534, 535, 538})  # RFC 4954, 6: our settings, not the mail


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
    """No server, or not one to talk to: says nothing about the mail, which it has not."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsure:
    """The line broke off after the mail was given: the server may have it."""

    why: str


Outcome = Sent | Refused | Away | Unsure


def of_response(code: int, said: str, *, named: bool, given: bool) -> Outcome:
    """What an answer other than yes means; `given`: DATA was said before it; `named`: over a line
    that was just opened the recipient was, and then a 421 may be his own (decision 30)."""
    if (code == SERVICE_CLOSING and not named) or code in _LOGIN_WANTED:
        return Away(why=f"the server said {code}")
    if not 400 <= code <= 599:
        why = f"the server said {code}"
        return Unsure(why=why) if given else Away(why=why)
    return Refused(code=code, said=_plain(said))


def why_of(error: Exception) -> str:
    """What failed, in the words of whoever said so: the name of a class does not tell whoever is to
    mend it whether it was the port, the certificate or the password."""
    said = f"{error.code} {error.message}" if isinstance(error, SMTPResponseException) else error
    return _plain(f"{type(error).__name__}: {said}").removesuffix(":")


def _plain(said: str) -> str:
    """The server's words on one line, without control characters. What is no UTF-8 (the library
    keeps such bytes as lone surrogates, which no database takes) is read as Latin-1."""
    if not said.isascii():
        raw = said.encode(errors="surrogateescape")
        try:
            said = raw.decode()
        except UnicodeDecodeError:
            said = raw.decode("latin-1")
    return re.sub(r"[\x00-\x1f\x7f-\x9f\s]+", " ", said).strip()[:300] or "refused"
