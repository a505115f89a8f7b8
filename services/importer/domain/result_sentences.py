"""What is written beside a row, and what an undo says of what it leaves: (English, Dutch)."""

from __future__ import annotations

from typing import Final

from services.importer.domain.sentences import Sentence

RESULTS: Final[dict[str, Sentence]] = {
    "title": ("Result", "Resultaat"),
    "noticed": ("Note: {value}", "Let op: {value}"),
    "created": ("created", "aangemaakt"),
    "changed": ("changed", "gewijzigd"),
    "unchanged": ("unchanged", "ongewijzigd"),
    "refused": ("refused: {why}", "geweigerd: {why}"),
    "left": ("not imported", "niet geïmporteerd"),
    "unheard": (
        "not known: the import ended through a fault on our side before the answer was heard;"
        " import the workbook again, what was done is not done twice",
        "niet bekend: de import eindigde door een fout aan onze kant voordat het antwoord er was;"
        " importeer de werkmap opnieuw, wat gedaan is, wordt niet nog eens gedaan",
    ),
    "nothing": (
        "nothing was imported; mend the red rows, and import the workbook again",
        "er is niets geïmporteerd; verbeter de rode rijen, en importeer de werkmap opnieuw",
    ),
    "hidden": (
        "refused rows may be among the hidden ones, show these to mend them; refused: {value}",
        "geweigerde rijen kunnen onder de verborgen rijen zijn, maak die zichtbaar om ze te"
        " verbeteren; geweigerd: {value}",
    ),
    "account": ("account {value}", "rekening {value}"),
    "accounts": ("accounts {value}", "rekeningen {value}"),
    "partly": ("the rest of the row was carried out", "de rest van de rij is uitgevoerd"),
    "registry": ("the system says: {value}", "het systeem meldt: {value}"),
    "otherwise": (
        "the preview said {value}, but customers or accounts changed in between",
        "het voorbeeld zei {value}, maar klanten of rekeningen zijn intussen gewijzigd",
    ),
}

PREVIEWED: Final[dict[str, Sentence]] = {
    "create": ("new", "nieuw"),
    "change": ("changed", "gewijzigd"),
    "unchanged": ("unchanged", "ongewijzigd"),
    "refused": ("refused", "geweigerd"),
}
