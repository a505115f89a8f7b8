"""VAT in euros on the documents of a Dutch venue that bills in another currency.

Art. 230 VAT directive, art. 35a(4) Wet OB 1968; in EN 16931 BT-6 and BT-111. At the rate of the day
of issue, on which the VAT falls due (art. 13 Wet OB 1968); a credit note has its invoice's rate, so
that what is taken back is what was charged.
"""

from datetime import date

from runtime.transaction import Tx
from schemas.currencies import decimals
from schemas.registry import EnvironmentState
from services.invoicer.store import rates
from services.invoicer.vat import VatRow, in_euros


def are_due(environment: EnvironmentState) -> bool:
    """Whether its documents must say their VAT in euros too."""
    return (environment.country or "NL") == "NL" and environment.currency != "EUR"


async def rate_on(tx: Tx, environment: EnvironmentState, day: date) -> str | None:
    """The rate of a day; None where none is due, or none was set."""
    if not are_due(environment):
        return None
    return await rates.on_day(tx, environment.environment, environment.currency, day)


def vat_euro(vat: tuple[VatRow, ...], currency: str, rate: str | None) -> int | None:
    """A document's VAT in euro cents; None where there is no rate."""
    if rate is None:
        return None
    return in_euros(sum(row.vat for row in vat), decimals(currency), rate)
