"""What an import's options say: a mapping of columns, defaults for new accounts."""

from __future__ import annotations

from typing import Any

from cli.amounts import Misuse, cents
from cli.messages import CLEAR, Json, given


def mapping_of(columns: list[str]) -> dict[str, str]:
    """`Naam=company` as {header: field}; raises Misuse for anything else."""
    found = {}
    for text in columns:
        header, sign, name = text.rpartition("=")
        if not (header and sign and name):
            raise Misuse(f'{text!r} is not a column: write HEADER=FIELD, as in "Naam=company".')
        found[header] = name.strip().replace("-", "_")
    return found


def defaults_said(texts: list[str]) -> Json:
    """`limit=100,00` and its like as they are written; raises Misuse for anything else."""
    found: Json = {}
    for text in texts:
        name, sign, value = (part.strip() for part in text.partition("="))
        name = name.replace("-", "_")
        if not sign or name not in ("limit", "on_account", "in_overview", "status", "language"):
            raise Misuse(
                f"{text!r} is not a default: write limit=100,00, on_account=yes, in_overview=yes, "
                "status=active or language=nl."
            )
        if name in ("on_account", "in_overview"):
            if value.lower() not in ("yes", "ja", "true", "no", "nee", "false"):
                raise Misuse(f"{text!r} is neither yes nor no.")
            found[name] = value.lower() in ("yes", "ja", "true")
        else:
            found[name] = value
    return found


def defaults_of(*, limit: str | None = None, **fields: Any) -> Json:
    """The defaults for rows that say nothing."""
    amount: Any = None
    if limit is not None:
        amount = CLEAR if limit.lower() in ("none", "geen") else cents(limit, what="a limit")
    return given({"limit": amount, **fields})
