"""Whom a row is about: by account number, then e-mail address, then company or full name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from services.importer.domain.book import Book, KnownCustomer
from services.importer.domain.names import email_key, full_name, key_of, name_keys
from services.importer.domain.rows import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambiguous:
    """Several customers fit and nothing tells them apart."""

    code: Literal["ambiguous", "ambiguous_email", "shared_email"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherHolder:
    """The row's account belongs to one customer, and the row is about another."""

    holder: KnownCustomer


@dataclass(frozen=True, slots=True, kw_only=True)
class Torn:
    """The row's e-mail address is that of `mailed`, and its name another customer's (`torn`), or
    nobody's while its account is not one of theirs (`email_taken`)."""

    code: Literal["torn", "email_taken"]
    mailed: KnownCustomer


Match = KnownCustomer | Ambiguous | Torn | OtherHolder | None


def match(entry: Entry, book: Book) -> Match:
    """The customer that the row is about; None where it is a new one, or where it names nobody."""
    found = _by_identity(entry, book) if entry.customer else None
    account = book.accounts.get(entry.account or "")
    if account is None or account.holder is None:
        return _of_account(entry, found) if entry.account and entry.customer else found
    holder = book.customers.get(account.holder)
    if holder is None:
        # Its state has not come: as much as is known of it is its id.
        return KnownCustomer(customer_id=account.holder, fields={})
    if found is holder:
        return holder
    if is_another(entry, holder) or (
        isinstance(found, KnownCustomer) and not is_same(entry, holder)
    ):
        return OtherHolder(holder=holder)
    return holder


def _of_account(entry: Entry, found: Match) -> Match:
    """Whom an account is for that nobody holds yet: not for who has its e-mail address alone.

    Who is called otherwise and gets another account is as likely to share the address, as a family
    and the companies of one bookkeeper do (decision 96).
    """
    match found:
        case Ambiguous(code="ambiguous_email"):
            return Ambiguous(code="shared_email")
        case KnownCustomer(made_by=None, fields=theirs):
            names = _identifying(entry)
            if names and not names & name_keys(theirs):
                return Torn(code="email_taken", mailed=found)
    return found


def is_another(entry: Entry, holder: KnownCustomer) -> bool:
    """Whether the row is evidently not about the holder: taking it for a change would put one
    customer's purchases on the other's invoice.

    That is so where its name and its e-mail address both differ from the holder's, and for a
    company with an address of its own where the holder is a person.
    """
    mail = _email(entry.customer)
    if mail is None or mail == _email(holder.fields):
        return False
    names, theirs = names_of(entry), name_keys(holder.fields)
    company = key_of(str(entry.customer.get("company") or ""))
    company_of_a_person = bool(company) and not holder.fields.get("company")
    return bool(names - theirs) and (
        not names & theirs or (company_of_a_person and company not in theirs)
    )


def is_same(entry: Entry, customer: KnownCustomer) -> bool:
    """Whether the row's name or e-mail address is this customer's."""
    mail = _email(entry.customer)
    return bool(names_of(entry) & name_keys(customer.fields)) or (
        mail is not None and mail == _email(customer.fields)
    )


def names_of(entry: Entry) -> frozenset[str]:
    """The names that a row gives, comparable; the column "Naam" as a whole among them."""
    whole = {key_of(entry.name)} if entry.name else frozenset[str]()
    return name_keys(entry.customer) | whole


def _by_identity(entry: Entry, book: Book) -> KnownCustomer | Ambiguous | Torn | None:
    named = [c for c in book.with_name(_identifying(entry)) if not _differs(entry, c)]
    mailed = [c for c in book.with_email(_email(entry.customer)) if not _differs(entry, c)]
    if len(mailed) > 1:
        both = [c for c in mailed if c in named]
        return both[0] if len(both) == 1 else Ambiguous(code="ambiguous_email")
    if mailed and named and mailed[0] not in named:
        # Lists in which two addresses changed places would have the customers do so (decision 96).
        return Torn(code="torn", mailed=mailed[0])
    if mailed:
        return mailed[0]
    if len(named) > 1 and (person := key_of(full_name(entry.customer))):
        named = [c for c in named if key_of(full_name(c.fields)) == person]
        return named[0] if len(named) == 1 else Ambiguous(code="ambiguous")
    if len(named) > 1:
        return Ambiguous(code="ambiguous")
    return named[0] if named else None


def _identifying(entry: Entry) -> frozenset[str]:
    """A company's row is known by its company alone: its contact may be a customer too."""
    if company := entry.customer.get("company"):
        return frozenset({key_of(company)})
    return names_of(entry)


def _differs(entry: Entry, customer: KnownCustomer) -> bool:
    """Whether a customer that this workbook itself makes is plainly another one.

    Two rows with one e-mail address and two names, or one name and two addresses, are two
    customers; for a customer that exists already the same is a change.
    """
    if customer.made_by is None:
        return False
    mails = {_email(entry.customer), _email(customer.fields)} - {None}
    if len(mails) > 1:
        return True
    return bool(names_of(entry)) and not names_of(entry) & name_keys(customer.fields)


def _email(fields: Any) -> str | None:
    return email_key(fields.get("email"), fields.get("email_fictitious"))
