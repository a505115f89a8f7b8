"""Sheets that are simply too much."""

import random

from tests.services.importer.corpus import samples
from tests.services.importer.files import HEADER, sheet


def full_rows(count: int) -> bytes:
    return sheet(
        HEADER
        + b"".join(
            b'<row r="%d"><c r="A%d"><v>%d</v></c></row>' % (n, n, n) for n in range(2, count)
        )
    )


def wide_rows() -> bytes:
    """Nine million cells, in which there is nothing."""
    chance = random.Random(6)
    wide = [b"".join(b'<c s="%d"/>' % chance.randrange(9) for _ in range(300)) for _ in range(200)]
    rows = (b'<row r="%d">%s</row>' % (n, chance.choice(wide)) for n in range(2, 30_002))
    return sheet(HEADER + b"".join(rows))


SAMPLES = {
    **samples("too_many_rows", {"1,048,576 rows": lambda: full_rows(1_048_577)}),
    **samples("too_demanding", {"nine million cells": wide_rows}),
}
