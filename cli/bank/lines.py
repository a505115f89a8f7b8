"""One line of a bank account, whatever export it was read from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from schemas.currencies import decimals


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an account. `amount` is in minor units, negative where money went out; `row` is
    the file's line, and no part of what the line is."""

    row: int
    on: date
    amount: int
    currency: str
    name: str
    iban: str
    description: str
    reference: str
    account: str
    sequence: str
    reversal: bool = False
    """The bank undoes an earlier booking: money that comes in so is no payment."""

    @property
    def identity(self) -> str:
        """What makes it this line in any export of it: blanks and capitals do not count."""
        parts = (
            self.account, self.on.isoformat(), str(self.amount), self.currency, self.iban,
            self.name, self.description, self.reference, self.sequence,
        )  # fmt: skip
        return "\n".join("".join(part.split()).upper() for part in parts)


def minor_units(amount: str, currency: str) -> int | None:
    """`1250.50` in the currency's minor units; None where they are smaller than it has."""
    value = Decimal(amount).scaleb(decimals(currency))
    return int(value) if value == int(value) else None


def compact(text: str) -> str:
    """An account's number without blanks, in capitals."""
    return "".join(text.split()).upper()


def between(description: str, *tags: str) -> str:
    """What follows a tag in /TRTP/SEPA OVERBOEKING/IBAN/NL..../NAME/J. Jansen/REMI/..., or
    behind `Naam:` in the older wording."""
    for tag in tags:
        found = re.search(rf"/{tag}/([^/]*)", description, re.IGNORECASE) or re.search(
            rf"\b{tag}:\s*(.*?)(?=\s{{2,}}|$)", description, re.IGNORECASE
        )
        if found:
            return found[1].strip()
    return ""
