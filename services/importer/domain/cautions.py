"""What a row may do, and its person should know all the same: warnings, which refuse nothing."""

from __future__ import annotations

import re
from typing import Final

from runtime.particulars import is_fictitious
from services.importer.domain.book import KnownAccount, KnownCustomer
from services.importer.domain.matching import is_same, names_of
from services.importer.domain.messages import Tongue, of_row, say
from services.importer.domain.names import display_name, name_keys
from services.importer.domain.refusals import Problem
from services.importer.domain.rows import Entry
from services.importer.domain.sentences import Sentence

ADDRESS: Final[dict[str, Sentence]] = {
    "street": ("street", "straat"),
    "postcode": ("postcode", "postcode"),
    "city": ("town", "plaats"),
}
_AND: Final[Sentence] = ("and", "en")
_SIGNS: Final = re.compile(r"(?<=\d)[ .'’-]+(?=\d|$)")
"""What stands between the digits of a number for the eye alone."""
_MORE_BEHIND: Final = re.compile(r"(\d{5,})(?: *[^\w .'’-]| +[^\W\d]).*")


def cautions(
    entry: Entry,
    customer: KnownCustomer | None,
    account: KnownAccount | None,
    tongue: Tongue,
    *,
    environment: int,
    new: bool,
) -> list[Problem]:
    """Warnings about a row that is carried out.

    `customer` as it will stand and `account` as it stood before; `new`: the row makes or changes
    the customer, who else was told of the same already.
    """
    found: list[Problem] = []
    if customer is not None and customer.made_by not in (None, entry.row):
        found.append(_caution(entry, "", "joins", "", tongue, other=customer.made_by))
    if entry.account and account is None:
        found += _about_number(entry, entry.account, str(environment), tongue)
    if customer is not None and new:
        if customer.made_by == entry.row and _could_have_an_account(entry):
            name = display_name(customer.fields)
            found.append(_caution(entry, entry.name_column, "no_account", name, tongue))
        bought_on = entry.account is not None or bool(entry.account_count)
        missing = [f for f in ADDRESS if not str(customer.fields.get(f) or "").strip()]
        if bought_on and missing:
            # An invoice names its buyer's full address (art. 35a(1)(e) Wet OB 1968).
            where = next((f for f in missing if f in entry.headers), "")
            found.append(_missing(entry, where, missing, tongue))
        email = str(customer.fields.get("email") or "")
        if email and (customer.fields.get("email_fictitious") or is_fictitious(email)):
            found.append(_caution(entry, "email", "fictitious", email, tongue))
    if (
        account is not None
        and account.fields.get("status") == "closed"
        and "status" not in entry.settings
    ):
        found.append(_caution(entry, "account", "closed_account", account.account, tongue))
    return found


def renaming(entry: Entry, customer: KnownCustomer, tongue: Tongue) -> list[Problem]:
    """Warnings about a row that gives its customer another name; `customer` as it stood before."""
    if not names_of(entry):
        return []
    theirs, name = display_name(customer.fields), display_name(entry.customer)
    if entry.account and not is_same(entry, customer):
        words = {"other": entry.account, "theirs": theirs}
        return [_caution(entry, entry.name_column, "renames", name, tongue, **words)]
    if entry.account is None and not names_of(entry) & name_keys(customer.fields):
        return [_caution(entry, entry.name_column, "renames_mailed", name, tongue, theirs=theirs)]
    return []


def _about_number(entry: Entry, number: str, environment: str, tongue: Tongue) -> list[Problem]:
    """What to know of a new account's number."""
    plain = _SIGNS.sub("", number)
    if behind := _MORE_BEHIND.fullmatch(number):
        plain = behind[1]  # "28900001 (Jan)"
    if plain != number and plain.startswith(environment):
        # A till that sells on 28900001 does not find 2890 0001, and nobody sees why.
        return [_caution(entry, "account", "spaced_account", number, tongue, other=plain)]
    if not number.startswith(environment):
        # The registry says the same when it opens the account; here it comes before.
        told = _caution(
            entry, "account", "unlike_environment", number, tongue, other=int(environment)
        )
        return [told]
    return []


def _could_have_an_account(entry: Entry) -> bool:
    """Whether the list has a column for that, in which the row has nothing."""
    asked = bool(entry.headers.keys() & {"account", "account_count"})
    return asked and entry.account is None and entry.account_count is None


def _missing(entry: Entry, where: str, parts: list[str], tongue: Tongue) -> Problem:
    words = [say(ADDRESS[part], tongue) for part in parts]
    listed = f" {say(_AND, tongue)} ".join(w for w in (", ".join(words[:-1]), words[-1]) if w)
    message = of_row("no_address", tongue, value=listed)
    return Problem(row=entry.row, column=entry.headers.get(where, ""), value="", message=message)


def _caution(
    entry: Entry, where: str, code: str, value: str, tongue: Tongue, **words: object
) -> Problem:
    message = of_row(code, tongue, value=value, **words)
    return Problem(
        row=entry.row, column=entry.headers.get(where, ""), value=value[:100], message=message
    )
