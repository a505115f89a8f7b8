"""What can be wrong with the books, and how one entry shows it. Pure: verify.py reads the rows."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import ValidationError

from schemas.ledger import EntryPosted
from schemas.values import RATE_PATTERN
from services.ledger.domain import Kind, Source


class Flaw(StrEnum):
    """Kinds of finding."""

    NOT_A_JOURNAL = "not_a_journal"  # its legs do not balance, or are none
    FOREIGN_LEG = "foreign_leg"  # a ledger account that this kind of entry does not move
    WRONG_ID = "wrong_id"  # entry_id is not the one that its source makes
    ANSWER_UNREADABLE = "answer_unreadable"
    ANSWER_DIFFERS = "answer_differs"  # what was published is not what is posted
    REPEATED = "repeated"  # one source, several entries
    BALANCE_DIFFERS = "balance_differs"
    BALANCE_MISSING = "balance_missing"
    ENTRIES_DIFFER = "entries_differ"  # entries were lost, changed or slipped in
    CURRENCY_DIFFERS = "currency_differs"
    ORIGIN_MISSING = "origin_missing"  # what was reversed, credited or paid was never posted
    UNGUARDED = "unguarded"  # the database no longer refuses what it must
    # Between the books and the topics (chain.py):
    NOT_POSTED = "not_posted"  # it was decided, and no entry is there
    DELETED_UNREAD = "deleted_unread"  # decisions went from their topic before they were posted
    NEVER_DECIDED = "never_decided"  # an entry is there, and nothing was decided
    DECISION_DIFFERS = "decision_differs"  # something else was decided than is posted
    ENTRY_MISSING = "entry_missing"  # it was published, and no entry is there
    PUBLISHED_DIFFERS = "published_differs"  # something else was published than is kept
    UNPUBLISHED = "unpublished"  # it is there for long, and was never published
    STATE_DIFFERS = "state_differs"  # another balance was published than is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, with where. Amounts in `says` are minor units."""

    flaw: Flaw
    says: str
    environment: int | None = None
    account: str | None = None
    entry_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """An entry as the database has it; nothing about it is taken for granted."""

    environment: int
    kind: str
    source_id: str
    entry_id: str
    account: str
    currency: str
    at: datetime
    ledger_accounts: Sequence[str | None]
    amounts: Sequence[int | None]
    answer: bytes


_RATE = RATE_PATTERN[1:-1]
_SOLD = rf"receivable:unbilled|revenue:unbilled:{_RATE}"
_BILLED = rf"receivable:(?:un)?billed|revenue:(?:unbilled:)?{_RATE}|vat:{_RATE}"
_MOVES = {
    Kind.CHARGE: re.compile(_SOLD),
    Kind.REVERSAL: re.compile(_SOLD),
    Kind.INVOICE: re.compile(_BILLED),
    Kind.CREDIT_NOTE: re.compile(_BILLED),
    Kind.PAYMENT: re.compile("bank|receivable:billed"),
}


def examine(entry: Posted) -> Iterator[Finding]:
    """All that is wrong with one entry by itself."""
    for flaw, says in _flaws(entry):
        yield Finding(
            flaw=flaw,
            says=says,
            environment=entry.environment,
            account=entry.account,
            entry_id=entry.entry_id,
        )


def _flaws(entry: Posted) -> Iterator[tuple[Flaw, str]]:
    try:
        kind = Kind(entry.kind)
    except ValueError:
        yield Flaw.NOT_A_JOURNAL, f"{entry.kind} is no kind of entry"
        return
    names, amounts = entry.ledger_accounts, entry.amounts
    if len(names) != len(amounts) or len(amounts) < 2 or not all(amounts):
        yield Flaw.NOT_A_JOURNAL, "its legs are incomplete"
    elif difference := sum(amount for amount in amounts if amount is not None):
        yield Flaw.NOT_A_JOURNAL, f"its debits and credits differ by {difference}"
    for name in names:
        if name is None or _MOVES[kind].fullmatch(name) is None:
            yield Flaw.FOREIGN_LEG, f"a {kind} does not move {name}"
    if entry.entry_id != Source(entry.environment, kind, entry.source_id).entry_id:
        yield Flaw.WRONG_ID, f"its id is not the one of {kind} {entry.source_id}"
    yield from _against_answer(entry)


def _against_answer(entry: Posted) -> Iterator[tuple[Flaw, str]]:
    try:
        answer = EntryPosted.model_validate_json(entry.answer)
    except ValidationError as fault:
        field = ".".join(map(str, fault.errors()[0]["loc"])) or "all of it"
        yield Flaw.ANSWER_UNREADABLE, f"what was published can't be read ({field})"
        return
    names = ("entry_id", "environment", "account", "at", "kind", "source_id", "currency")
    wrong = [name for name in names if getattr(answer, name) != getattr(entry, name)]
    legs = [(leg.ledger_account, leg.debit - leg.credit) for leg in answer.legs]
    if legs != list(zip(entry.ledger_accounts, entry.amounts, strict=False)):
        wrong.append("legs")
    if wrong:
        yield Flaw.ANSWER_DIFFERS, f"what was published says otherwise: {', '.join(wrong)}"
