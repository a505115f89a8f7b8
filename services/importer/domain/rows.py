"""One row of the list as what it says about a customer and an account, or what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.values import PEPPOL_PATTERN
from services.importer.domain import cells as read
from services.importer.domain import numbers
from services.importer.domain.amounts import NO_LIMIT, Style, amount_of
from services.importer.domain.cells import Cell, is_again, is_empty, shown
from services.importer.domain.columns import Column, Layout
from services.importer.domain.currencies import is_foreign
from services.importer.domain.fields import Field
from services.importer.domain.lengths import AT_MOST, LONGEST, too_long
from services.importer.domain.messages import Tongue, brief, of_cell, of_row
from services.importer.domain.names import infix_behind, key_of, split_name
from services.importer.domain.placeholders import NAMED, is_blank, says_none
from services.importer.domain.postcodes import apart
from services.importer.domain.refusals import Problem, Refusal
from services.importer.domain.statuses import status_of
from services.importer.domain.totals import total_of

Reading = Callable[[Cell, str | None], Any]
"""What a cell says, or the Refusal; the other argument is the row's country."""

MAX_ACCOUNTS_A_ROW: Final = 1000
_NAMES: Final = ("company", "name", "last_name", "first_name")
_PEPPOL: Final = re.compile(PEPPOL_PATTERN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a row says. Absent means: not said; an empty cell changes nothing.

    `customer` holds fields of customer.register; `name` is the column "Naam" as it stands, and
    `name_parts` says which fields of `customer` were made of it; `settings` holds fields of
    account.open. `headers` gives the header of each field, for messages. `problems` refuse the
    row, which then says as much as could be read.
    """

    row: int
    customer: Mapping[str, Any]
    name: str | None
    name_parts: frozenset[str]
    account: str | None
    account_count: int | None
    settings: Mapping[str, Any]
    warnings: tuple[Problem, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def has_name_column(self) -> bool:
        """Whether the sheet has a column at all for what a customer is called."""
        return not self.headers.keys().isdisjoint(_NAMES)

    @property
    def name_column(self) -> str:
        """The field whose column says what the row's customer is called."""
        for name in _NAMES:
            said = self.customer.get(name) and name not in self.name_parts
            if name in self.headers and (name == "name" or said):
                return name
        return "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReader:
    """Reads rows of one layout. `styles`: how each amount column (by index) writes its amounts.

    `environment`: whose numbers accounts mostly begin with; `home`: the country of rows that name
    none; `currency`: that of limits.
    """

    layout: Layout
    tongue: Tongue
    styles: Mapping[int, Style]
    environment: int | None = None
    home: str = "NL"
    currency: str = "EUR"
    _known: tuple[Column, ...] = field(init=False)
    _reading: tuple[tuple[Column, Field, Reading], ...] = field(init=False)
    _headers: Mapping[str, str] = field(init=False)
    _of_country: int | None = field(init=False)
    _of_account: int = field(init=False)

    def __post_init__(self) -> None:
        known = tuple(column for column in self.layout.columns if column.field)
        at = {column.field: column.index for column in known}
        object.__setattr__(self, "_known", known)
        reading = tuple((c, c.field, self._how(c, c.field)) for c in known if c.field)
        object.__setattr__(self, "_reading", reading)
        headers = {str(c.field): c.header for c in known}
        both = headers.get("postcode_and_city")
        named = dict.fromkeys(("postcode", "city"), both) if both else {}
        object.__setattr__(self, "_headers", {**named, **headers})
        object.__setattr__(self, "_of_country", at.get("country"))
        object.__setattr__(self, "_of_account", at.get("account", 0))

    def read(self, row: int, cells: Sequence[Cell]) -> Entry | None:
        """The row as an Entry; None for a row without content in known columns."""
        given: set[Field] = set()
        values: dict[Field, Any] = {}
        problems: list[Problem] = []
        country = self._country(cells)
        for column, name, reading in self._reading:
            cell = cells[column.index] if column.index < len(cells) else None
            if is_empty(cell) or is_blank(cell, name):
                continue
            given.add(name)
            value = reading(cell, country)
            if isinstance(value, Refusal):
                text = shown(cell)
                message = of_cell(value, text, self.tongue)
                problems.append(Problem(row=row, column=column.header, value=text, message=message))
            elif value is not None:
                values[name] = value
        if not values and not problems:
            return None
        if total := self._total(given, cells):
            return self._left_out(row, total, "total")
        if self._repeats_the_header(cells):
            return self._left_out(row, "", "header_again")
        return self._entry(row, values, problems)

    def _total(self, given: set[Field], cells: Sequence[Cell]) -> str:
        """The word that says that a row is a sum; empty where it is plainly about somebody.

        A number that does not begin as those of the environment do may be a count of accounts.
        """
        if "email" in given:
            return ""
        if "account" in given:
            account = cells[self._of_account]
            begin = str(self.environment or "")
            if isinstance(account, str) or str(account).startswith(begin):
                return ""
        return total_of(cells, self._known)

    def _left_out(self, row: int, value: str, code: str) -> Entry:
        """A row that is about nobody."""
        warning = self._problem(row, "", value, code)
        return Entry(
            row=row, customer={}, name=None, name_parts=frozenset(), account=None,
            account_count=None, settings={}, warnings=(warning,),
        )  # fmt: skip

    def _repeats_the_header(self, cells: Sequence[Cell]) -> bool:
        """As where a second list stands below the first, with the same columns."""
        alike = 0
        for column in self._known:
            cell = cells[column.index] if column.index < len(cells) else None
            if is_empty(cell):
                continue
            # Of "Rekening Nr", a heading in two rows, the lower one is "Nr".
            if not is_again(cell, column.header) and not column.header.endswith(f" {cell}"):
                return False
            alike += 1
        return alike > 1

    def _country(self, cells: Sequence[Cell]) -> str | None:
        if self._of_country is None or self._of_country >= len(cells):
            return self.home
        country = read.country_of(cells[self._of_country])
        return country if isinstance(country, str) else self.home

    def _how(self, column: Column, name: Field) -> Reading:
        """How the cells of a column are read: settled once, and asked for each row."""
        reads = self._reads(column, name)
        if name not in NAMED:
            return reads
        return lambda cell, where: (
            Refusal(code="says_none") if says_none(cell) else reads(cell, where)
        )

    def _reads(self, column: Column, name: Field) -> Reading:
        if name == "limit":
            style, currency = self.styles.get(column.index), self.currency
            if is_foreign(column.header, currency):
                return lambda *_: Refusal(code="other_currency", where=currency)
            return lambda cell, _: amount_of(cell, style=style, currency=currency)
        if name == "peppol_id":
            return lambda cell, _: _peppol_of(cell)
        if (reads := _READERS.get(name)) is not None:
            return lambda cell, _: reads(cell)
        at_most = AT_MOST[name]
        if name == "postcode_and_city":
            return lambda cell, where: apart(cell, where or self.home, at_most=at_most)
        if name == "chamber_number":
            return lambda cell, where: numbers.chamber_of(cell, at_most=at_most, country=where)
        return lambda cell, _: read.text_of(cell, at_most=at_most)

    def _entry(self, row: int, values: Mapping[Field, Any], problems: Sequence[Problem]) -> Entry:
        customer, name_parts = _customer(values)
        settings: dict[str, Any] = {f: values[f] for f in _SETTINGS if f in values}
        if settings.get("limit") == NO_LIMIT:
            settings["limit"] = None
        account, count = values.get("account"), values.get("account_count")
        headers = self._headers
        if account is not None and count is not None and count != 1:
            both = self._problem(row, headers["account_count"], str(count), "count_and_account")
            problems = [*problems, both]
        problems = [*problems, *self._too_long(row, customer, name_parts)]
        if account is None and not customer and not problems:
            problems = [self._problem(row, "", "", "nobody")]
        warnings: tuple[Problem, ...] = ()
        if account is None and count is None and settings:
            header = headers[next(iter(settings))]
            warnings = (self._problem(row, header, "", "limit_without_account"),)
            settings = {}
        return Entry(
            row=row,
            customer=customer,
            name=values.get("name"),
            name_parts=name_parts,
            account=account,
            account_count=None if account is not None else count,
            settings=settings,
            warnings=warnings,
            headers=headers,
            problems=tuple(problems),
        )

    def _too_long(
        self, row: int, customer: Mapping[str, Any], name_parts: frozenset[str]
    ) -> list[Problem]:
        """Parts of a name that are longer than they may be; every other field is a cell, or cells
        that together fit."""
        made = {name: customer[name] for name in name_parts}
        return [
            self._problem(
                row,
                self._headers["name"],
                brief(made[name]),
                "part_too_long",
                at_most=LONGEST[name],
            )
            for name in too_long(made)
        ]

    def _problem(self, row: int, column: str, value: str, code: str, **words: object) -> Problem:
        message = of_row(code, self.tongue, value=value, **words)
        return Problem(row=row, column=column, value=value, message=message)


_CUSTOMER: Final[tuple[Field, ...]] = (
    "first_name", "infix", "last_name", "company", "email", "email_fictitious", "street",
    "postcode", "city", "country", "vat_number", "chamber_number", "peppol_id", "language",
)  # fmt: skip
_SETTINGS: Final[tuple[Field, ...]] = (
    "limit", "status", "on_account", "in_overview", "description",
)  # fmt: skip

_READERS: Final[dict[Field, Callable[[Cell], Any]]] = {
    "account": lambda cell: numbers.account_of(cell, at_most=AT_MOST["account"]),
    "account_count": lambda cell: numbers.count_of(cell, at_most=MAX_ACCOUNTS_A_ROW),
    "email": lambda cell: read.email_of(cell, at_most=AT_MOST["email"]),
    "email_fictitious": read.yes_or_no,
    "country": read.country_of,
    "language": read.language_of,
    "status": status_of,
    "on_account": read.yes_or_no,
    "in_overview": read.yes_or_no,
}


def _peppol_of(cell: Cell) -> str | Refusal | None:
    text = read.text_of(cell, at_most=AT_MOST["peppol_id"])
    if isinstance(text, str) and not _PEPPOL.fullmatch(text):
        return Refusal(code="not_a_peppol_id")
    return text


def _customer(values: Mapping[Field, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """What a row says about a customer, and which of it was made of the column "Naam"."""
    customer: dict[str, Any] = {f: values[f] for f in _CUSTOMER if f in values}
    if both := values.get("postcode_and_city"):
        customer = {**both, **customer}
    if "infix" not in customer and "last_name" in customer:
        customer |= infix_behind(customer["last_name"])
    if "first_name" not in customer and "initials" in values:
        customer["first_name"] = values["initials"]
    if street := _street(values):
        customer["street"] = street
    name = values.get("name")
    if name is None:
        return customer, frozenset()
    # Beside a company it is a person; name parts in columns of their own beat its parts.
    parts = split_name(name)
    if "company" in customer and "company" in parts:
        parts = {"last_name": name}
    own = customer.keys() & {"first_name", "last_name", "infix"}
    if not own:
        return {**parts, **customer}, frozenset(parts)
    if "last_name" not in own:
        # Beside a first name it is the last name, or the whole name once more, or a company.
        first = key_of(str(customer.get("first_name", "")))
        if "company" in parts and " " in name:
            return {**parts, **customer}, frozenset()
        if "last_name" in parts and first and key_of(name).startswith(first):
            return {**parts, **customer}, frozenset()
        customer |= {"last_name": name} if "infix" in own else infix_behind(name)
    return customer, frozenset()


def _street(values: Mapping[Field, Any]) -> str:
    """Street, house number and its addition in one line, as an envelope has them."""
    number = str(values.get("house_number", "")) + str(values.get("house_number_suffix", ""))
    return " ".join(part for part in (str(values.get("street", "")), number) if part)
