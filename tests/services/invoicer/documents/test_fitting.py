"""What is said to fit does: two things that are placed beside each other never meet.

Goal: no text over another where typst is told, not asked, what is the lower. Method: typst measures
what was reckoned, and pdfium says where each letter stands, about where the answer changes.
"""

import json
from dataclasses import replace

import pytest
import typst

from services.invoicer.documents.fitting import (
    SMALL_LETTER_MM,
    amount_mm,
    height_mm,
    table_mm,
    width_mm,
)
from services.invoicer.documents.labels import LABELS
from services.invoicer.documents.model import Invoice, Language
from services.invoicer.documents.page import page_data
from services.invoicer.documents.pdf import render_pdf
from services.invoicer.documents.typesetting import fonts
from tests.services.invoicer.documents.paper import letters, one_over_another
from tests.services.invoicer.documents.samples import BUSINESS, GUEST, SELLER, invoice, line

PLACED = ("vat_is_lower", "closing_is_lower", "buyer_is_lower", "name_is_lower")
RATES = ("21", "9", "0", "5.5")


def measured(expression: str, given: object) -> float:
    """What typst finds, in mm, of an expression over `d`."""
    source = (
        '#set text(font: "Noto Sans", size: 9.5pt, number-width: "tabular", hyphenate: false)\n'
        "#set par(leading: 0.55em, spacing: 0.8em)\n"
        "#let d = json(bytes(sys.inputs.d))\n"
        f"#context [#metadata({expression}.mm()) <m>]"
    )
    compiler = typst.Compiler(
        source.encode(), font_paths=fonts(), sys_inputs={"d": json.dumps(given)}
    )
    return float(json.loads(compiler.query("<m>", field="value", one=True)))


@pytest.mark.parametrize("room_mm", [40, 74, 120])
def test_paragraphs_are_never_higher_than_was_reckoned(room_mm: int) -> None:
    word, long = "onder vermelding van ", "Hottentottententoonstelling "
    for rows in (["Zo betaalt u", word * 3], [word], [word * 9, long * 4], ["W" * 10, "i " * 90]):
        paragraphs = "for row in d { row\n parbreak() }"
        found = measured(f"measure(block(width: {room_mm}mm, {{{paragraphs}}})).height", rows)
        assert found <= height_mm(rows, room_mm), rows


@pytest.mark.parametrize(
    "text", ["\u20ac\u00a01.234,50", "SEK\u00a0\u22121.234,50", "AMD 9", "19,25%"]
)
def test_an_amount_is_never_wider_than_was_reckoned(text: str) -> None:
    assert measured("measure(d).width", text) <= amount_mm(text) <= width_mm(text) + 1


def test_a_table_is_never_wider_than_was_reckoned() -> None:
    heads, rows = ["Tarief", "Bedrag excl. btw"], [("21%", "1.234,50"), ("9%", "7,00")]
    table = (
        "table(columns: 2, inset: (x: 1.6mm), "
        "..d.at(0).map(h => text(size: 8pt, h)), ..d.at(1).flatten())"
    )
    assert measured(f"measure({table}).width", [heads, rows]) <= table_mm(heads, rows)


@pytest.mark.parametrize("language", ["nl", "en"])
def test_no_head_of_the_table_is_wider_than_was_reckoned(language: Language) -> None:
    """They are in semibold, and their row is as high as one line of them."""
    said = page_data(invoice(language=language), with_logo=False)
    assert said["heads_fit"]
    for head in (*said["heads"], LABELS[language]["account"]):
        found = measured("measure(text(size: 8pt, weight: 600, d)).width", head)
        assert found <= len(head) * SMALL_LETTER_MM, head


def test_what_no_latin_letter_is_may_be_of_any_size() -> None:
    assert width_mm("Bier \u05e9") == float("inf") == height_mm(["\u05e9"], 120)
    assert height_mm(["W" * 99], 120) == float("inf"), "a word that is broken within"


def apart(document: Invoice) -> tuple[bool, ...]:
    """Which things are placed, after a look whether any letter lies over another."""
    for page in letters(render_pdf(document)):
        plain = [letter for letter in page if letter.text.isascii()]
        assert one_over_another(plain) == []
    said = page_data(document, with_logo=False)
    return tuple(said[name] for name in PLACED)


@pytest.mark.parametrize("language", ["nl", "en"])
def test_nothing_that_is_placed_meets_what_stands_beside_it(language: str) -> None:
    """Amounts, names and addresses that grow until they no longer fit."""
    seen = set()
    for size in range(1, 11):
        count = min(1 + size // 3, 4)
        price = 10**size - 1
        grown = "Wim de Wit " * size
        seen.add(
            apart(
                invoice(
                    *(line(unit_price=price, vat_rate=rate) for rate in RATES[:count]),
                    language=language,
                    buyer=replace(BUSINESS if size % 2 else GUEST, company=grown.strip()),
                    seller=replace(
                        SELLER, legal_name=(grown * 4).strip(), name=(grown * 2)[: size * 8].strip()
                    ),
                )
            )
        )
    for place, name in enumerate(PLACED):
        assert {each[place] for each in seen} == {True, False}, name


def test_an_ordinary_invoice_is_set_by_what_surely_fits() -> None:
    for given in (invoice(), invoice(buyer=GUEST, language="en")):
        assert apart(given) == (True, True, True, True)
