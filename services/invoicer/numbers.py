"""Invoice numbers: which series a document counts in, and how its number is written."""

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from schemas.registry import EnvironmentState

Series = Literal["invoice", "credit_note"]
KINDS: tuple[Series, ...] = ("invoice", "credit_note")


def series_of(kind: Series, environment: EnvironmentState) -> Series:
    """Credit notes count with the invoices where both formats are the same text."""
    if environment.credit_note_format == environment.number_format:
        return "invoice"
    return kind


def format_of(kind: Series, environment: EnvironmentState) -> str:
    """How the number of such a document is written."""
    return environment.number_format if kind == "invoice" else environment.credit_note_format


def written(number_format: str, *, year: int, seq: int) -> str:
    """A number in a checked format (schemas.registry.NumberFormat): "{year}-{seq:05}"."""
    return number_format.format(year=year, seq=seq)


def year_of(moment: datetime, zone: ZoneInfo) -> int:
    """The year in which a number is given: the venue's."""
    return moment.astimezone(zone).year
