"""A document never says two things about one amount."""

import pytest

from services.invoicer.vat import VatRow
from tests.services.invoicer.documents.samples import invoice, line


def test_lines_that_do_not_sum_to_the_total_are_refused() -> None:
    with pytest.raises(ValueError, match="lines do not sum"):
        invoice(line(), total=701)


def test_vat_rows_that_do_not_sum_to_the_total_are_refused() -> None:
    with pytest.raises(ValueError, match="VAT rows do not sum"):
        invoice(line(), vat=(VatRow(rate="21", base=578, vat=121, gross=699),))


@pytest.mark.parametrize(
    ("quantity", "unit_price", "total", "shown"),
    [
        ("2", 350, 700, ("2", 350)),
        ("0.35", 1899, 665, ("0.35", 1899)),
        ("-1", 25, -25, ("-1", 25)),
        ("1", -350, -350, ("-1", 350)),  # a discount: EN 16931 knows no negative price
        ("-2", -350, 700, ("2", 350)),
        ("3", 350, 700, ("1", 700)),  # one of three was taken back
        ("3", 350, -350, ("-1", 350)),
        ("0", 350, 0, ("0", 350)),
    ],
)
def test_a_line_is_shown_with_a_price_that_is_not_negative(
    quantity: str, unit_price: int, total: int, shown: tuple[str, int]
) -> None:
    one = line(quantity=quantity, unit_price=unit_price, total=total)
    assert (f"{one.billed_quantity:f}", one.billed_price) == shown


@pytest.mark.parametrize(
    ("number", "stem"),
    [
        ("2026-00042", "2026-00042"),
        ("F/2026/1", "F-2026-1"),
        ("../../etc/passwd", "-..-etc-passwd"),
        ("Nº 7", "N-7"),
    ],
)
def test_a_number_of_any_format_makes_a_safe_file_name(number: str, stem: str) -> None:
    assert invoice(number=number).file_stem == stem


def test_a_draft_is_named_by_its_id() -> None:
    assert invoice(number=None).file_stem == "draft-018f3a5c-1111-7000-8000-000000000001"
