"""In what a row differs from the customer that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from runtime.particulars import is_fictitious
from services.importer.domain.book import KnownCustomer
from services.importer.domain.names import full_name, key_of, name_keys
from services.importer.domain.rows import Entry

NAME_FIELDS: Final = ("first_name", "infix", "last_name", "company")


def changes(entry: Entry, customer: KnownCustomer) -> dict[str, Any]:
    """The fields in which the row differs from the customer. An empty cell differs in nothing.

    A column "Naam" that is the customer's name, however it falls apart, changes none of its
    parts; one that is another name replaces all of them. An infix goes with its last name: who
    was Anna van der Berg and is called Visser now is not Anna van der Visser.
    """
    said = dict(entry.customer)
    if entry.name_parts:
        if _called(entry) & name_keys(customer.fields):
            said = {k: v for k, v in said.items() if k not in entry.name_parts}
        else:
            said = {**dict.fromkeys(NAME_FIELDS), **said}
    elif "last_name" in said and _other_last_name(said["last_name"], customer):
        said.setdefault("infix", None)
    return {k: v for k, v in said.items() if not _equal(k, v, customer.fields.get(k))}


def as_asked(changed: Mapping[str, Any], entry: Entry, customer: KnownCustomer) -> dict[str, Any]:
    """The same fields as they are asked for: with another address the registry lets go of what was
    said of the old one, that it was made up. So with the new one goes whether that is, also where
    both are: else it would be mailed, and an undo would leave the old one to be mailed."""
    if "email" not in changed or not customer.fields.get("email_fictitious"):
        return dict(changed)
    made_up = entry.customer.get("email_fictitious") or is_fictitious(changed["email"])
    return {**changed, "email_fictitious": made_up or None}


def _called(entry: Entry) -> frozenset[str]:
    """What the column "Naam" says, comparable. Beside a column of companies that is the contact,
    who may be another while the company is the same."""
    return frozenset({key_of(entry.name or ""), key_of(full_name(entry.customer))} - {""})


def _other_last_name(said: str, customer: KnownCustomer) -> bool:
    return key_of(said) != key_of(str(customer.fields.get("last_name") or ""))


def _equal(name: str, new: Any, old: Any) -> bool:
    if name == "email":
        return str(new).casefold() == str(old or "").casefold()
    return (new or None) == (old or None)
