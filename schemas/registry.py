"""Environments, customers and accounts: commands to the authorizer and the state it tells.

In EnvironmentConfigure, CustomerChange, AccountOpen and AccountChange an absent field differs
from null (`model_fields_set`). Null clears a setting back to its default, and a text to nothing;
null for `limit` is: no limit. The fields that take no null are marked NOT_NULL.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.base import Message, Part, wrong
from schemas.commands import Command, PatchCommand
from schemas.entities import (
    AccountStatus,
    ChangeFields,
    CustomerFields,
    Language,
    LinkFields,
    OpeningFields,
    ShortText,
    has_a_name,
)
from schemas.values import (
    BASE64_PATTERN,
    COLOUR_PATTERN,
    NOT_NULL,
    NUMBER_FORMAT_PATTERN,
    ZONE_PATTERN,
    Account,
    Amount,
    Country,
    Currency,
    Email,
    Environment,
    Money,
    RequiredText,
    Text,
    Time,
    Uuid,
    Version,
    entries,
)

MAX_LOGO_BYTES = 200 * 1024

FinanceCopy = Literal["each", "report", "none"]
LimitRelease = Literal["issued", "paid"]
RunMode = Literal["draft", "issue"]

NumberFormat = Annotated[str, StringConstraints(max_length=40, pattern=NUMBER_FORMAT_PATTERN)]
Zone = Annotated[str, StringConstraints(max_length=64, pattern=ZONE_PATTERN)]
Colour = Annotated[str, StringConstraints(pattern=COLOUR_PATTERN)]
Logo = Annotated[str, StringConstraints(max_length=273_068, pattern=BASE64_PATTERN)]
"""A PNG or SVG of at most MAX_LOGO_BYTES as base64. What it really is, its reader checks."""

PaymentDays = Annotated[int, Field(strict=True, ge=0, le=365)]


class Schedule(Part):
    """When a month's run is asked for by itself: on a day (that every month has) and hour of
    the next month, in the venue's time zone."""

    day: Annotated[int, Field(strict=True, ge=1, le=28)]
    hour: Annotated[int, Field(strict=True, ge=0, le=23)]
    mode: RunMode
    send: bool


class EnvironmentConfigure(PatchCommand):
    """Change or begin an environment. Absent: stays. Null: back to the default."""

    type: Literal["environment.configure"] = "environment.configure"
    name: Text | None = None
    legal_name: Text | None = None
    street: Text | None = None
    postcode: ShortText | None = None
    city: Text | None = None
    country: Country | None = None
    vat_number: ShortText | None = None
    chamber_number: ShortText | None = None
    iban: ShortText | None = None
    currency: Currency | None = None
    time_zone: Zone | None = None
    language: Language | None = None
    finance_email: Email | None = None
    finance_copy: FinanceCopy | None = None
    reply_to: Email | None = None
    payment_days: PaymentDays | None = None
    limit_release: LimitRelease | None = None
    number_format: NumberFormat | None = None
    credit_note_format: NumberFormat | None = None
    default_limit: Amount | None = None
    default_on_account: bool | None = None
    default_in_overview: bool | None = None
    schedule: Schedule | None = None
    import_enabled: bool | None = None
    viewer_statements: bool | None = None
    logo: Logo | None = None
    colour: Colour | None = None


class EnvironmentAcceptGdpr(Command):
    """Somebody accepts the terms: without them nothing personal is taken and nothing sold.

    `at` is when; it may lie a year ahead of the record's time and no more.
    """

    type: Literal["environment.accept_gdpr"] = "environment.accept_gdpr"
    accepted_by: RequiredText
    document: RequiredText


class EnvironmentActivate(Command):
    """Switch the module on."""

    type: Literal["environment.activate"] = "environment.activate"


class EnvironmentDeactivate(Command):
    """Switch the module off: tills are declined `module_inactive`."""

    type: Literal["environment.deactivate"] = "environment.deactivate"


