"""What becomes of an environment: its settings, its GDPR terms, on and off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from schemas.commands import Caution
from schemas.numbering import in_common
from schemas.registry import (
    EnvironmentAcceptGdpr,
    EnvironmentActivate,
    EnvironmentConfigure,
    EnvironmentDeactivate,
    Gdpr,
)
from services.authorizer.domain import checks
from services.authorizer.domain.entities import (
    DEFAULTS,
    Environment,
    Outcome,
    Refusal,
    applied,
)

UNKNOWN: Final = Refusal(
    reason="environment_unknown",
    field="environment",
    message="This environment is not known; begin it with environment.configure.",
)


def configure(command: EnvironmentConfigure, before: Environment | None) -> Outcome:
    """Change settings, or begin an environment. Null puts a setting back to its default."""
    now = before or Environment(environment=command.environment)
    given: dict[str, Any] = {}
    for name in DEFAULTS:
        if name in command.model_fields_set:
            value = getattr(command, name)
            given[name] = DEFAULTS[name] if value is None else _plain(value)
    settings = {**now.settings, **given}
    # A postcode is right or wrong by its country.
    moved = settings["country"] != now.settings["country"]
    if refusal := _wrong(settings if moved else given, settings):
        return refusal
    if now.has_sales and settings["currency"] != now.settings["currency"]:
        return Refusal(
            reason="currency_fixed",
            field="currency",
            message=f"Sales were made in {now.settings['currency']}; the currency is fixed.",
        )
    warnings = tuple(
        Caution(
            kind="environment",
            id=now.id,
            field=name,
            message=f"This looks like a fictitious address: {consequence}.",
        )
        for name, consequence in _OF_NOBODY.items()
        if given.get(name) and checks.is_fictitious(given[name])
    )
    return applied((before, replace(now, settings=settings)), warnings=warnings)


_OF_NOBODY = {
    "finance_email": "finance's mails go to it all the same; give one that somebody reads",
    "reply_to": "what guests answer goes there; give one that somebody reads",
}
"""Only a customer's address is left out for that: finance must hear of what fails, and the venue
typed this one for itself (docs/decisions/0038)."""


def _plain(value: Any) -> Any:
    """A setting as JSON has it."""
    return value.model_dump() if hasattr(value, "model_dump") else value


def _wrong(given: dict[str, Any], settings: dict[str, Any]) -> Refusal | None:
    where = settings["country"] or checks.HOME
    found: dict[str, Callable[[str], str | None]] = {
        "country": checks.country,
        "currency": checks.currency,
        "time_zone": checks.time_zone,
        "postcode": lambda text: checks.postcode(text, where),
        "vat_number": lambda text: checks.vat_number(text, where),
        "chamber_number": lambda text: checks.chamber_number(text, where),
        "iban": checks.iban,
        "finance_email": checks.email,
        "reply_to": checks.email,
        "number_format": checks.number_format,
        "credit_note_format": checks.number_format,
        "logo": checks.logo,
    }
    for name, check in found.items():
        value = given.get(name)
        if value and (says := check(value)):
            return Refusal(reason="invalid", field=name, message=f"{name} {says}.")
    return _meeting_formats(given, settings)


def _meeting_formats(given: dict[str, Any], settings: dict[str, Any]) -> Refusal | None:
    """Two series whose formats could write one number: said now, not at the number that meets."""
    invoices, notes = settings["number_format"], settings["credit_note_format"]
    changed = [name for name in ("credit_note_format", "number_format") if name in given]
    if not changed or notes in (None, invoices):
        return None
    both = in_common(invoices, notes)
    if both is None:
        return None
    return Refusal(
        reason="invalid",
        field=changed[0],
        message=f"Invoices and credit notes could both get a number like {both}; give one of the "
        "formats a letter of its own, or both the same text for one series.",
    )


def accept_gdpr(command: EnvironmentAcceptGdpr, before: Environment | None) -> Outcome:
    """Note who accepted which terms. The first thing that may be asked of an environment."""
    for field in ("accepted_by", "document"):
        if not getattr(command, field).strip():
            says = f"{field} must not be blank: it is what proves that the terms were accepted."
            return Refusal(reason="invalid", field=field, message=says)
    now = before or Environment(environment=command.environment)
    gdpr = now.gdpr
    if gdpr is None or (gdpr.accepted_by, gdpr.document) != (
        command.accepted_by,
        command.document,
    ):
        gdpr = Gdpr(accepted_by=command.accepted_by, document=command.document, at=command.at)
    return applied((before, replace(now, gdpr=gdpr)))


def switch(
    command: EnvironmentActivate | EnvironmentDeactivate, before: Environment | None
) -> Outcome:
    """Switch the module on or off. On without GDPR terms: nothing is sold until they are there."""
    if before is None:
        return UNKNOWN
    active = isinstance(command, EnvironmentActivate)
    warnings: tuple[Caution, ...] = ()
    if active and before.gdpr is None:
        warnings = (
            Caution(
                kind="environment",
                id=before.id,
                field="gdpr",
                message="The GDPR terms are not accepted yet: until then nothing is sold.",
            ),
        )
    return applied((before, replace(before, active=active)), warnings=warnings)
