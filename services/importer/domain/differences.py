"""What rows change, field by field, as a person reads it before saying yes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.importer.domain.changes import NAME_FIELDS
from services.importer.domain.messages import Tongue, say
from services.importer.domain.names import display_name
from services.importer.domain.sentences import Sentence

LONGEST: Final = 200
_MADE_OF: Final[dict[str, str]] = {
    **dict.fromkeys(NAME_FIELDS, "name"), "street": "house_number",
    **dict.fromkeys(("postcode", "city"), "postcode_and_city"),
}  # fmt: skip
"""A column that may give a field that has none of its own."""

_NO_LIMIT: Final[Sentence] = ("no limit", "geen limiet")
_WORDS: Final[dict[str, Sentence]] = {
    "True": ("yes", "ja"),
    "False": ("no", "nee"),
    "inactive": ("inactive", "inactief"),
    "active": ("active", "actief"),
    "blocked": ("blocked", "geblokkeerd"),
    "closed": ("closed", "gesloten"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Changing:
    """A planned customer.change, account.change or account.link; `holder`: the one linked."""

    row: int
    type: str
    body: Mapping[str, Any]
    before: Mapping[str, Any]
    holder: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a field (of an account, where one is named) was and will be; None: nothing."""

    row: int
    account: str | None
    column: str | None
    field: str
    old: str | None
    new: str | None


def differences(
    planned: Iterable[Changing], headers: Mapping[str, str], tongue: Tongue, *, most: int
) -> list[Difference]:
    """The first `most`, limits before all else: of those a slip costs money."""
    found = [difference for one in planned for difference in _of(one, headers, tongue)]
    found.sort(key=lambda d: (d.field != "limit", d.row, d.account or ""))
    return found[:most]


def _of(one: Changing, headers: Mapping[str, str], tongue: Tongue) -> list[Difference]:
    def difference(account: str | None, field: str, old: Any, new: Any) -> Difference:
        return Difference(
            row=one.row,
            account=account,
            column=headers.get(field) or headers.get(_MADE_OF.get(field, "")),
            field=field,
            old=_shown(field, old, tongue),
            new=_shown(field, new, tongue),
        )

    match one.type:
        case "account.link":
            name = display_name(one.holder)
            return [difference(one.body["account"], "holder", None, name)]
        case "account.change":
            settings = {k: v for k, v in one.body.items() if k != "accounts"}
            return [
                difference(account, field, one.before[account].get(field), value)
                for account in one.body["accounts"]
                for field, value in settings.items()
                if one.before[account].get(field) != value
            ]
        case _:
            fields = {k: v for k, v in one.body.items() if k != "customer_id"}
            return [
                difference(None, field, one.before.get(field), value)
                for field, value in fields.items()
                if one.before.get(field) != value
            ]


def _shown(field: str, value: Any, tongue: Tongue) -> str | None:
    if field == "limit":
        if value is None:
            return say(_NO_LIMIT, tongue)
        return f"{value // 100}{',' if tongue == 'nl' else '.'}{value % 100:02}"
    if value is None or value == "":
        return None
    words = _WORDS.get(str(value)) if field == "status" or isinstance(value, bool) else None
    return say(words, tongue) if words else str(value)[:LONGEST]
