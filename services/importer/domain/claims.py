"""Account numbers of rows that were refused: whoever names one after them should know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from services.importer.domain.matching import names_of
from services.importer.domain.names import email_key
from services.importer.domain.rows import Entry


@dataclass(slots=True)
class Claims:
    """By account number the first refused row that named it, and by what it is known who it is.

    Only refused rows stand here: what the others take is in the book.
    """

    _first: dict[str, tuple[int, frozenset[str]]] = field(default_factory=dict)

    def note(self, entry: Entry) -> None:
        if entry.account:
            self._first.setdefault(entry.account, (entry.row, _who(entry)))

    def by_another(self, entry: Entry) -> int | None:
        """The refused row that named this account for somebody else, or for nobody who is known."""
        row, who = self._first.get(entry.account or "", (None, frozenset[str]()))
        return None if row is None or who & _who(entry) else row


def _who(entry: Entry) -> frozenset[str]:
    fields: Any = entry.customer
    mail = email_key(fields.get("email"), fields.get("email_fictitious"))
    return names_of(entry) | ({mail} if mail else frozenset())
