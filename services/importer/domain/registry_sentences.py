"""What the registry refuses, by its reasons, and what it adds: (English, Dutch).

Most of it a preview has said already. What is left are changes that somebody made in between.
"""

from __future__ import annotations

from typing import Final

from services.importer.domain.messages import Tongue, say
from services.importer.domain.result_sentences import RESULTS
from services.importer.domain.sentences import Sentence

REFUSED: Final[dict[str, Sentence]] = {
    "environment_unknown": (
        "this environment is not known any more",
        "deze omgeving is niet meer bekend",
    ),
    "gdpr_not_accepted": (
        "the GDPR terms are not accepted; accept them, and import the row again",
        "er is geen akkoord gegeven op de GDPR; geef dat en importeer de rij opnieuw",
    ),
    "not_processed": (
        "a fault on our side; nothing of it was done; import the row again",
        "een fout aan onze kant; er is niets van gedaan; importeer de rij opnieuw",
    ),
    "customer_unknown": (
        "the customer is not known any more; import the row again",
        "de klant is niet meer bekend; importeer de rij opnieuw",
    ),
    "customer_erased": (
        "the customer was erased meanwhile; import the row again to make it anew",
        "de klant is intussen verwijderd; importeer de rij opnieuw om hem weer te maken",
    ),
    "customer_exists": (
        "the customer was changed meanwhile; import the row again",
        "de klant is intussen gewijzigd; importeer de rij opnieuw",
    ),
    "account_unknown": (
        "the account is not known any more; import the row again",
        "de rekening is niet meer bekend; importeer de rij opnieuw",
    ),
    "account_exists": (
        "the account was opened meanwhile, with other settings; import the row again to change it",
        "de rekening is intussen aangemaakt, met andere instellingen; importeer de rij opnieuw om"
        " haar te wijzigen",
    ),
    "holder_exists": (
        "the account got another holder meanwhile; import the row again to see whose it is",
        "de rekening kreeg intussen een andere houder; importeer de rij opnieuw om te zien wie",
    ),
}

INVALID: Final[Sentence] = (
    "the system does not take what stands for {field}: {value}",
    "het systeem neemt niet aan wat er voor {field} staat; kijk dat na en schrijf het anders",
)
UNFIT: Final[Sentence] = (
    "the system cannot keep this ({says}); write it in another way",
    "het systeem kan dit niet bewaren; schrijf het korter of zonder bijzondere tekens",
)
STILL_OPEN: Final[Sentence] = (
    "{value}",
    "er staat nog een bedrag open dat niet gefactureerd is; de volgende facturatie neemt het mee",
)


def refused(reason: str, field: str | None, message: str, tongue: Tongue) -> str:
    """Why the registry refused something. Reasons that are not known here come in its own words,
    which are English everywhere: they are introduced as such."""
    if reason in REFUSED:
        return say(REFUSED[reason], tongue)
    if reason == "invalid" and field:
        return say(INVALID, tongue, field=field, value=message)
    return say(RESULTS["registry"], tongue, value=message)


def warned(field: str | None, message: str, tongue: Tongue) -> str:
    """What the registry did but has to say something of."""
    if field in ("status", "holder"):
        return say(STILL_OPEN, tongue, value=message)
    return message if tongue == "en" else say(RESULTS["registry"], tongue, value=message)
