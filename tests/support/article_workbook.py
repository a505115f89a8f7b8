"""Workbooks for tests: the help article's, and any other list in a few words."""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import openpyxl

from cli.demo.workbook import COMPANIES, workbook

__all__ = ["COMPANIES", "article_workbook", "sheet_workbook"]


def article_workbook(environment: int = 2890) -> bytes:
    """Ten companies with account numbers, limits, addresses and some chamber numbers."""
    return workbook(environment)


def sheet_workbook(
    *rows: Sequence[Any],
    title: str = "Blad1",
    more: Iterable[str] = (),
    formats: Mapping[str, str] | None = None,
) -> bytes:
    """A workbook of one sheet with these rows, made by openpyxl; `more` names empty sheets, and
    `formats` gives those of numbers, by cell."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    for cell, code in (formats or {}).items():
        sheet[cell].number_format = code
    for name in more:
        book.create_sheet(name)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
