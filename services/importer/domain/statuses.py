"""A cell of a column Status: what an account's status is, in the words that lists have for it.

A word is taken where it can only be said of the account as it is now. What is said of a person
("Oud-lid") or of a day to come ("Opgezegd", which may be open till the year is over) is refused
with what to write instead: a list of members has such columns too, and a wrong status is found
out at the bar.
"""

from __future__ import annotations

from typing import Final, Literal

from services.importer.domain.cells import Cell, clean, odd, yes_or_no
from services.importer.domain.fields import normalise
from services.importer.domain.refusals import Refusal

Status = Literal["inactive", "active", "blocked", "closed"]

WORDS: Final[dict[Status, tuple[str, ...]]] = {
    "active": (
        "Actief", "Aktief", "Geactiveerd", "Open", "In gebruik", "Active", "Activated", "Enabled",
        "In use",
    ),
    "inactive": (
        "Inactief", "Inaktief", "Niet actief", "Non-actief", "Gedeactiveerd", "Slapend",
        "Sluimerend", "Nog niet actief", "Inactive", "Not active", "Deactivated", "Disabled",
        "Dormant", "Not yet active",
    ),
    "blocked": (
        "Geblokkeerd", "Blok", "Geblokt", "Geschorst", "Opgeschort", "Bevroren", "Blocked",
        "Suspended", "On hold", "Frozen", "Locked",
    ),
    "closed": (
        "Gesloten", "Afgesloten", "Opgeheven", "Vervallen", "Beëindigd", "Closed", "Terminated",
        "Ended",
    ),
}  # fmt: skip
"""What is understood, besides yes and no (active and inactive)."""

OF_PEOPLE: Final = (
    "Lid", "Oud-lid", "Ex-lid", "Geen lid", "Erelid", "Jeugdlid", "Seniorlid", "Aspirant-lid",
    "Donateur", "Vrijwilliger", "Overleden", "Uitgeschreven", "Verhuisd", "Member", "Ex-member",
    "Former member", "Non-member", "Honorary member", "Donor", "Volunteer", "Deceased", "Left",
)  # fmt: skip
"""Says what somebody is, and not whether the account may be bought on."""

OF_A_DAY: Final = ("Opgezegd", "Geannuleerd", "Verlopen", "Cancelled", "Canceled", "Expired")
"""May be over, or be so from a day that is still to come."""

_KNOWN: Final = {normalise(word): status for status, words in WORDS.items() for word in words}
_REFUSED: Final = {
    **{normalise(word): "of_people" for word in OF_PEOPLE},
    **{normalise(word): "of_a_day" for word in OF_A_DAY},
}


def status_of(cell: Cell) -> Status | Refusal | None:
    """An account's status in words; yes and no stand for active and inactive."""
    if isinstance(cell, str):
        word = normalise(clean(cell))
        if word in _KNOWN:
            return _KNOWN[word]
        if word in _REFUSED:
            return Refusal(code=_REFUSED[word])
    answer = yes_or_no(cell)
    if answer is None:
        return None
    if isinstance(answer, Refusal):
        return odd(cell) or Refusal(code="not_a_status")
    return "active" if answer else "inactive"
