"""What a file is that is no workbook, and how to make one of it: (English, Dutch)."""

from __future__ import annotations

from typing import Final

from services.importer.domain.sentences import Sentence

KINDS: Final[dict[str, Sentence]] = {
    "empty": ("an empty file", "een leeg bestand"),
    "xls": (
        "a workbook of Excel 97-2003 (.xls) or one with a password",
        "een werkmap van Excel 97-2003 (.xls) of een met een wachtwoord",
    ),
    "encrypted": ("a workbook with a password", "een werkmap met een wachtwoord"),
    "ods": ("an OpenDocument sheet (.ods)", "een OpenDocument-blad (.ods)"),
    "xlsb": ("a binary workbook (.xlsb)", "een binaire werkmap (.xlsb)"),
    "docx": ("a Word document", "een Word-document"),
    "pdf": ("a PDF", "een PDF"),
    "csv": ("a text file (such as .csv)", "een tekstbestand (zoals .csv)"),
    "html": ("a web page", "een webpagina"),
    "xml": ("an XML file", "een XML-bestand"),
    "zip": ("a zip file", "een zip-bestand"),
    "picture": ("a picture", "een afbeelding"),
    "numbers": ("an Apple Numbers file", "een Apple Numbers-bestand"),
    "unknown": ("a file of another kind", "een ander soort bestand"),
}

SAVE_AS: Final = (
    "Open it in Excel, LibreOffice or Google Sheets and save it as 'Excel Workbook (.xlsx)',"
    " without a password.",
    "Open het in Excel, LibreOffice of Google Sheets en sla het op als 'Excel-werkmap (.xlsx)',"
    " zonder wachtwoord.",
)
