"""The template that people fill in is understood by the importer, and examples are not imported."""

import io
from typing import Any

import openpyxl
import pytest

from cli.import_template import COLUMNS, template
from services.importer.domain.columns import Layout, Outline, lay_out


def outlines(content: bytes) -> list[Outline]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [
        Outline(
            name=sheet.title,
            hidden=False,
            rows=[
                (number, list(row))
                for number, row in enumerate(sheet.iter_rows(values_only=True), start=1)
            ],
        )
        for sheet in book.worksheets
    ]


@pytest.mark.parametrize("language", ["nl", "en"])
def test_each_column_of_the_template_is_known_and_its_notes_are_no_list(language: Any) -> None:
    layout = lay_out(outlines(template(language)), sheet=None, mapping=None, tongue=language)
    assert isinstance(layout, Layout), layout
    assert layout.header_row == 1
    assert [c.field for c in layout.columns if c.field is None] == []
    assert len(layout.fields()) == len(COLUMNS)


@pytest.mark.parametrize("language", ["nl", "en"])
def test_every_header_has_a_note_and_choices_are_checked(language: Any) -> None:
    book = openpyxl.load_workbook(io.BytesIO(template(language)))
    sheet: Any = book.worksheets[0]
    assert all(sheet.cell(1, n).comment for n in range(1, len(COLUMNS) + 1))
    assert len(sheet.data_validations.dataValidation) == 6
    assert sheet.freeze_panes == "A2"


@pytest.mark.parametrize(("language", "word"), [("nl", "geen"), ("en", "none")])
def test_no_limit_can_be_filled_in(language: Any, word: str) -> None:
    """Excel refuses what its rule for the column does not allow."""
    sheet: Any = openpyxl.load_workbook(io.BytesIO(template(language))).worksheets[0]
    (limit,) = [cell for cell in sheet[1] if cell.value in ("Limiet", "Limit")]
    (rule,) = [
        rule
        for rule in sheet.data_validations.dataValidation
        if f"{limit.column_letter}2" in rule.sqref
    ]
    assert (rule.type, f'{limit.column_letter}2="{word}"' in rule.formula1) == ("custom", True)
