"""Which journal each event makes, in double entry, and what it does to an account's balance.

A guest's debt is `receivable:unbilled` until an invoice claims it, `receivable:billed` after
that. Revenue waits, VAT included, in `revenue:unbilled:RATE`, because VAT is exact per invoice
and rate, not per sale; the invoice turns it into `revenue:RATE` (net) and `vat:RATE`.

    charge       Dr receivable:unbilled            Cr revenue:unbilled:RATE (gross)
    reversal     Dr revenue:unbilled:RATE          Cr receivable:unbilled
    invoice      Dr receivable:billed              Cr receivable:unbilled
                 Dr revenue:unbilled:RATE (gross)  Cr revenue:RATE (net), vat:RATE
    credit_note  the invoice's mirror
    payment      Dr bank                           Cr receivable:billed
    a refund     is a payment mirrored, and of that kind

A journal is made from its own message and nothing else, and balances are sums of journals: so
the order in which messages come can't matter. At every moment, per account,

    unbilled = approved - reversed - issued + credited      billed = issued - credited - paid
    unbilled + billed = approved - reversed - paid          (what is owed)

where what was refunded is taken off `paid`.

Whether a credit note `frees` its sales needs no journal of its own. Where it does, its mirror
leaves them in `unbilled`, to be invoiced again. Where it doesn't, its sales were reversed after
they were invoiced: the reversal took them from `unbilled`, and the mirror brings that back up.
One worked example, a beer of 2.50 and a meal of 12.10, invoiced, then the beer is returned:

                                        unbilled   billed    sum
    charge 14.60                           14.60        -    14.60
    invoice 14.60                              -    14.60    14.60
    reversal 2.50                          -2.50    14.60    12.10
    credit note 2.50, frees: false             -    12.10    12.10
    payment 12.10                              -        -        -

and had finance withdrawn that invoice before anything was returned:

    credit note 14.60, frees: true         14.60        -    14.60
    invoice 14.60, with another number         -    14.60    14.60

An overpayment, or a payment of what was credited, leaves `billed` below zero: owed to the guest,
until it is refunded.

All amounts are integer minor units of the journal's currency.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha1, sha256
from typing import NamedTuple
from uuid import UUID

BANK = "bank"
UNBILLED = "receivable:unbilled"
BILLED = "receivable:billed"

# Never changed: an entry's id is made from it, so that it is the same wherever it is made.
ENTRIES = UUID("6f2f5c0e-3b0c-5d6e-9a51-4c1f7d1b2a90")
_NAMESPACE = ENTRIES.bytes
# The two highest bits of the ninth byte say which UUID this is: always 10.
_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


class Kind(StrEnum):
    """What a journal was made of."""

    CHARGE = "charge"
    REVERSAL = "reversal"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"

    # As of its text, which it is equal to; an enum's own takes three times as long.
    __hash__ = str.__hash__


class Unbalanced(ValueError):
    """A message whose amounts contradict each other; its sender's fault, never posted."""

    def __init__(self, kind: Kind, source_id: str, difference: int) -> None:
        super().__init__(f"{kind} {source_id} is {difference} minor units out of balance")


class OtherCurrency(ValueError):
    """A message in another currency than its account's; never posted."""

    def __init__(self, kind: Kind, source_id: str, theirs: str, ours: str) -> None:
        super().__init__(f"{kind} {source_id} is in {theirs}, its account in {ours}")


class AccountKey(NamedTuple):
    """One guest's account, and the order in which balances are locked."""

    environment: int
    account: str


class Source(NamedTuple):
    """What a journal is made of, once: the id that its sender gave it, per kind."""

    environment: int
    kind: Kind
    source_id: str

    @property
    def entry_id(self) -> str:
        """The journal's id: the same for the same source, for ever (RFC 9562, version 5).

        As uuid.uuid5 makes it, without the detour by an object, which costs twice the hash.
        """
        environment, kind, source_id = self
        name = f"{kind}/{environment}/{source_id}".encode()
        h = sha1(_NAMESPACE + name, usedforsecurity=False).hexdigest()
        return f"{h[:8]}-{h[8:12]}-5{h[13:16]}-{_VARIANT[h[16]]}{h[17:20]}-{h[20:32]}"


class Event(NamedTuple):
    """What all journals say, whatever they are made of.

    `at` is when it happened for the books, in UTC: a sale's booked_at, a reversal's decision, an
    invoice's issue, a payment's date. `refers_to` is the sale that is reversed or the invoice
    that is credited or paid. A tuple, as is a journal: one is made of every message.
    """

    environment: int
    account: str
    source_id: str
    at: datetime
    currency: str
    refers_to: str | None = None


class RateTotal(NamedTuple):
    """One VAT rate's part of an invoice; gross = base + vat."""

    rate: str
    base: int
    vat: int
    gross: int


