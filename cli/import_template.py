"""A workbook to fill in, in Dutch or English: headers with notes, lists to choose from, examples.

The examples stand on a sheet of their own, on its side, so that nobody imports them.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

ROWS: Final = 1_000
"""So many rows below the header have lists and checks."""

TEXTS: Final[dict[str, dict[str, str]]] = {
    "nl": {
        "sheet": "Leden",
        "notes": "Uitleg",
        "column": "Kolom",
        "what": "Wat erin hoort",
        "example": "Een bedrijf",
        "second": "Een persoon",
        "wrong": "Dit past hier niet",
        "yes": "ja,nee",
        "status": "actief,inactief,geblokkeerd,gesloten",
        "amount": "Een bedrag in euro's, zoals 12,50; of geen, voor geen limiet.",
        "none": "geen",
        "count": "Een heel getal van 0 tot en met 1000.",
        "choose": "Kies uit de lijst.",
    },
    "en": {
        "sheet": "Members",
        "notes": "Notes",
        "column": "Heading",
        "what": "What belongs in it",
        "example": "For a business",
        "second": "For a person",
        "wrong": "This does not fit here",
        "yes": "yes,no",
        "status": "active,inactive,blocked,closed",
        "amount": "An amount in euros, like 12.50; or none, for no limit.",
        "none": "none",
        "count": "A whole number from 0 to 1000.",
        "choose": "Choose from the list.",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its header and note by language, two examples, its width, and how it is checked
    (text, amount, count, yes, status or language)."""

    nl: str
    en: str
    note_nl: str
    note_en: str
    examples: tuple[Any, Any]
    width: int = 14
    kind: str = "text"


COLUMNS: Final = (
    Column(
        nl="Bedrijf", en="Company", width=26, examples=("Bouwbedrijf De Kraan B.V.", ""),
        note_nl="De naam van het bedrijf. Bij een persoon blijft dit leeg.",
        note_en="The name of the business. Leave it empty for a person.",
    ),
    Column(
        nl="Voornaam", en="First name", examples=("", "Jan"),
        note_nl="Bij een persoon; bij een bedrijf mag hier de contactpersoon staan.",
        note_en="For a person; for a business this may be whom to contact.",
    ),
    Column(
        nl="Tussenvoegsel", en="Infix", examples=("", "de"),
        note_nl="Zoals van, de of van der.", note_en="Such as van, de or van der.",
    ),
    Column(
        nl="Achternaam", en="Last name", width=18, examples=("", "Vries"),
        note_nl="Een rij heeft een bedrijf, een voornaam of een achternaam nodig.",
        note_en="A row needs a company, a first name or a last name.",
    ),
    Column(
        nl="E-mailadres", en="E-mail", width=28,
        examples=("administratie@dekraan.nl", "jan@devries.nl"),
        note_nl="Hierheen gaat de factuur. Een fictief adres (test@test.nl) wordt nooit gemaild.",
        note_en="The invoice goes here. A fictitious address (test@test.nl) is never mailed.",
    ),
    Column(
        nl="Straat", en="Street", width=24, examples=("Kraanweg 12", "Dorpsstraat 3 b"),
        note_nl="Met huisnummer. Zonder straat, postcode en plaats kan er geen factuur komen.",
        note_en="With house number. Without street, postcode and town there can be no invoice.",
    ),
    Column(
        nl="Postcode", en="Postcode", examples=("3991 AB", "3994 XK"),
        note_nl="Zoals 3991 AB.", note_en="Like 3991 AB.",
    ),
    Column(
        nl="Plaats", en="City", examples=("Houten", "Houten"),
        note_nl="De woon- of vestigingsplaats.", note_en="The town.",
    ),
    Column(
        nl="Land", en="Country", examples=("", "NL"),
        note_nl="De code van twee letters, zoals BE. Leeg: het land van de omgeving.",
        note_en="Its code of two letters, like BE. Empty: the environment's country.",
    ),
    Column(
        nl="KVK-nummer", en="Chamber number", examples=("12345678", ""),
        note_nl="Acht cijfers, als tekst. Alleen bij een bedrijf.",
        note_en="Eight digits, as text. Only for a business.",
    ),
    Column(
        nl="BTW-nummer", en="VAT number", width=18, examples=("NL856432106B01", ""),
        note_nl="Zoals NL856432106B01. Alleen bij een bedrijf.",
        note_en="Like NL856432106B01. Only for a business.",
    ),
    Column(
        nl="Rekeningnummer", en="Account number", width=18, examples=("28900001", ""),
        note_nl="Het klantnummer van de omgeving met een oplopende reeks. Of laat het leeg en vul"
        " een aantal rekeningen in.",
        note_en="The environment's number with a running series. Or leave it empty and fill in a"
        " number of accounts.",
    ),
    Column(
        nl="Aantal rekeningen", en="Number of accounts", width=19, kind="count",
        examples=("", 2),
        note_nl="Zoveel rekeningen worden gemaakt, genummerd na de laatste. Niet samen met een"
        " rekeningnummer.",
        note_en="So many accounts are made, numbered after the last one. Not together with an"
        " account number.",
    ),
    Column(
        nl="Limiet", en="Limit", kind="amount", examples=(250, 50),
        note_nl="Hoeveel er op een rekening open mag staan, in euro's; geen: zonder limiet. Leeg:"
        " een nieuwe rekening krijgt die van de omgeving, en dat is eerst 0,00.",
        note_en="How much may be owed on an account, in euros; none: without a limit. Empty: a new"
        " account gets the environment's limit, which is 0.00 at first.",
    ),
    Column(
        nl="Omschrijving", en="Description", width=20, examples=("Vrijdagmiddagborrel", ""),
        note_nl="Staat bij de rekening op de kassa.",
        note_en="Stands with the account at the till.",
    ),
    Column(
        nl="Status", en="Status", kind="status", examples=("actief", ""),
        note_nl="Leeg: een nieuwe rekening wordt actief, een andere blijft zoals zij is.",
        note_en="Empty: a new account becomes active, another stays as it is.",
    ),
    Column(
        nl="Op naam kopen toestaan", en="On account allowed", width=23, kind="yes",
        examples=("ja", "ja"),
        note_nl="Of er op de rekening gekocht mag worden. Leeg: een nieuwe rekening krijgt wat de"
        " omgeving heeft, en dat is eerst nee.",
        note_en="Whether the account may be bought on. Empty: a new account gets what the"
        " environment has, which is no at first.",
    ),
    Column(
        nl="In overzicht", en="In overview", kind="yes", examples=("ja", "nee"),
        note_nl="Of de rekening meteen achter de knop Op rekening staat.",
        note_en="Whether the account stands behind the till's button at once.",
    ),
    Column(
        nl="Taal", en="Language", kind="language", examples=("nl", "nl"),
        note_nl="Waarin de factuur wordt geschreven: nl of en.",
        note_en="In which the invoice is written: nl or en.",
    ),
)  # fmt: skip


