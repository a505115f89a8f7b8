"""The small types that messages are made of: money, rates, quantities, ids, times and texts.

Everything here is checked by pydantic's Rust core (types, bounds, regular expressions), not by
Python functions: these types stand on the path of every sale. Texts never hold control
characters, NUL or lone surrogates, because PostgreSQL refuses the one and UTF-8 the other.

The regular expressions are read by Rust's `regex`: `$` is the very end of the text, and `[0-9]`
is written out because `\\d` would take the digits of every script.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

MONEY_BOUND: Final = 10**13
"""The greatest amount, in minor units. 500 lines, or a million sales, still fit a bigint."""

# --- patterns ---------------------------------------------------------------------------------

_HEX = "[0-9A-Fa-f]"
UUID_PATTERN: Final = rf"^{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}$"
RATE_PATTERN: Final = r"^(?:100|0|[1-9][0-9]?|(?:0|[1-9][0-9]?)\.(?:[0-9][1-9]|[1-9]))$"
EXCHANGE_RATE_PATTERN: Final = (
    r"^(?:[1-9][0-9]{0,5}(?:\.[0-9]{1,8})?|0\.[0-9]{0,7}[1-9][0-9]{0,7})$"
)
QUANTITY_PATTERN: Final = r"^-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})?$"
LINE_PATTERN: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
PARAGRAPH_PATTERN: Final = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
NAME_PATTERN: Final = (
    r"^[^\s\x00-\x1f\x7f-\x9f](?:[^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^\s\x00-\x1f\x7f-\x9f])?$"
)
TIME_PATTERN: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})$"
)
DATE_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
PERIOD_PATTERN: Final = r"^[1-9][0-9]{3}-(?:0[1-9]|1[0-2])$"
CURRENCY_PATTERN: Final = r"^[A-Z]{3}$"
COUNTRY_PATTERN: Final = r"^[A-Z]{2}$"
WORD_PATTERN: Final = r"^[a-z][a-z0-9_]*$"
BASE64_PATTERN: Final = r"^[A-Za-z0-9+/]*={0,2}$"
SHA256_PATTERN: Final = rf"^{_HEX}{{64}}$"
EMAIL_PATTERN: Final = r"^[^\s@<>,;\x00-\x1f\x7f-\x9f]+@[^\s@<>,;\x00-\x1f\x7f-\x9f]+$"
PEPPOL_PATTERN: Final = r"^[0-9A-Za-z]{2,4}:[!-~]{1,50}$"
ZONE_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9_+/-]*$"
COLOUR_PATTERN: Final = r"^#[0-9A-Fa-f]{6}$"
_PLAIN = "[A-Za-z0-9 ._-]*"
_SEQ = r"\{seq(?::0[1-9])?\}"
NUMBER_FORMAT_PATTERN: Final = (
    rf"^{_PLAIN}(?:\{{year\}}{_PLAIN}{_SEQ}|{_SEQ}{_PLAIN}\{{year\}}){_PLAIN}$"
)

EXPECTED: Final[dict[str, str]] = {
    UUID_PATTERN: "must be a UUID",
    RATE_PATTERN: "must be a rate from 0 to 100 as text, like 21 or 5.5",
    EXCHANGE_RATE_PATTERN: "must be euros for one unit as text, above zero, like 0.9215",
    QUANTITY_PATTERN: "must be a decimal number as text, like 1 or -0.5",
    LINE_PATTERN: "must be one line of text without control characters",
    PARAGRAPH_PATTERN: "must be text without control characters",
    NAME_PATTERN: "must be one line of text, without blanks at either end",
    TIME_PATTERN: "must be a time with its offset (RFC 3339)",
    DATE_PATTERN: "must be a date (YYYY-MM-DD)",
    PERIOD_PATTERN: "must be a month (YYYY-MM)",
    CURRENCY_PATTERN: "must be a currency of three capital letters",
    COUNTRY_PATTERN: "must be a country of two capital letters",
    WORD_PATTERN: "must be a word of small letters, digits and underscores",
    BASE64_PATTERN: "must be base64",
    SHA256_PATTERN: "must be a SHA-256 in hexadecimal",
    EMAIL_PATTERN: "must be one e-mail address",
    PEPPOL_PATTERN: "must be a Peppol identifier (scheme:value)",
    ZONE_PATTERN: "must be the name of a time zone",
    COLOUR_PATTERN: "must be a colour like #a1b2c3",
    NUMBER_FORMAT_PATTERN: "must hold {year} and {seq} (or {seq:05}) among plain characters",
}
"""What a text should have been, by the pattern that it failed: for a refusal's message."""