class CustomerRegister(CustomerFields, Command):
    """Make a customer known. One of first name, last name and company is enough."""

    type: Literal["customer.register"] = "customer.register"
    customer_id: Uuid

    _has_a_name = model_validator(mode="after")(has_a_name)


class CustomerChange(CustomerFields, PatchCommand):
    """Change a customer. Absent: stays. Null: cleared. A name must remain (the authorizer sees)."""

    type: Literal["customer.change"] = "customer.change"
    customer_id: Uuid


class CustomerErase(Command):
    """Forget who a customer is; what the books need stays, under a pseudonym."""

    type: Literal["customer.erase"] = "customer.erase"
    customer_id: Uuid


class AccountOpen(OpeningFields, PatchCommand):
    """Open an account. What is absent of limit, on_account and in_overview is the environment's
    default, else 0 or false; limit null is no limit."""

    type: Literal["account.open"] = "account.open"


class AccountChange(ChangeFields, PatchCommand):
    """Change accounts, all or none. Absent: stays. Null: clears description; no limit."""

    type: Literal["account.change"] = "account.change"
    raise_limit_by: Annotated[Money | None, NOT_NULL] = None
    only_if_unused: Annotated[bool | None, NOT_NULL] = None

    @model_validator(mode="after")
    def _one_way_to_set_the_limit(self) -> Self:
        if {"limit", "raise_limit_by"} <= self.model_fields_set:
            raise wrong("raise_limit_by", "can't be given together with limit")
        return self


class AccountLink(LinkFields, Command):
    """Tie a customer to an account. One holder per account: the holder is invoiced."""

    type: Literal["account.link"] = "account.link"


class AccountUnlink(AccountLink):
    """Untie a customer from an account."""

    type: Literal["account.unlink"] = "account.unlink"  # type: ignore[assignment]


class RegistryRepublish(Command):
    """Tell all state of the environment once more."""

    type: Literal["registry.republish"] = "registry.republish"


class Gdpr(Part):
    """Who accepted which terms, and when."""

    accepted_by: RequiredText
    document: RequiredText
    at: Time


class EnvironmentState(Message):
    """An environment as it stands, its settings with their defaults filled in."""

    answer_ids: ClassVar[tuple[str, ...]] = ("environment",)

    type: Literal["environment.state"] = "environment.state"
    environment: Environment
    version: Version
    active: bool
    gdpr: Gdpr | None = None
    name: Text | None
    legal_name: Text | None
    street: Text | None
    postcode: ShortText | None
    city: Text | None
    country: Country | None
    vat_number: ShortText | None
    chamber_number: ShortText | None
    iban: ShortText | None
    currency: Currency
    time_zone: Zone
    language: Language
    finance_email: Email | None
    finance_copy: FinanceCopy
    reply_to: Email | None
    payment_days: PaymentDays
    limit_release: LimitRelease
    number_format: NumberFormat
    credit_note_format: NumberFormat
    default_limit: Amount | None
    default_on_account: bool
    default_in_overview: bool
    schedule: Schedule | None
    import_enabled: bool
    viewer_statements: bool
    logo: Logo | None
    colour: Colour | None


class CustomerState(CustomerFields, Message):
    """A customer as it stands; erased: only its id is left."""

    answer_ids: ClassVar[tuple[str, ...]] = ("environment", "customer_id")

    type: Literal["customer.state"] = "customer.state"
    environment: Environment
    customer_id: Uuid
    version: Version
    erased: bool


class AccountState(Message):
    """An account as it stands. limit null: none. Amounts are minor units."""

    answer_ids: ClassVar[tuple[str, ...]] = ("environment", "account")

    type: Literal["account.state"] = "account.state"
    environment: Environment
    account: Account
    version: Version
    description: Text
    status: AccountStatus
    limit: Amount | None
    on_account: bool
    in_overview: bool
    holder: Uuid | None = None
    viewers: Annotated[tuple[Uuid, ...], entries(1000)]