class Journal(NamedTuple):
    """One entry: `legs` gives each ledger account's amount, debit above zero, credit below.

    No leg is zero and together they are zero. A journal without legs (a free drink) is not posted.
    """

    kind: Kind
    event: Event
    legs: Mapping[str, int]

    @property
    def source(self) -> Source:
        return Source(self.event.environment, self.kind, self.event.source_id)

    @property
    def key(self) -> AccountKey:
        return AccountKey(self.event.environment, self.event.account)


def charge(event: Event, total: int, gross: Iterable[tuple[str, int]]) -> Journal:
    """An approved sale: `gross` gives each line's VAT rate and total, VAT included."""
    legs = {UNBILLED: total}
    for rate, amount in gross:
        _add(legs, f"revenue:unbilled:{rate}", -amount)
    return _balanced(Kind.CHARGE, event, legs)


def reversal(event: Event, amount: int, gross: Iterable[tuple[str, int]]) -> Journal:
    """What is taken back of a sale, as `charge` mirrored."""
    legs = {UNBILLED: -amount}
    for rate, part in gross:
        _add(legs, f"revenue:unbilled:{rate}", part)
    return _balanced(Kind.REVERSAL, event, legs)


def invoice(event: Event, total: int, rates: Iterable[RateTotal]) -> Journal:
    """An issued invoice: what was unbilled is billed, and revenue parts from its VAT."""
    return _balanced(Kind.INVOICE, event, _billing(total, rates, sign=1))


def credit_note(event: Event, total: int, rates: Iterable[RateTotal]) -> Journal:
    """An issued credit note: an invoice mirrored. Its amounts are given positive."""
    return _balanced(Kind.CREDIT_NOTE, event, _billing(total, rates, sign=-1))


def payment(event: Event, amount: int) -> Journal:
    """A payment that was received for an invoice, in part or too much of it too."""
    return _balanced(Kind.PAYMENT, event, {BANK: amount, BILLED: -amount})


def refund(event: Event, amount: int) -> Journal:
    """Money that was paid back for an invoice: a payment mirrored. Its id is one of payments'."""
    return _balanced(Kind.PAYMENT, event, {BILLED: amount, BANK: -amount})


def _billing(total: int, rates: Iterable[RateTotal], *, sign: int) -> dict[str, int]:
    legs = {BILLED: sign * total, UNBILLED: -sign * total}
    for rate, base, vat, gross in rates:
        _add(legs, f"revenue:unbilled:{rate}", sign * gross)
        _add(legs, f"revenue:{rate}", -sign * base)
        _add(legs, f"vat:{rate}", -sign * vat)
    return legs


def _add(legs: dict[str, int], ledger_account: str, amount: int) -> None:
    legs[ledger_account] = legs.get(ledger_account, 0) + amount


def _balanced(kind: Kind, event: Event, legs: dict[str, int]) -> Journal:
    """The journal without its empty legs, debits first. Raises Unbalanced."""
    if difference := sum(legs.values()):
        raise Unbalanced(kind, event.source_id, difference)
    # Twice the invoice's total against its gross would cancel out in the sum of all legs.
    if kind in (Kind.INVOICE, Kind.CREDIT_NOTE):
        gross = sum(v for k, v in legs.items() if k.startswith("revenue:unbilled:"))
        if gross != legs[BILLED]:
            raise Unbalanced(kind, event.source_id, legs[BILLED] - gross)
    debits = {name: amount for name, amount in legs.items() if amount > 0}
    credits_ = {name: amount for name, amount in legs.items() if amount < 0}
    return Journal(kind, event, debits | credits_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What journals do to one account's balance. `entries` counts them.

    `fingerprint` is the exclusive or of their answers' fingerprints: the same in any order, and
    another one when an entry is changed, lost or slipped in.
    """

    unbilled: int
    billed: int
    entries: int
    fingerprint: int


def fingerprint(answer: bytes) -> int:
    """The first 8 bytes of the answer's SHA-256 as PostgreSQL's bigint has them (signed)."""
    return int.from_bytes(sha256(answer).digest()[:8], "big", signed=True)


def changes(posted: Iterable[tuple[Journal, bytes]]) -> dict[AccountKey, Change]:
    """What new journals, each with its answer, do to each account."""
    sums: dict[AccountKey, list[int]] = {}
    for journal, answer in posted:
        key, legs = journal.key, journal.legs
        total = sums.get(key)
        if total is None:
            total = sums[key] = [0, 0, 0, 0]
        total[0] += legs.get(UNBILLED, 0)
        total[1] += legs.get(BILLED, 0)
        total[2] += 1
        total[3] ^= fingerprint(answer)
    return {
        key: Change(unbilled=unbilled, billed=billed, entries=entries, fingerprint=mark)
        for key, (unbilled, billed, entries, mark) in sums.items()
    }
