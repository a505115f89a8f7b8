"""Why an undo leaves something as it is: (English, Dutch)."""

from __future__ import annotations

from typing import Final

from services.importer.domain.sentences import Sentence

UNDO: Final[dict[str, Sentence]] = {
    "account_used": (
        "it was bought on; close it by hand once it is settled",
        "er is op gekocht; sluit haar met de hand als zij is afgerekend",
    ),
    "open_amounts": (
        "an amount on its account is not invoiced yet",
        "er staat nog een bedrag open dat niet gefactureerd is",
    ),
    "other_holder": (
        "it belongs to another customer since",
        "zij is sindsdien van een andere klant",
    ),
    "in_use": ("it still has {value}", "deze heeft nog {value}"),
    "changed_since": (
        "changed since the import: {value}",
        "sinds de import gewijzigd: {value}",
    ),
    "refused": ("the registry refused it: {value}", "de administratie weigerde het: {value}"),
    "more": ("and {value} more", "en nog {value}"),
}
