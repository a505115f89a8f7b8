"""What a row may do, and its person should know all the same: warnings, which refuse nothing."""

from __future__ import annotations

from typing import Any, Final

from services.importer.domain.book import KnownAccount, KnownCustomer
from services.importer.domain.messages import Tongue, of_row
from services.importer.domain.names import email_key
from services.importer.domain.refusals import Problem
from services.importer.domain.rows import Entry

ADDRESS: Final = ("street", "postcode", "city")


def cautions(
    entry: Entry,
    customer: KnownCustomer | None,
    account: KnownAccount | None,
    tongue: Tongue,
    *,
    new: bool,
) -> list[Problem]:
    """Warnings about a row that is carried out.

    `customer` as it will stand and `account` as it stood before; `new`: the row makes or changes
    the customer, who else was told of the same already.
    """
    found: list[Problem] = []
    if customer is not None and new:
        bought_on = entry.account is not None or bool(entry.account_count)
        missing = [f for f in ADDRESS if not str(customer.fields.get(f) or "").strip()]
        if bought_on and missing:
            # An invoice names its buyer's full address (art. 35a(1)(e) Wet OB 1968).
            where = next((f for f in missing if f in entry.headers), "")
            found.append(_caution(entry, where, "no_address", "", tongue))
        email = customer.fields.get("email")
        if email and email_key(email, customer.fields.get("email_fictitious")) is None:
            found.append(_caution(entry, "email", "fictitious", str(email), tongue))
    if (
        account is not None
        and account.fields.get("status") == "closed"
        and "status" not in entry.settings
    ):
        found.append(_caution(entry, "account", "closed_account", account.account, tongue))
    return found


def _caution(entry: Entry, where: str, code: str, value: str, tongue: Tongue) -> Problem:
    message = of_row(code, tongue, **_words(value))
    return Problem(
        row=entry.row, column=entry.headers.get(where, ""), value=value[:100], message=message
    )


def _words(value: str) -> dict[str, Any]:
    return {"value": value}