# --- times ------------------------------------------------------------------------------------

_EARLIEST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
_LATEST = dt.datetime(9998, 12, 31, tzinfo=dt.UTC)
_to_utc = operator.methodcaller("astimezone", dt.UTC)
_FIRST = dt.datetime.min.replace(tzinfo=dt.UTC)
_LAST = dt.datetime.max.replace(tzinfo=dt.UTC)


def _nearest_in_utc(moment: dt.datetime) -> dt.datetime:
    """In UTC; where that has no such moment (the year 1 began earlier in the east), its first or
    its last."""
    try:
        return moment.astimezone(dt.UTC)
    except OverflowError:
        return _FIRST if moment.year == 1 else _LAST


@dataclass(frozen=True, slots=True)
class _Rfc3339:
    """A time as RFC 3339 text with an offset; always in UTC once read.

    pydantic's own datetime also takes numbers as text ("1700000000") and leaves the offset as it
    was sent, so that one moment would have many texts. Bounded to the years 1900 to 9998, where
    no conversion can overflow, or not at all. Digits beyond microseconds are cut off.
    """

    bounded: bool = True

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        bounds: Any = {"ge": _EARLIEST, "le": _LATEST} if self.bounded else {}
        moment = core_schema.datetime_schema(strict=False, tz_constraint="aware", **bounds)
        instance = core_schema.datetime_schema(strict=True, tz_constraint="aware", **bounds)
        text = core_schema.str_schema(strict=True, pattern=TIME_PATTERN)
        return core_schema.no_info_after_validator_function(
            _to_utc if self.bounded else _nearest_in_utc,
            core_schema.json_or_python_schema(
                json_schema=core_schema.chain_schema([text, moment]), python_schema=instance
            ),
        )

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": "date-time"}


class _IsoDate:
    """A date as YYYY-MM-DD text: pydantic's own also takes numbers and times of midnight.

    Of the same years as times: its midnight in any zone is a moment, and Excel knows it.
    """

    def __get_pydantic_core_schema__(self, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.str_schema(strict=True, pattern=DATE_PATTERN)
        day = core_schema.date_schema(strict=False, ge=_EARLIEST.date(), le=_LATEST.date())
        return core_schema.json_or_python_schema(
            json_schema=core_schema.chain_schema([text, day]),
            python_schema=core_schema.date_schema(
                strict=True, ge=_EARLIEST.date(), le=_LATEST.date()
            ),
        )

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "format": "date"}


class _NotNull:
    """Makes `T | None` take a T only: the field may be absent (None), but not null."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema = handler(source)
        if schema["type"] != "nullable":
            raise TypeError("NOT_NULL belongs on an optional type")
        inner: CoreSchema = schema["schema"]
        return inner


NOT_NULL: Final = _NotNull()

Time = Annotated[dt.datetime, _Rfc3339()]
"""A moment, timezone-aware, UTC. Written as 2026-07-01T10:00:00Z, with microseconds (always six
digits) only where there are any."""

TillTime = Annotated[dt.datetime, _Rfc3339(bounded=False)]
"""What a till's clock says, which may be anything: one that was never set says the year 1 (.NET and
Go), in its own zone. A wrong clock is no reason to refuse a sale (`clock_off`). Good to compare and
to tell again; in another zone it may not exist."""

Date = Annotated[dt.date, _IsoDate()]
Period = Annotated[str, StringConstraints(pattern=PERIOD_PATTERN)]
"""A calendar month in the venue's time zone: "2026-07"."""

# --- ids --------------------------------------------------------------------------------------

Uuid = Annotated[
    str,
    StringConstraints(pattern=UUID_PATTERN, to_lower=True),
    Field(json_schema_extra={"format": "uuid"}),
]
"""A UUID as lower-case text; upper case is taken and lowered. Text, because it is written back
to JSON, keys and headers far more often than it is computed with, and asyncpg takes it as it is."""

Environment = Annotated[int, Field(strict=True, ge=1, le=2**31 - 1)]
"""The venue's customer number."""

Account = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NAME_PATTERN)]
"""An account number: text as typed, leading zeros, inner blanks and colons too."""

Terminal = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NAME_PATTERN)]
RunId = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NAME_PATTERN)]


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds NUL")
    return text


