"""Why a sale was declined, in a sentence with the numbers in it, in the environment's language."""

from __future__ import annotations

from typing import Final

import pycountry

from schemas.currencies import money
from schemas.pos import DeclineReason
from services.authorizer.domain.sales import Declined

DEFAULT_LANGUAGE: Final = "nl"
"""Where no environment says otherwise; an environment's own default too."""


def is_currency(code: str) -> bool:
    """Whether ISO 4217 knows it as one that is paid in: XXX stands for none, XTS for tests."""
    return code not in ("XXX", "XTS") and pycountry.currencies.get(alpha_3=code) is not None


_R = DeclineReason
_SENTENCES: Final[dict[str, dict[DeclineReason, str]]] = {
    "nl": {
        _R.INVALID_MESSAGE: "Het bericht van de kassa is bij {field} niet in orde.",
        _R.SALE_ID_REUSED: (
            "Onder dit verkoopnummer is al een andere verkoop beantwoord; dit antwoord blijft"
            " staan."
        ),
        _R.ENVIRONMENT_UNKNOWN: "Omgeving {environment} is niet bekend.",
        _R.GDPR_NOT_ACCEPTED: (
            "De AVG-voorwaarden van omgeving {environment} zijn nog niet geaccepteerd."
        ),
        _R.MODULE_INACTIVE: "Op rekening kopen staat uit voor omgeving {environment}.",
        _R.ACCOUNT_UNKNOWN: "Rekening {account} is niet bekend in omgeving {environment}.",
        _R.CURRENCY_MISMATCH: (
            "De verkoop is in {currency}, de omgeving rekent in {house_currency}."
        ),
        _R.INVALID_TOTAL: (
            "De bedragen kloppen niet bij {field}: de verkoop van {total} is niet de som van "
            "zijn regels, of een regel is niet aantal maal prijs."
        ),
        _R.INVALID_VAT_RATE: (
            "Het btw-tarief bij {field} is geen tarief van 0 tot 100 met hooguit twee decimalen,"
            " zonder nullen aan het eind."
        ),
        _R.ALREADY_CANCELLED: "Deze verkoop van {total} is al geannuleerd of afgehandeld.",
        _R.EXPIRED: (
            "De vraag kwam te laat aan de beurt: langer dan {valid_s} seconden na binnenkomst."
        ),
        _R.ACCOUNT_INACTIVE: (
            "Rekening {account} is niet actief; de verkoop van {total} is niet geboekt."
        ),
        _R.NOT_ALLOWED_ON_ACCOUNT: (
            "Op rekening {account} mag niet op naam worden gekocht; de verkoop van {total} is"
            " niet geboekt."
        ),
        _R.OVER_LIMIT: (
            "De verkoop van {total} gaat over de limiet van {limit}: daarvan is {used} "
            "gebruikt en {available} over."
        ),
        _R.NOT_PROCESSED: (
            "De verkoop kon door een storing niet worden verwerkt en is niet geboekt."
        ),
    },
    "en": {
        _R.INVALID_MESSAGE: "The till's message is wrong at {field}: it {says}.",
        _R.SALE_ID_REUSED: "Another sale was answered under this sale id; that answer stands.",
        _R.ENVIRONMENT_UNKNOWN: "Environment {environment} is not known.",
        _R.GDPR_NOT_ACCEPTED: (
            "The GDPR terms of environment {environment} have not been accepted yet."
        ),
        _R.MODULE_INACTIVE: "Buying on account is switched off for environment {environment}.",
        _R.ACCOUNT_UNKNOWN: "Account {account} is not known in environment {environment}.",
        _R.CURRENCY_MISMATCH: (
            "The sale is in {currency}, the environment reckons in {house_currency}."
        ),
        _R.INVALID_TOTAL: (
            "The amounts do not add up at {field}: the sale of {total} is not the sum of its "
            "lines, or a line is not quantity times price."
        ),
        _R.INVALID_VAT_RATE: (
            "The VAT rate at {field} is not a rate from 0 to 100 with at most two decimals and"
            " no zeros at its end."
        ),
        _R.ALREADY_CANCELLED: "This sale of {total} was cancelled or seen to already.",
        _R.EXPIRED: (
            "The question was taken up too late: more than {valid_s} seconds after it came in."
        ),
        _R.ACCOUNT_INACTIVE: "Account {account} is not active; the sale of {total} was not booked.",
        _R.NOT_ALLOWED_ON_ACCOUNT: (
            "Account {account} may not be bought on; the sale of {total} was not booked."
        ),
        _R.OVER_LIMIT: (
            "The sale of {total} goes over the limit of {limit}: {used} of it is used and "
            "{available} is left."
        ),
        _R.NOT_PROCESSED: "The sale could not be processed because of a fault and was not booked.",
    },
}


_LESS_THAN_NOTHING: Final = {
    "nl": "De verkoop komt op {total}: minder dan niets kan niet op rekening.",
    "en": "The sale comes to {total}: less than nothing can't go on an account.",
}


def explain(
    declined: Declined,
    language: str,
    *,
    currency: str = "EUR",
    house_currency: str = "EUR",
    environment: int = 0,
    account: str = "",
    total: int = 0,
    valid_s: int | None = None,
    says: str = "",
) -> str:
    """The sentence for a till. `says` is what is wrong at the field of an unreadable message."""
    sentence = _SENTENCES[language][declined.reason]
    if declined.reason is _R.INVALID_TOTAL and declined.field == "total" and total < 0:
        sentence = _LESS_THAN_NOTHING[language]
    return sentence.format(
        environment=environment,
        account=account,
        currency=currency,
        house_currency=house_currency,
        field=declined.field,
        says=says,
        valid_s=valid_s,
        total=money(total, currency, language),
        limit=money(declined.limit or 0, house_currency, language),
        used=money(declined.used or 0, house_currency, language),
        # After offline sales it may be less than nothing, which a guest need not be told.
        available=money(max(declined.available or 0, 0), house_currency, language),
    )
