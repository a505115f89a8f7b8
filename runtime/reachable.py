"""What a setting that names a server or a file must look like, told before anything is opened.

What is wrong here never comes right by waiting. No sentence shows a value: it may hold a password.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from pydantic_core import PydanticCustomError

SSLMODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_TLS: Final = frozenset(SSLMODES) - {"disable"}
FILES_OF_DSN: Final = {
    "sslrootcert": frozenset({"require", "verify-ca", "verify-full"}),
    "sslcert": _TLS,
    "sslkey": _TLS,
}
"""With which modes the driver reads them."""
OF_PSQL_ALONE: Final = frozenset(
    {
        *("channel_binding", "connect_timeout", "fallback_application_name", "gssdelegation"),
        *("gssencmode", "hostaddr", "keepalives", "keepalives_count", "keepalives_idle"),
        *("keepalives_interval", "load_balance_hosts", "max_protocol_version"),
        *("min_protocol_version", "require_auth", "requirepeer", "requiressl", "scram_client_key"),
        *("scram_server_key", "servicefile", "sslcertmode", "sslcompression", "sslcrldir"),
        *("sslkeylogfile", "sslsni"),
    }
)
"""What libpq does by itself (its chapter 32.1.2). The driver does not, and hands them on to the
server as settings, which says of a connection with a setting that it lacks: no."""
HIGHEST_PORT: Final = 65_535


def refused(why: str) -> PydanticCustomError:
    """The sentence as it stands, whatever braces are in it."""
    return PydanticCustomError("unusable", "{why}", {"why": why})


def servers(text: str) -> str:
    """HOST or HOST:PORT, with commas between. Raises PydanticCustomError for what is neither."""
    for one in text.split(","):
        host, port = split(one.strip())
        if not host or "/" in host or (port is not None and not _is_port(port)):
            raise refused("it must read HOST:PORT, or several of these with commas between")
    return text


def server(text: str) -> str:
    """One HOST or HOST:PORT."""
    if "," in text:
        raise refused("it must read HOST:PORT, and of one server alone")
    if text.count(":") > 1 and not text.startswith("["):
        raise refused("an address of IPv6 stands in brackets: [ADDRESS]:PORT")
    try:
        return servers(text)
    except PydanticCustomError:
        raise refused("it must read HOST:PORT") from None


def dsn(text: str) -> str:
    """A DSN of PostgreSQL as the driver takes it; the files that it names can be read."""
    form = "it must read postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
    try:
        parts = urlsplit(text)
        options = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
    except ValueError:
        raise refused(form) from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise refused(form)
    places = parts.netloc.partition("@")[2] if "@" in parts.netloc else parts.netloc
    ports = [split(one)[1] or None for one in places.split(",") if one]
    ports += [one for all_of in options.get("port", []) for one in all_of.split(",")]
    if "@" in places or not all(port is None or _is_port(port) for port in ports):
        raise refused(f"{form}, where @ / ? # of a password are written %40 %2F %3F %23")
    modes = {mode.replace("_", "-") for mode in options.get("sslmode", [])}
    if not modes <= set(SSLMODES):
        raise refused(f"sslmode is one of {', '.join(SSLMODES)}")
    if foreign := sorted(OF_PSQL_ALONE & options.keys()):
        raise refused(
            f"psql alone knows {', '.join(foreign)}: leave out what stands so after the ?"
        )
    asked = [name for name in FILES_OF_DSN if modes & FILES_OF_DSN[name]]
    _readable(file for name in asked for file in options.get(name, []))
    return text


def authority(file: str) -> str:
    """A PEM file with a certificate in it."""
    try:
        ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        raise refused(f"there is no certificate in PEM in {file}") from None
    except OSError as error:
        raise refused(f"{file} can't be read: {error.strerror}") from None
    return file


def _readable(files: Iterable[str]) -> None:
    for file in files:
        try:
            Path(file).open("rb").close()
        except OSError as error:
            raise refused(f"{file} can't be read: {error.strerror}") from None


def split(place: str) -> tuple[str, str | None]:
    """The host and, where one is given, the port; an address of IPv6 stands in brackets."""
    if place.startswith("["):
        host, closed, rest = place[1:].partition("]")
        return (host if closed else ""), rest[1:] if rest else None
    if place.count(":") > 1:  # an address of IPv6 without brackets has no port
        return place, None
    host, colon, port = place.partition(":")
    return host, port if colon else None


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) <= HIGHEST_PORT
