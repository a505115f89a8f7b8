"""Why a sale was declined, in a sentence with the numbers in it, in Dutch or English."""

from __future__ import annotations

from schemas.pos import DeclineReason as R

_NL = {
    R.INVALID_MESSAGE: "Het bericht van de kassa klopt niet bij {field}: {detail}.",
    R.SALE_ID_REUSED: "Dit verkoopnummer is al gebruikt voor een andere verkoop.",
    R.ENVIRONMENT_UNKNOWN: "Omgeving {environment} is niet bekend.",
    R.GDPR_NOT_ACCEPTED: "De AVG-voorwaarden van omgeving {environment} zijn nog niet goedgekeurd.",
    R.MODULE_INACTIVE: "Kopen op rekening staat uit voor omgeving {environment}.",
    R.ACCOUNT_UNKNOWN: "Rekening {account} bestaat niet.",
    R.CURRENCY_MISMATCH: "De verkoop is in {currency}; deze omgeving rekent in {expected}.",
    R.INVALID_TOTAL: "Het bedrag klopt niet: {field} is {given}, uitgerekend is het {expected}.",
    R.INVALID_VAT_RATE: "Het btw-tarief bij {field} is geen geldig percentage.",
    R.ALREADY_CANCELLED: "Deze verkoop was al geannuleerd voordat hij binnenkwam.",
    R.EXPIRED: "Het antwoord kwam te laat: de kassa wachtte {valid_s} seconden.",
    R.ACCOUNT_INACTIVE: "Rekening {account} is {status}.",
    R.NOT_ALLOWED_ON_ACCOUNT: "Op rekening {account} mag niet op naam worden gekocht.",
    R.OVER_LIMIT: (
        "Te weinig budget: limiet {limit}, gebruikt {used}, beschikbaar {available}; "
        "deze verkoop is {total}."
    ),
    R.NOT_PROCESSED: "De verkoop kon niet worden verwerkt; de beheerder is op de hoogte gesteld.",
}
_EN = {
    R.INVALID_MESSAGE: "The till's message is wrong at {field}: {detail}.",
    R.SALE_ID_REUSED: "This sale_id was used for another sale before.",
    R.ENVIRONMENT_UNKNOWN: "Environment {environment} is not known.",
    R.GDPR_NOT_ACCEPTED: "The GDPR terms of environment {environment} are not accepted yet.",
    R.MODULE_INACTIVE: "Buying on account is switched off for environment {environment}.",
    R.ACCOUNT_UNKNOWN: "Account {account} does not exist.",
    R.CURRENCY_MISMATCH: "The sale is in {currency}; this environment sells in {expected}.",
    R.INVALID_TOTAL: "The amount is wrong: {field} is {given}, worked out it is {expected}.",
    R.INVALID_VAT_RATE: "The VAT rate at {field} is not a valid percentage.",
    R.ALREADY_CANCELLED: "This sale had been cancelled before it came in.",
    R.EXPIRED: "The answer came too late: the till waited for {valid_s} seconds.",
    R.ACCOUNT_INACTIVE: "Account {account} is {status}.",
    R.NOT_ALLOWED_ON_ACCOUNT: "Account {account} may not be charged by name.",
    R.OVER_LIMIT: (
        "Not enough left: limit {limit}, used {used}, available {available}; this sale is {total}."
    ),
    R.NOT_PROCESSED: "The sale could not be processed; the administrator has been told.",
}
_STATUS_NL = {"inactive": "niet actief", "blocked": "geblokkeerd", "closed": "gesloten"}
_MONEY = ("limit", "used", "available", "total", "given", "expected")


def money(amount: int, currency: str, language: str) -> str:
    """An amount of minor units for people: EUR 12,50 in Dutch, EUR 12.50 in English."""
    sign = "-" if amount < 0 else ""
    whole, cents = divmod(abs(amount), 100)
    if language == "nl":
        return f"{currency} {sign}{whole:,}".replace(",", ".") + f",{cents:02}"
    return f"{currency} {sign}{whole:,}.{cents:02}"


def explain(reason: R, language: str, currency: str, /, **numbers: object) -> str:
    """The sentence for a reason. Integers among limit, used, ... are amounts of `currency`."""
    texts = _NL if language == "nl" else _EN
    shown = {
        name: money(value, currency, language)
        if name in _MONEY and isinstance(value, int)
        else value
        for name, value in numbers.items()
    }
    if language == "nl" and "status" in shown:
        shown["status"] = _STATUS_NL.get(str(shown["status"]), shown["status"])
    return texts[reason].format(**shown)
