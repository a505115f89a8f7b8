"""Amounts of money as people write and read them; inside they are integer minor units."""

from __future__ import annotations

import re
from decimal import Decimal

from cli.trouble import Trouble
from schemas.currencies import decimals

AMOUNT = re.compile(r"(?P<sign>-?)(?P<whole>[0-9]{1,11})(?:[.,](?P<cents>[0-9]{1,2}))?")
SYMBOLS = {"EUR": "€", "GBP": "£", "USD": "$"}


class Misuse(Trouble):
    """What was typed can't be meant."""

    exit_code = 2


def cents(text: str, *, what: str = "an amount") -> int:
    """`12,50`, `12.5` or `12` as minor units; raises Misuse for anything else."""
    found = AMOUNT.fullmatch(text.strip().removeprefix("€").strip())
    if found is None:
        raise Misuse(
            f"{text!r} is not {what}: write it in whole euros with at most two decimals, without a "
            "separator of thousands, as in 12,50 or 12.50."
        )
    value = int(found["whole"]) * 100 + int((found["cents"] or "").ljust(2, "0"))
    return -value if found["sign"] else value


def money(amount: int | None, currency: str | None = "EUR") -> str:
    """Minor units for people: `€ 1,234.50`, `JPY 1,234`; None, no limit, as `no limit`."""
    if amount is None:
        return "no limit"
    symbol = SYMBOLS.get(currency or "", currency or "")
    text = f"{Decimal(abs(amount)).scaleb(-decimals(currency or '')):,f}"
    return f"{symbol} {'-' if amount < 0 else ''}{text}".strip()