GivenRunId = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_without_nul)]
"""A run_id as somebody wrote it: almost any text, so that a wrong one can be answered too. No
pattern, for another one than was released would break it; and no sale waits for this function."""


InvoiceNumber = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=NAME_PATTERN)]
Version = Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]

# --- money, quantities, rates -----------------------------------------------------------------

Money = Annotated[int, Field(strict=True, ge=-MONEY_BOUND, le=MONEY_BOUND)]
"""Minor units (cents) of the message's currency. Never a float, a bool or a text."""

Amount = Annotated[int, Field(strict=True, ge=0, le=MONEY_BOUND)]
"""Money that is never negative."""

PositiveAmount = Annotated[int, Field(strict=True, ge=1, le=MONEY_BOUND)]

Sum = Annotated[int, Field(strict=True, ge=-(2**63), le=2**63 - 1)]
"""A total over many sales: minor units, bounded by what a bigint holds."""

Currency = Annotated[str, StringConstraints(pattern=CURRENCY_PATTERN)]
Quantity = Annotated[str, StringConstraints(max_length=20, pattern=QUANTITY_PATTERN)]
"""A decimal number as text, kept as it was written: at most nine digits and six decimals."""

ExchangeRate = Annotated[str, StringConstraints(max_length=15, pattern=EXCHANGE_RATE_PATTERN)]
"""Euros for one unit of another currency, as a decimal string."""

Rate = Annotated[str, StringConstraints(max_length=5, pattern=RATE_PATTERN)]
"""A VAT rate in percent, in its one form: "0", "9", "21", "5.5", never "21.0"."""

GivenRate = Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=LINE_PATTERN)]
"""A VAT rate as a till wrote it. Whether it is a rate is for the authorizer to say
(`is_vat_rate`): a sale with a wrong one is declined `invalid_vat_rate`, not `invalid_message`."""


def entries(most: int, *, least: int = 0) -> Any:
    """The bounds of a list or mapping. Reading stops at its first wrong entry: an answer names
    only one, and a list of nothing but wrong ones must not cost more than a right one."""
    return Field(min_length=least or None, max_length=most, fail_fast=True)


Count = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]

# --- texts ------------------------------------------------------------------------------------

Text = Annotated[str, StringConstraints(max_length=200, pattern=LINE_PATTERN)]
RequiredText = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=LINE_PATTERN)]
Note = Annotated[str, StringConstraints(max_length=500, pattern=PARAGRAPH_PATTERN)]
LongText = Annotated[str, StringConstraints(max_length=2000, pattern=PARAGRAPH_PATTERN)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=WORD_PATTERN)]
"""A reason or a kind, where the contract leaves the list open: `not_enabled`."""

FieldPath = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=LINE_PATTERN)]
"""Where in a message something stands: "lines.3.total"."""

Email = Annotated[str, StringConstraints(max_length=254, pattern=EMAIL_PATTERN)]
Country = Annotated[str, StringConstraints(pattern=COUNTRY_PATTERN)]
Sha256 = Annotated[str, StringConstraints(pattern=SHA256_PATTERN, to_lower=True)]


# --- reckoning --------------------------------------------------------------------------------

_RATE = re.compile(RATE_PATTERN.replace("$", r"\Z"))


def is_vat_rate(text: str) -> bool:
    """Whether a till's text is a VAT rate in the contract's one form (0 to 100, no "21.0")."""
    return _RATE.match(text) is not None


def line_total(quantity: str, unit_price: int) -> int:
    """What a line comes to: quantity x unit price, rounded half up, in minor units.

    `quantity` is a checked Quantity. Commercial rounding: a half goes away from zero on both
    sides, so that a return takes back exactly what the sale took (2.5 -> 3, -2.5 -> -3). In
    integers throughout, thus exact for every quantity and price that the contract allows.
    """
    whole, point, decimals = quantity.partition(".")
    if not point:
        return int(quantity) * unit_price
    scale: int = 10 ** len(decimals)
    product = int(whole + decimals) * unit_price
    rounded = (2 * abs(product) + scale) // (2 * scale)
    return -rounded if product < 0 else rounded


def account_key(environment: int, account: str) -> str:
    """The key of an account's messages. Unambiguous: an environment holds no colon."""
    return f"{environment}:{account}"


def state_key(kind: str, environment: int, entity: str | int) -> str:
    """The key of a registry.state record: kind:environment:id."""
    return f"{kind}:{environment}:{entity}"
