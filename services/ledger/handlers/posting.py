"""How every message becomes a journal: lock, recall, decide, record, answer."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import prometheus_client
import structlog

from runtime.answers import Answer
from runtime.glance import AtOnce, Glance
from runtime.incoming import Handler, Incoming
from runtime.transaction import Tx
from services.ledger import at_once, states, store
from services.ledger.answers import entry_posted, repeated
from services.ledger.domain import AccountKey, Journal, OtherCurrency, Source, changes
from services.ledger.states import BALANCE
from services.ledger.store import Balance, NewEntry, Recalled

POSTED = prometheus_client.Counter(
    "onaccount_entries_posted", "Journals posted, by kind.", ["kind"]
)
CONTRADICTED = prometheus_client.Counter(
    "onaccount_entries_contradicted",
    "Repeated messages that would move other money than their journal, which stands.",
    ["kind"],
)

log = structlog.get_logger(__name__)


def posts(journal_of: Callable[[Any], Journal]) -> Handler:
    """A handler that posts the journal that `journal_of` makes of each message, once.

    Answers entry.posted for each journal, and touches its account's balance. A message that
    moves nothing is passed over. Raises Unbalanced and OtherCurrency: the record's own fault.
    """

    async def handle(incoming: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
        asked = _journals(incoming, journal_of)
        if not asked:
            return ()
        balances = await store.lock(tx, _accounts(asked.values()))
        known = await store.recall(tx, asked)
        entries, answers = _decide(asked, known, balances, tx)
        moved = changes((entry.journal, entry.answer) for entry in entries)
        if entries:
            await store.record(tx, entries, moved)
            tx.when_committed(partial(_count, entries))
        for key, change in moved.items():
            tx.know(BALANCE.kind, key, states.known(key, balances[key].moved(change, tx.now)))
        for old in known.values():
            tx.touch(BALANCE.kind, *old.key)
        return answers

    return handle


def posts_at_once(journal_of: Callable[[Any], Journal]) -> AtOnce:
    """As `posts`, for journals that are all new: record, or look first, if they are few. None where
    one is known, or an account is spoken of in two currencies: that needs the locks."""

    async def handle(incoming: Sequence[Incoming], glance: Glance) -> list[Answer] | None:
        asked = _journals(incoming, journal_of)
        accounts = _accounts(asked.values())
        if not asked or any(accounts[j.key] != j.event.currency for j in asked.values()):
            return None
        now = glance.without_a_look()
        if now is not None:
            try:
                return await _post_at_once(asked, accounts, glance, now)
            except Exception as error:
                glance.in_vain(error)
        if not glance.few or not await at_once.look(glance, asked):
            return None
        return await _post_at_once(asked, accounts, glance, glance.now)

    return handle


async def _post_at_once(
    asked: Mapping[Source, Journal],
    accounts: Mapping[AccountKey, str],
    glance: Glance,
    now: datetime,
) -> list[Answer]:
    entries, answers = [], []
    for source, journal in asked.items():
        entry_id = source.entry_id
        new = entry_posted(journal, entry_id, now)
        entries.append(NewEntry(journal, entry_id, new.value))
        answers.append(new)
    moved = changes((entry.journal, entry.answer) for entry in entries)
    balances = await at_once.record(glance, entries, moved, accounts, now)
    _count(entries)
    for key, balance in balances.items():
        glance.know(BALANCE.kind, key, states.known(key, balance))
    return answers


def _count(entries: Iterable[NewEntry]) -> None:
    for kind, count in Counter([entry.journal.kind for entry in entries]).items():
        POSTED.labels(kind).inc(count)


def _journals(
    incoming: Sequence[Incoming], journal_of: Callable[[Any], Journal]
) -> dict[Source, Journal]:
    """One journal per source: of a message that comes twice, the first."""
    journals: dict[Source, Journal] = {}
    for record in incoming:
        journal = journal_of(record.message)
        if journal.legs:
            journals.setdefault(journal.source, journal)
    return journals


def _accounts(journals: Iterable[Journal]) -> dict[AccountKey, str]:
    """The accounts to lock, and the currency that each gets if it is new."""
    currencies: dict[AccountKey, str] = {}
    for journal in journals:
        currencies.setdefault(journal.key, journal.event.currency)
    return currencies


def _decide(
    asked: Mapping[Source, Journal],
    known: Mapping[Source, Recalled],
    balances: Mapping[AccountKey, Balance],
    tx: Tx,
) -> tuple[list[NewEntry], list[Answer]]:
    """What is to be posted, and what is answered: for a known journal what was answered then."""
    entries: list[NewEntry] = []
    answers: list[Answer] = []
    for source, journal in asked.items():
        entry_id = source.entry_id
        if (recalled := known.get(source)) is not None:
            answers.append(_again(recalled, journal, entry_id))
            continue
        event, key = journal.event, journal.key
        if (currency := balances[key].currency) != event.currency:
            raise OtherCurrency(journal.kind, event.source_id, event.currency, currency)
        new = entry_posted(journal, entry_id, tx.now)
        entries.append(NewEntry(journal, entry_id, new.value))
        answers.append(new)
    return entries, answers


def _again(recalled: Recalled, journal: Journal, entry_id: str) -> Answer:
    """The answer that was given, byte for byte; the first message of a source stands."""
    if not recalled.says(journal):
        CONTRADICTED.labels(journal.kind).inc()
        log.error(
            "entry.contradicted",
            environment=recalled.key.environment,
            kind=journal.kind,
            source_id=journal.event.source_id,
            entry_id=entry_id,
        )
    return repeated(recalled.key, entry_id, recalled.posted_at, recalled.answer)
