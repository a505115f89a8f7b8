"""Decides what an administrator asks of an environment."""

from __future__ import annotations

from schemas.registry import (
    EnvironmentAcceptGdpr,
    EnvironmentActivate,
    EnvironmentConfigure,
    EnvironmentDeactivate,
)
from services.authorizer.domain import checks
from services.authorizer.domain.registry import (
    Applied,
    Environment,
    Outcome,
    Refused,
    Registry,
    missing,
    moved,
)

DEFAULTS = {
    "name": None, "legal_name": None, "street": None, "postcode": None, "city": None,
    "country": None, "vat_number": None, "chamber_number": None, "iban": None,
    "currency": "EUR", "time_zone": "Europe/Amsterdam", "language": "nl",
    "finance_email": None, "finance_copy": "report", "reply_to": None, "payment_days": 14,
    "limit_release": "issued", "number_format": "{year}-{seq:05}",
    "credit_note_format": "C{year}-{seq:05}", "default_limit": None,
    "default_on_account": False, "default_in_overview": False, "schedule": None,
    "import_enabled": True, "viewer_statements": False, "logo": None, "colour": None,
}  # fmt: skip


def configure(command: EnvironmentConfigure, registry: Registry) -> Outcome:
    """Begin an environment, or change it: absent stays, null goes back to the default."""
    known = registry.environments.get(command.environment)
    before = dict(DEFAULTS) if known is None else known.settings
    given = command.model_dump(mode="json", include=command.model_fields_set & DEFAULTS.keys())
    after = before | {
        name: DEFAULTS[name] if value is None else value for name, value in given.items()
    }
    if wrong := _wrong(given, after):
        return wrong
    if known is not None and known.has_sales and after["currency"] != before["currency"]:
        return Refused(
            reason="currency_fixed",
            field="currency",
            message=f"The currency stays {before['currency']}: there are sales in it already.",
        )
    name = str(command.environment)
    if known is None:
        registry.environments[command.environment] = Environment(
            environment=command.environment, version=1, active=False, gdpr=None,
            settings=after, new=True,
        )  # fmt: skip
        return Applied([("environment", name, "created")])
    if after == before:
        return Applied([("environment", name, "unchanged")])
    known.settings = after
    return Applied([("environment", name, moved(known))])


def _wrong(given: dict[str, object], after: dict[str, object]) -> Refused | None:
    country = after["country"]
    assert country is None or isinstance(country, str)
    found: dict[str, str | None] = {}
    for name, value in given.items():
        if not isinstance(value, str):
            continue
        match name:
            case "postcode":
                found[name] = checks.postcode(value, country)
            case "vat_number":
                found[name] = checks.vat_number(value)
            case "chamber_number":
                found[name] = checks.chamber_number(value, country)
            case "iban":
                found[name] = checks.iban(value)
            case "time_zone":
                found[name] = checks.time_zone(value)
            case "finance_email" | "reply_to":
                found[name] = checks.email(value)
    for name, says in found.items():
        if says:
            return Refused(reason="invalid", field=name, message=f"{name} {says}.")
    return None


def accept_gdpr(command: EnvironmentAcceptGdpr, registry: Registry) -> Outcome:
    """Somebody accepts the terms; who did so first stays on record unless the document is new."""
    known = registry.environments.get(command.environment)
    if known is None:
        return missing(command.environment)
    said = {"accepted_by": command.accepted_by, "document": command.document}
    name = str(command.environment)
    if known.gdpr is not None and {k: known.gdpr[k] for k in said} == said:
        return Applied([("environment", name, "unchanged")])
    known.gdpr = said | {"at": registry.now.isoformat()}
    return Applied([("environment", name, moved(known))])


def switch(command: EnvironmentActivate | EnvironmentDeactivate, registry: Registry) -> Outcome:
    """Switch the module on or off."""
    known = registry.environments.get(command.environment)
    if known is None:
        return missing(command.environment)
    on = isinstance(command, EnvironmentActivate)
    name = str(command.environment)
    applied = Applied()
    if on and known.gdpr is None:
        applied.warnings.append(
            ("environment", name, None, "The GDPR terms are not accepted yet: tills are declined "
             "until environment.accept_gdpr.")
        )  # fmt: skip
    if known.active == on:
        applied.changes.append(("environment", name, "unchanged"))
    else:
        known.active = on
        applied.changes.append(("environment", name, moved(known)))
    return applied
