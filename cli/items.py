"""What is sold, as a person types it: `2 x Pils 3,50 21%`."""

from __future__ import annotations

import re

from cli.amounts import Misuse, cents
from cli.messages import Json
from cli.till import line

ITEM = re.compile(
    r"(?:(?P<quantity>-?\d{1,9}(?:[.,]\d{1,6})?)\s*[x×]\s*)?(?P<what>\S.*?)\s+[@€]?\s*"
    r"(?P<price>-?\d+(?:[.,]\d{1,2})?)\s+(?P<rate>\d{1,3}(?:[.,]\d{1,2})?)\s*%"
)


NEARLY = re.compile(r"-?\d+([.,]\d+)?\s*[x×*]\s.*|.*\d[.,]\d{1,4}(\s+\d+\s*%?)?|.*\s\d+\s*%")
"""Looks like an item of which something is missing: a quantity, a price or a rate."""


def item(text: str) -> Json:
    """`2 x Pils 3,50 21%` as a line of a sale; raises Misuse for anything else."""
    found = ITEM.fullmatch(text.strip())
    if found is None:
        raise Misuse(
            f"{text!r} is not an item: write QUANTITY x WHAT PRICE VAT%, as in "
            '"2 x Pils 3,50 21%"; the price is for one, VAT included.'
        )
    rate = found["rate"].replace(",", ".")
    if "." in rate:
        rate = rate.rstrip("0").rstrip(".")
    return line(
        found["what"],
        cents(found["price"]),
        rate,
        quantity=(found["quantity"] or "1").replace(",", "."),
    )
