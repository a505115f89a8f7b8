"""What is known of customers and accounts while rows are planned: the registry's own state, and
on top of it what earlier rows of the same workbook will have done to it by then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from services.importer.domain.names import email_key, name_keys


@dataclass(slots=True, kw_only=True)
class KnownCustomer:
    """A customer as it stands or will stand.

    `made_by` is the row of this workbook that registers it, None for one that exists. `said_by`
    gives, per field, the row that set it: a later row may not say otherwise.
    """

    customer_id: str
    fields: dict[str, Any]
    made_by: int | None = None
    said_by: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class KnownAccount:
    """An account as it stands or will stand; `row` is the row of this workbook that has it."""

    account: str
    fields: dict[str, Any]
    holder: str | None = None
    row: int | None = None


@dataclass(slots=True)
class Book:
    """The working set of one chunk of rows. What rows change is noted, to be stored with them."""

    environment: int
    last_in_series: int
    customers: dict[str, KnownCustomer] = field(default_factory=dict)
    accounts: dict[str, KnownAccount] = field(default_factory=dict)
    changed_customers: dict[str, None] = field(default_factory=dict)
    changed_accounts: dict[str, None] = field(default_factory=dict)
    _by_email: dict[str, dict[str, None]] = field(default_factory=dict)
    _by_name: dict[str, dict[str, None]] = field(default_factory=dict)
    _held: dict[str, dict[str, None]] = field(default_factory=dict)

    def know_customer(self, customer: KnownCustomer) -> None:
        """Take up a customer, or one that has changed, under its e-mail address and names."""
        self.customers[customer.customer_id] = customer
        if key := _mail(customer):
            self._by_email.setdefault(key, {})[customer.customer_id] = None
        for name in name_keys(customer.fields):
            self._by_name.setdefault(name, {})[customer.customer_id] = None

    def know_account(self, account: KnownAccount) -> None:
        self.accounts[account.account] = account
        if account.holder is not None:
            self._held.setdefault(account.holder, {})[account.account] = None

    def note_customer(self, customer: KnownCustomer) -> None:
        """As know_customer, for one that a row makes or changes."""
        self.know_customer(customer)
        self.changed_customers[customer.customer_id] = None

    def note_account(self, account: KnownAccount) -> None:
        """As know_account, for one that a row has: numbers that are handed out come after it."""
        self.know_account(account)
        series = series_of(self.environment, account.account)
        self.last_in_series = max(self.last_in_series, series)
        self.changed_accounts[account.account] = None

    def with_email(self, email: str | None) -> list[KnownCustomer]:
        """Customers of this address; one that a row has given another, or calls made up, is none
        of them."""
        found = [self.customers[i] for i in self._by_email.get(email or "", ())]
        return [c for c in found if _mail(c) == email]

    def with_name(self, keys: Iterable[str]) -> list[KnownCustomer]:
        """Customers of these names; by one that an earlier row has changed nobody is meant."""
        found = {
            i: None
            for key in sorted(keys)
            for i in self._by_name.get(key, ())
            if key in name_keys(self.customers[i].fields)
        }
        return [self.customers[i] for i in found]

    def held_by(self, customer_id: str) -> list[KnownAccount]:
        return [self.accounts[a] for a in sorted(self._held.get(customer_id, ()))]

    def next_accounts(self, count: int) -> list[str]:
        """The next account numbers: environment + series of at least four digits."""
        numbers: list[str] = []
        while len(numbers) < count:
            self.last_in_series += 1
            number = f"{self.environment}{self.last_in_series:04}"
            if number not in self.accounts:
                numbers.append(number)
        return numbers


def _mail(customer: KnownCustomer) -> str | None:
    return email_key(customer.fields.get("email"), customer.fields.get("email_fictitious"))


def series_of(environment: int, account: str) -> int:
    """Where an account stands in the environment's series; 0 for one that is not of it.

    Six more digits than the environment's number are the bound: a longer number is another kind.
    """
    own = str(environment)
    series = account[len(own) :]
    of_it = account.startswith(own) and 4 <= len(series) <= 6 and series.isascii()
    return int(series) if of_it and series.isdigit() else 0