def template(language: str) -> bytes:
    """The workbook's bytes; `language` is nl or en."""
    texts = TEXTS[language]
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        heading = book.add_format({"bold": True, "bg_color": "#1F4E78", "font_color": "#FFFFFF"})
        plain = book.add_format({"num_format": "@"})
        money = book.add_format({"num_format": "#,##0.00"})
        sheet = book.add_worksheet(texts["sheet"])
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, ROWS, len(COLUMNS) - 1)
        for index, column in enumerate(COLUMNS):
            text = {"amount": money, "count": None}.get(column.kind, plain)
            sheet.set_column(index, index, column.width, text)
            sheet.write_string(0, index, _header(column, language), heading)
            note = column.note_nl if language == "nl" else column.note_en
            sheet.write_comment(0, index, note, {"x_scale": 1.6})
            if (rule := _rule(column.kind, texts, xl_rowcol_to_cell(1, index))) is not None:
                sheet.data_validation(1, index, ROWS, index, rule)
        _notes(book, texts, language, heading)
    return file.getvalue()


def _header(column: Column, language: str) -> str:
    return column.nl if language == "nl" else column.en


def _rule(kind: str, texts: dict[str, str], first: str) -> dict[str, Any] | None:
    """What cells of a column may hold; `first` is the one below its header, as B2."""
    said = {"error_title": texts["wrong"]}
    match kind:
        case "yes" | "status":
            source = texts[kind].split(",")
            return {"validate": "list", "source": source, "error_message": texts["choose"], **said}
        case "language":
            return {"validate": "list", "source": ["nl", "en"], "error_message": texts["choose"],
                    **said}  # fmt: skip
        case "amount":
            said["value"] = f'=OR({first}="{texts["none"]}",AND(ISNUMBER({first}),{first}>=0))'
            return {"validate": "custom", "error_message": texts["amount"], **said}
        case "count":
            return {"validate": "integer", "criteria": "between", "minimum": 0, "maximum": 1000,
                    "error_message": texts["count"], **said}  # fmt: skip
    return None


def _notes(book: Any, texts: dict[str, str], language: str, heading: Any) -> None:
    sheet = book.add_worksheet(texts["notes"])
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    bold = book.add_format({"bold": True, "valign": "top"})
    sheet.write_row(
        0, 0, (texts["column"], texts["what"], texts["example"], texts["second"]), heading
    )
    sheet.freeze_panes(1, 0)
    for width, index in ((24, 0), (64, 1), (28, 2), (22, 3)):
        sheet.set_column(index, index, width)
    for row, column in enumerate(COLUMNS, start=1):
        sheet.write_string(row, 0, _header(column, language), bold)
        note = column.note_nl if language == "nl" else column.note_en
        sheet.write_string(row, 1, note, wrapped)
        for index, example in enumerate(column.examples, start=2):
            sheet.write(row, index, _said(example, language), wrapped)


def _said(example: Any, language: str) -> Any:
    words = {"ja": "yes", "nee": "no", "actief": "active"}
    return words.get(example, example) if language == "en" else example
