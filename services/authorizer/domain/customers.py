"""Decides what an administrator asks of a customer."""

from __future__ import annotations

from typing import Any

from schemas.registry import CustomerChange, CustomerErase, CustomerFields, CustomerRegister
from services.authorizer.domain import checks
from services.authorizer.domain.registry import (
    Applied,
    Customer,
    Outcome,
    Refused,
    Registry,
    moved,
)

FIELDS = tuple(CustomerFields.model_fields)
NAMES = ("first_name", "last_name", "company")


def register(command: CustomerRegister, registry: Registry) -> Outcome:
    """Make a customer known. The same customer_id again: unchanged, or refused."""
    fields = _tidy(command.model_dump(mode="json", include=set(FIELDS), exclude_none=True))
    if wrong := _wrong(fields, fields):
        return wrong
    key = command.environment, command.customer_id
    known = registry.customers.get(key)
    if known is not None:
        if not known.erased and known.fields == fields:
            return Applied([("customer", command.customer_id, "unchanged")])
        return Refused(
            reason="customer_exists",
            field="customer_id",
            message="There is a customer with this customer_id already; use customer.change.",
        )
    registry.customers[key] = Customer(
        environment=command.environment, customer_id=command.customer_id, version=1,
        fields=fields, new=True,
    )  # fmt: skip
    return _applied(command.customer_id, fields, "created")


def change(command: CustomerChange, registry: Registry) -> Outcome:
    """Change a customer: absent stays, null clears. A name must remain."""
    known = registry.customers.get((command.environment, command.customer_id))
    if known is None or known.erased:
        return unknown(command.customer_id)
    given = command.model_dump(mode="json", include=command.model_fields_set & set(FIELDS))
    merged = known.fields | given
    if "email" in given and "email_fictitious" not in given:
        merged.pop("email_fictitious", None)
    after = _tidy({k: v for k, v in merged.items() if v is not None})
    if not any(after.get(name) for name in NAMES):
        return Refused(
            reason="invalid",
            field="last_name",
            message="A first name, a last name or a company must remain.",
        )
    if wrong := _wrong(given, after):
        return wrong
    if after == known.fields:
        return Applied([("customer", command.customer_id, "unchanged")])
    known.fields = after
    moved(known)
    return _applied(command.customer_id, after, "changed")


def erase(command: CustomerErase, registry: Registry) -> Outcome:
    """Forget who a customer is. Invoices that were made keep what the law wants kept.

    Refused while something that he holds is still to be invoiced: the invoice needs his name.
    """
    known = registry.customers.get((command.environment, command.customer_id))
    if known is None:
        return unknown(command.customer_id)
    if known.erased:
        return Applied([("customer", command.customer_id, "unchanged")])
    accounts = registry.accounts_of(command.environment, command.customer_id)
    for account in accounts:
        if account.holder == command.customer_id and account.unbilled > 0:
            return Refused(
                reason="customer_in_use",
                message=f"Account {account.account} of this customer has sales that are not "
                "invoiced yet; run its invoice first, or give the account another holder.",
            )
    applied = Applied()
    for account in accounts:
        if account.holder == command.customer_id:
            account.holder = None
        account.viewers = [v for v in account.viewers if v != command.customer_id]
        applied.changes.append(("account", account.account, moved(account)))
    known.fields, known.erased = {}, True
    applied.changes.insert(0, ("customer", command.customer_id, moved(known)))
    return applied


def unknown(customer_id: str) -> Refused:
    return Refused(
        reason="customer_unknown",
        field="customer_id",
        message=f"There is no customer {customer_id} in this environment.",
    )


def _tidy(fields: dict[str, Any]) -> dict[str, Any]:
    """Blanks around texts go; what is empty then is absent. Recognises fictitious addresses."""
    found = {k: v.strip() if isinstance(v, str) else v for k, v in fields.items()}
    found = {k: v for k, v in found.items() if v not in ("", None)}
    if not found.get("email"):
        found.pop("email_fictitious", None)
    elif checks.is_fictitious(found["email"]):
        found["email_fictitious"] = True
    return found


def _wrong(given: dict[str, Any], after: dict[str, Any]) -> Refused | None:
    country = after.get("country")
    found: dict[str, str | None] = {}
    for name in ("email", "postcode", "vat_number", "chamber_number"):
        value = given.get(name)
        if not isinstance(value, str) or not value.strip():
            continue
        match name:
            case "email":
                found[name] = checks.email(value)
            case "postcode":
                found[name] = checks.postcode(value, country)
            case "vat_number":
                found[name] = checks.vat_number(value)
            case _:
                found[name] = checks.chamber_number(value, country)
    for name, says in found.items():
        if says:
            return Refused(reason="invalid", field=name, message=f"{name} {says}.")
    return None


def _applied(customer_id: str, fields: dict[str, Any], change: Any) -> Applied:
    applied = Applied([("customer", customer_id, change)])
    if fields.get("email_fictitious"):
        applied.warnings.append(
            ("customer", customer_id, "email", "This e-mail address is taken as fictitious: "
             "nothing is ever mailed to it.")
        )  # fmt: skip
    return applied
