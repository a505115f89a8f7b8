"""What a file is instead of a workbook, and how to make one of it: (English, Dutch)."""

from __future__ import annotations

from typing import Final

from services.importer.domain.sentences import Sentence

KINDS: Final[dict[str, Sentence]] = {
    "empty": ("an empty file", "een leeg bestand"),
    "xls": ("a workbook of Excel 97-2003 (.xls)", "een werkmap van Excel 97-2003 (.xls)"),
    "encrypted": ("a workbook with a password", "een werkmap met een wachtwoord"),
    "ods": ("an OpenDocument sheet (.ods)", "een OpenDocument-blad (.ods)"),
    "xlsb": ("a binary workbook (.xlsb)", "een binaire werkmap (.xlsb)"),
    "docx": ("a Word document", "een Word-document"),
    "pptx": ("a PowerPoint presentation", "een PowerPoint-presentatie"),
    "pdf": ("a PDF", "een PDF"),
    "csv": ("a text file (such as .csv)", "een tekstbestand (zoals .csv)"),
    "html": ("a web page", "een webpagina"),
    "xml": ("an XML file", "een XML-bestand"),
    "zip": ("a zip file", "een zip-bestand"),
    "archive": ("a packed file", "een ingepakt bestand"),
    "picture": ("a picture", "een afbeelding"),
    "numbers": ("an Apple Numbers file", "een Apple Numbers-bestand"),
    "owner": (
        "a small file of Excel's own (with ~$ in its name), which says who has a workbook open",
        "een klein bestand van Excel zelf (met ~$ in de naam), dat zegt wie een werkmap open heeft",
    ),
    "unknown": ("a file of another kind", "een ander soort bestand"),
}

_SAVE_AS: Final = (
    "Open it in Excel, LibreOffice or Google Sheets and save it as 'Excel Workbook (.xlsx)',"
    " without a password.",
    "Open het in Excel, LibreOffice of Google Sheets en sla het op als 'Excel-werkmap (.xlsx)',"
    " zonder wachtwoord.",
)
_UNPACK: Final = (
    "Unpack it, and upload the workbook (.xlsx) in it.",
    "Pak het uit en upload de werkmap (.xlsx) die erin zit.",
)
_TYPE: Final = (
    "Put the list in a sheet of Excel, a row for each member below a row with column names, and"
    " save it as 'Excel Workbook (.xlsx)'.",
    "Zet de lijst in een blad van Excel, een rij per lid onder een rij met kolomnamen, en sla het"
    " op als 'Excel-werkmap (.xlsx)'.",
)

_ADVICE: Final[dict[str, Sentence]] = {
    "empty": (
        "Save the workbook once more as 'Excel Workbook (.xlsx)', and upload that.",
        "Sla de werkmap nog eens op als 'Excel-werkmap (.xlsx)' en upload die.",
    ),
    "encrypted": (
        "Open it in Excel with its password, take that away under File > Info > Protect Workbook >"
        " Encrypt with Password, and save it.",
        "Open haar in Excel met het wachtwoord, haal dat weg onder Bestand > Info > Werkmap"
        " beveiligen > Versleutelen met wachtwoord, en sla haar op.",
    ),
    "csv": (
        "Read it into Excel under Data > From Text/CSV, with account numbers as text so that no"
        " zeros are lost, and save it as 'Excel Workbook (.xlsx)'.",
        "Lees het in Excel in onder Gegevens > Van tekst/CSV, met rekeningnummers als tekst zodat"
        " er geen nullen wegvallen, en sla het op als 'Excel-werkmap (.xlsx)'.",
    ),
    "numbers": (
        "Open it in Numbers and choose File > Export To > Excel (.xlsx).",
        "Open het in Numbers en kies Archief > Exporteer naar > Excel (.xlsx).",
    ),
    "owner": (
        "Save the workbook, and upload it itself: the file of the same name without ~$.",
        "Sla de werkmap op en upload haarzelf: het bestand met dezelfde naam zonder ~$.",
    ),
    **dict.fromkeys(("zip", "archive"), _UNPACK),
    **dict.fromkeys(("docx", "pptx", "pdf", "picture", "unknown"), _TYPE),
}


def kind_and_advice(kind: str) -> tuple[Sentence, Sentence]:
    """What it is, and what to do with it."""
    return KINDS.get(kind, KINDS["unknown"]), _ADVICE.get(kind, _SAVE_AS)
