"""Months as they are typed: YYYY-MM."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

from cli.amounts import Misuse


def last_month(now: datetime, zone: tzinfo) -> str:
    """The last month that is over by a venue's clock, as YYYY-MM."""
    first = now.astimezone(zone).date().replace(day=1)
    return (first - timedelta(days=1)).strftime("%Y-%m")


def a_month(text: str) -> str:
    """The month that was typed; raises Misuse for what is none: asked for, it would find nothing,
    and look as if there were nothing."""
    if not re.fullmatch(r"[12][0-9]{3}-(0[1-9]|1[0-2])", text):
        raise Misuse(f"{text!r} is not a month: write YYYY-MM, as in 2026-10.")
    return text


def a_month_or_any(text: str | None) -> str | None:
    """As `a_month`, where none need be given."""
    return None if text is None else a_month(text)
