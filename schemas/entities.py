"""What customers and accounts are made of: fields that commands, steps and state have alike."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal, TypeVar

from pydantic import StringConstraints

from schemas.base import Part, wrong
from schemas.values import (
    NOT_NULL,
    PEPPOL_PATTERN,
    Account,
    Amount,
    Country,
    Email,
    Text,
    Uuid,
    entries,
)

MAX_ACCOUNTS = 10_000

Language = Literal["nl", "en"]
AccountStatus = Literal["inactive", "active", "blocked", "closed"]
Role = Literal["holder", "viewer"]

PeppolId = Annotated[str, StringConstraints(max_length=60, pattern=PEPPOL_PATTERN)]
ShortText = Annotated[Text, StringConstraints(max_length=40)]
Accounts = Annotated[tuple[Account, ...], entries(MAX_ACCOUNTS, least=1)]


class CustomerFields(Part):
    """What is known of a person or a company."""

    first_name: Text | None = None
    infix: ShortText | None = None
    last_name: Text | None = None
    company: Text | None = None
    email: Email | None = None
    email_fictitious: bool | None = None
    street: Text | None = None
    postcode: ShortText | None = None
    city: Text | None = None
    country: Country | None = None
    vat_number: ShortText | None = None
    chamber_number: ShortText | None = None
    peppol_id: PeppolId | None = None
    language: Language | None = None


_UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}

Named = TypeVar("Named", bound=CustomerFields)


def is_seen(text: str | None) -> bool:
    """Whether a reader sees anything of it. Blanks, controls and what only joins or parts letters
    (Unicode's Cf, such as the zero-width space) are nothing."""
    if text and text[0].isalnum():  # nearly all
        return True
    return any(unicodedata.category(c) not in _UNSEEN for c in text or "")


def has_a_name(customer: Named) -> Named:
    """A check for models that make a customer known."""
    for name in (customer.company, customer.last_name, customer.first_name):
        if name and not name.isspace():
            break
    else:
        raise wrong("last_name", "must be given, or else a first name or a company")
    return customer


class OpeningFields(Part):
    """An account as it is opened. What is absent of limit, on_account and in_overview is the
    environment's default, else 0 or false; limit null is no limit."""

    account: Account
    description: Text | None = None
    status: AccountStatus = "active"
    limit: Amount | None = None
    on_account: Annotated[bool | None, NOT_NULL] = None
    in_overview: Annotated[bool | None, NOT_NULL] = None
    holder: Uuid | None = None


class ChangeFields(Part):
    """What is to be otherwise with accounts. Absent: stays. Null: clears description; no limit."""

    accounts: Accounts
    description: Text | None = None
    status: Annotated[AccountStatus | None, NOT_NULL] = None
    limit: Amount | None = None
    on_account: Annotated[bool | None, NOT_NULL] = None
    in_overview: Annotated[bool | None, NOT_NULL] = None


class LinkFields(Part):
    """Who is tied to which account, as what."""

    account: Account
    customer_id: Uuid
    role: Role
