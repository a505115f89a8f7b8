"""Amounts of money as people write and read them; inside they are integer minor units."""

from __future__ import annotations

import re
from decimal import Decimal

from cli.trouble import Trouble
from schemas import currencies

AMOUNT = re.compile(r"(?P<sign>-?)(?P<whole>[0-9]{1,11})(?:[.,](?P<cents>[0-9]{1,2}))?")
EURO = re.compile(r"^(-?)€\s*")


class Misuse(Trouble):
    """What was typed can't be meant."""

    exit_code = 2


def cents(text: str, *, what: str = "an amount") -> int:
    """`12,50`, `12.5`, `12` or `-€12.50` as minor units; raises Misuse for anything else."""
    found = AMOUNT.fullmatch(EURO.sub(r"\1", text.strip()))
    if found is None:
        raise Misuse(
            f"{text!r} is not {what}: write it with at most two decimals, without a separator "
            "of thousands, as in 12,50 or 12.50."
        )
    value = int(found["whole"]) * 100 + int((found["cents"] or "").ljust(2, "0"))
    return -value if found["sign"] else value


def money(amount: int | None, currency: str | None = "EUR") -> str:
    """Minor units in English, as all that the command line says: `€1,234.50`, `-€16.75`, and only
    the number where no currency is known; None, no limit, as `no limit`."""
    if amount is None:
        return "no limit"
    return currencies.money(amount, currency or "", "en").strip()


def decimal(amount: int) -> str:
    """Hundredths as `cents` reads them, and as files have them: `1234.50`."""
    return f"{Decimal(amount).scaleb(-2):f}"
