"""What becomes of customers: registered, changed, erased."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from schemas.commands import Caution
from schemas.currencies import money
from schemas.entities import MAX_ACCOUNTS, CustomerFields, is_seen
from schemas.registry import CustomerChange, CustomerErase, CustomerRegister
from schemas.steps import ChangeStep, RegisterStep
from services.authorizer.domain import checks
from services.authorizer.domain.entities import (
    Account,
    Customer,
    Environment,
    Outcome,
    Refusal,
    Registry,
    applied,
    made,
)
from services.authorizer.domain.names import display_name, fold, person_name

MOST_WARNINGS: Final = 100
MOST_TOLD_BYTES: Final = 1_200_000
FIELDS: Final = tuple(CustomerFields.model_fields)
NAMES: Final = ("first_name", "last_name", "company")
UNKNOWN: Final = Refusal(
    reason="customer_unknown", field="customer_id", message="This customer is not known."
)
ERASED: Final = Refusal(
    reason="customer_erased", field="customer_id", message="This customer was erased."
)


def register(
    command: CustomerRegister | RegisterStep, registry: Registry, house: Environment
) -> Outcome:
    """Make a customer known; the same again is unchanged, another under its id refused."""
    before = registry.customers.get((house.environment, command.customer_id))
    fields = _given(command)
    if before is not None:
        if before.erased:
            return ERASED
        if before.fields == fields:
            return applied((before, before))
        return Refusal(
            reason="customer_exists",
            field="customer_id",
            message="Another customer is known under this id; use customer.change to change it.",
        )
    if not _is_named(fields):
        # Here, and not where messages are read: what was answered to one before stands.
        return Refusal(
            reason="invalid",
            field="last_name",
            message="last_name must be given, or else a first name or a company",
        )
    after = Customer(
        environment=house.environment, customer_id=command.customer_id, version=1, fields=fields
    )
    return _wrong(fields, fields, house) or made(after)


def change(command: CustomerChange | ChangeStep, registry: Registry, house: Environment) -> Outcome:
    """Change what is given; null clears. A name must remain."""
    before = registry.customers.get((house.environment, command.customer_id))
    if before is None:
        return UNKNOWN
    if before.erased:
        return ERASED
    given = {name: getattr(command, name) for name in FIELDS if name in command.model_fields_set}
    if given.get("email") != before.fields.get("email") and "email" in given:
        # What was said of the old address is not said of the new one.
        given.setdefault("email_fictitious", None)
    fields = {
        name: value for name, value in {**before.fields, **given}.items() if value is not None
    }
    if not _is_named(fields):
        return Refusal(
            reason="invalid",
            field="last_name",
            message="A first name, a last name or a company must remain.",
        )
    moved = fields.get("country") != before.fields.get("country")
    checked = fields if moved else given  # a postcode is right or wrong by its country
    return _wrong(checked, fields, house) or applied((before, replace(before, fields=fields)))


def erase(command: CustomerErase, registry: Registry, house: Environment) -> Outcome:
    """Forget who it is, at once, and untie it from its accounts.

    Refused while something is sold on an account that it holds and not invoiced yet: that invoice
    must name its buyer (VAT directive, art. 226), which stands above the wish to be forgotten
    (GDPR art. 17(3)(b)). Invoices that were made keep what they must, with the invoicer.
    """
    before = registry.customers.get((command.environment, command.customer_id))
    if before is None:
        return UNKNOWN
    if before.erased:
        return applied((before, before))
    tied = registry.accounts_of(command.environment, command.customer_id)
    # All are told in one outcome, which may have 2 MiB: a number may be 64 letters of four bytes.
    told = sum(len(account.account.encode()) for account in tied)
    if len(tied) > MAX_ACCOUNTS or told > MOST_TOLD_BYTES:
        return Refusal(
            reason="too_many_accounts",
            field="customer_id",
            message=f"It is tied to {len(tied)} accounts, and one command changes at most "
            f"{MAX_ACCOUNTS}, or fewer with long numbers; untie some of them first.",
        )
    for account in tied:
        if account.holder == command.customer_id and account.to_invoice > 0:
            owed = money(account.to_invoice, house.settings["currency"], "en")
            return Refusal(
                reason="open_amounts",
                field="customer_id",
                message=f"{owed} on account {account.account} is not invoiced yet; invoice it, "
                "or give the account another holder, first.",
            )
    untied = [
        (
            account,
            replace(
                account,
                holder=None if account.holder == command.customer_id else account.holder,
                viewers=account.viewers - {command.customer_id},
            ),
        )
        for account in tied
    ]
    return applied(
        (before, replace(before, erased=True, fields={})),
        *untied,
        warnings=_left_behind(before, tied, house),
    )


def _left_behind(
    customer: Customer, tied: Sequence[Account], house: Environment
) -> tuple[Caution, ...]:
    """Says what erasing does not take away, and what is still to be paid."""
    held = [account.sums for account in tied if account.holder == customer.customer_id]
    told: list[tuple[str, str, str]] = []
    if any(sums.issued > sums.credited for sums in held):
        says = "Invoices that were made out to it keep its name and address, as the law asks"
        # What came too much for one account pays nothing of another.
        if unpaid := sum(max(0, s.issued - s.credited - s.paid + s.refunded) for s in held):
            owed = money(unpaid, house.settings["currency"], "en")
            says += f"; {owed} of them is not paid yet"
        told.append((customer.kind, customer.id, f"{says}."))
    names = {name for name in (display_name(customer.fields), person_name(customer.fields)) if name}
    for account in tied:
        if any(fold(name) in fold(account.description) for name in names):
            says = "Its description names the customer still; change it with account.change."
            told.append((account.kind, account.id, says))
    return tuple(
        Caution(kind=kind, id=id_, message=says) for kind, id_, says in told[:MOST_WARNINGS]
    )


def _is_named(fields: Mapping[str, Any]) -> bool:
    return any(is_seen(fields.get(name)) for name in NAMES)


def _given(command: CustomerRegister | RegisterStep) -> dict[str, Any]:
    values = command.__dict__
    return {name: value for name in FIELDS if (value := values[name]) is not None}


def _wrong(
    given: Mapping[str, Any], fields: Mapping[str, Any], house: Environment
) -> Refusal | None:
    where = fields.get("country") or house.settings["country"] or checks.HOME
    for name, check in _CHECKS.items():
        value = given.get(name)
        if value and (says := check(value, where)):
            return Refusal(reason="invalid", field=name, message=f"{name} {says}.")
    return None


_CHECKS: Final[dict[str, Callable[[str, str], str | None]]] = {
    "email": lambda text, _: checks.email(text),
    "country": lambda text, _: checks.country(text),
    "postcode": checks.postcode,
    "vat_number": checks.vat_number,
    "chamber_number": checks.chamber_number,
}
"""What is wrong with a field of a customer of a country; None where nothing is."""
