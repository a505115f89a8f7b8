"""What a preview says of a whole sheet: what was read otherwise than its reader may think."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.importer.domain.columns import Layout
from services.importer.domain.fields import JOINED, Field, field_of, nearest
from services.importer.domain.house import Tally
from services.importer.domain.messages import Tongue, say
from services.importer.domain.refusals import Problem
from services.importer.domain.sentences import Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """What the reader noticed of the sheet that it read.

    `hidden_rows` (by hand or by a filter) and `hidden_columns` (indexes) were read like the
    others; `merged` cells got the value of the cell that they are merged with; macros, and
    columns `beyond` the last that is read, were left alone.
    """

    macros: bool = False
    hidden_rows: int = 0
    hidden_columns: tuple[int, ...] = ()
    merged: int = 0
    beyond: bool = False


_SENTENCES: Final[dict[str, Sentence]] = {
    "macros": (
        "the workbook has macros; they are ignored, and left out of the report",
        "de werkmap bevat macro's; die worden genegeerd en staan niet in het verslag",
    ),
    "hidden_rows": (
        "hidden or filtered rows are imported as well ({value}); remove them from the sheet if they"
        " should not be",
        "verborgen of weggefilterde rijen worden ook geïmporteerd ({value}); verwijder ze uit het"
        " blad als dat niet moet",
    ),
    "hidden_column": (
        "this column is hidden, and is imported as well",
        "deze kolom is verborgen en wordt ook geïmporteerd",
    ),
    "nearly": (
        "nobody knows this column, so it is not used; if '{value}' is meant, write that above it",
        "deze kolom kent niemand, dus zij wordt niet gebruikt; is '{value}' bedoeld, schrijf dat"
        " er dan boven",
    ),
    "unnamed": (
        "column {value} has something in most rows and no name above it, so it is not used; write"
        " above it what it holds, such as 'Last name'",
        "kolom {value} is in de meeste rijen gevuld en heeft geen naam, dus zij wordt niet"
        " gebruikt; schrijf erboven wat erin staat, zoals 'Achternaam'",
    ),
    "merged": (
        "merged cells got the text of the first cell of their group ({value})",
        "samengevoegde cellen kregen de tekst van de eerste cel van hun groep ({value})",
    ),
    "beyond": (
        "columns right of IP (the 250th) are not read",
        "kolommen rechts van IP (de 250e) worden niet gelezen",
    ),
}


_NO_ACCOUNT: Final[Sentence] = (
    "new customers without an account, who cannot buy: {value}; give them one in a column 'Account"
    " number' or 'Number of accounts'",
    "nieuwe klanten zonder rekening, die niet kunnen kopen: {value}; geef ze er een in een kolom"
    " 'Rekeningnummer' of 'Aantal rekeningen'",
)
_AGAIN: Final[Sentence] = (
    ", and import the workbook again",
    ", en importeer de werkmap opnieuw",
)
_NO_HOLDER: Final[Sentence] = (
    "new accounts that nobody holds, of which nothing can be invoiced: {value}; write the name or"
    " the company beside them, in a column 'Name' or 'Company'",
    "nieuwe rekeningen die van niemand zijn, waarvan niets kan worden gefactureerd: {value}; zet de"
    " naam of het bedrijf erbij, in een kolom 'Naam' of 'Bedrijf'",
)
_BEFORE: Final[dict[str, Sentence]] = {
    "no_account": _NO_ACCOUNT,
    "no_holder": _NO_HOLDER,
    "closed": (
        "accounts that are closed and stay so, also where an undo closed them: {value}; write"
        " active for them in a column 'Status'",
        "rekeningen die gesloten zijn en dat blijven, ook als dat kwam doordat een import ongedaan"
        " is gemaakt: {value}; zet er actief bij in een kolom 'Status'",
    ),
    "may_not_buy": (
        "new accounts that may not buy on account yet: {value}; write yes for them in a column"
        " 'On account', or import with --on-account",
        "nieuwe rekeningen die nog niet op naam mogen kopen: {value}; zet er ja bij in een kolom"
        " 'Op naam kopen toestaan', of importeer met --on-account",
    ),
    "limit_nought": (
        "new accounts for which no limit is given: {value}; they get that of the environment, 0.00,"
        " and nothing can be bought on them; fill one in ('none' for no limit), or import with"
        " --limit 100,00",
        "nieuwe rekeningen waarvoor geen limiet is gegeven: {value}; zij krijgen die van de"
        " omgeving, 0,00, en er kan niets op worden gekocht; vul er een in ('geen' voor geen"
        " limiet), of importeer met --limit 100,00",
    ),
}
_AFTER: Final[dict[str, Sentence]] = {
    "no_account": (_NO_ACCOUNT[0] + _AGAIN[0], _NO_ACCOUNT[1] + _AGAIN[1]),
    "no_holder": (_NO_HOLDER[0] + _AGAIN[0], _NO_HOLDER[1] + _AGAIN[1]),
    "closed": (
        "accounts that are closed and stayed so, also where an undo closed them: {value}; write"
        " active for them in a column 'Status' and import the workbook again, or `onaccount account"
        " change {environment} NUMBERS --status active`",
        "rekeningen die gesloten zijn en dat zijn gebleven, ook als dat kwam doordat een import"
        " ongedaan is gemaakt: {value}; zet er actief bij in een kolom 'Status' en importeer de"
        " werkmap opnieuw, of `onaccount account change {environment} NUMMERS --status active`",
    ),
    "may_not_buy": (
        "new accounts that may not buy on account yet: {value}; write yes for them in a column"
        " 'On account' and import the workbook again, or `onaccount account change {environment}"
        " NUMBERS --on-account`",
        "nieuwe rekeningen die nog niet op naam mogen kopen: {value}; zet er ja bij in een kolom"
        " 'Op naam kopen toestaan' en importeer de werkmap opnieuw, of `onaccount account change"
        " {environment} NUMMERS --on-account`",
    ),
    "limit_nought": (
        "new accounts with the limit of the environment, 0.00: {value}; nothing can be bought on"
        " them; fill in a limit ('none' for no limit) and import the workbook again, or `onaccount"
        " limits set {environment} 100,00 NUMBERS`",
        "nieuwe rekeningen met de limiet van de omgeving, 0,00: {value}; er kan niets op worden"
        " gekocht; vul een limiet in ('geen' voor geen limiet) en importeer de werkmap opnieuw, of"
        " `onaccount limits set {environment} 100,00 NUMMERS`",
    ),
}
"""What keeps customers and accounts from buying: what to do about it, before the import and after.
"""


def warnings_of(noticed: Noticed, layout: Layout, tongue: Tongue) -> tuple[Problem, ...]:
    """One warning for each, at the header row; hidden columns only where they are imported."""

    def warning(code: str, *, column: str = "", value: object = "") -> Problem:
        return _warning(layout, column, say(_SENTENCES[code], tongue, value=value))

    found = []
    if noticed.macros:
        found.append(warning("macros"))
    if noticed.hidden_rows:
        found.append(warning("hidden_rows", value=noticed.hidden_rows))
    found += [
        warning("hidden_column", column=column.header)
        for column in layout.columns
        if column.field and column.index in noticed.hidden_columns
    ]
    found += [
        warning("nearly", column=header, value=meant) for header, meant in _nearly_known(layout)
    ]
    found += [warning("unnamed", value=_letters(index)) for index in layout.unnamed]
    if noticed.merged:
        found.append(warning("merged", value=noticed.merged))
    if noticed.beyond:
        found.append(warning("beyond"))
    return tuple(found)


def _letters(index: int) -> str:
    """A column as Excel names it, of the 250 that are read."""
    before, last = divmod(index, 26)
    return (chr(64 + before) if before else "") + chr(65 + last)


def still_to_do(
    layout: Layout, tongue: Tongue, tally: Tally, *, environment: int, imported: bool
) -> tuple[Problem, ...]:
    """What keeps accounts that no row says more of from buying, and what to do about it.

    `imported`: they are there already, and another import opens none of them again.
    """
    counts: tuple[tuple[str, Field, int], ...] = (
        ("no_account", "account", tally.no_account),
        ("no_holder", "account", tally.no_holder),
        ("closed", "status", tally.closed),
        ("may_not_buy", "on_account", tally.may_not_buy),
        ("limit_nought", "limit", tally.limit_nought),
    )
    headers = {c.field: c.header for c in layout.columns}
    sentences = _AFTER if imported else _BEFORE
    return tuple(
        _warning(
            layout,
            headers.get(field, ""),
            say(sentences[code], tongue, value=count, environment=environment),
        )
        for code, field, count in counts
        if count
    )


def _warning(layout: Layout, column: str, message: str) -> Problem:
    return Problem(row=layout.header_row, column=column, value="", message=message)


def _nearly_known(layout: Layout) -> list[tuple[str, str]]:
    """Headers that nobody knows, each with the one it nearly is, where no column has that yet."""
    taken = {JOINED.get(field, field) for field in layout.fields()}
    unknown = [c.header for c in layout.columns if c.field is None and field_of(c.header) is None]
    near = [(header, nearest(header)) for header in unknown]
    return [
        (header, known[0]) for header, known in near
        if known is not None and JOINED.get(known[1], known[1]) not in taken
    ]  # fmt: skip
