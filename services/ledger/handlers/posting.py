"""How every message becomes a journal: lock, recall, decide, record, answer."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import prometheus_client
import structlog

from runtime.answers import Answer, answer
from runtime.incoming import Handler, Incoming
from runtime.transaction import Tx
from schemas.ledger import EntryPosted
from schemas.values import account_key
from services.ledger import store
from services.ledger.domain import AccountKey, Journal, OtherCurrency, Source, changes
from services.ledger.store import NewEntry, Recalled

ENTRIES_TOPIC = "ledger.entries"

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
        currencies = await store.lock(tx, _accounts(asked.values()))
        known = await store.recall(tx, asked)
        entries, answers = _decide(asked, known, currencies, tx)
        if entries:
            posted = [(entry.journal, entry.answer) for entry in entries]
            await store.record(tx, entries, changes(posted))
            for kind, count in Counter(j.kind for j, _ in posted).items():
                POSTED.labels(kind).inc(count)
        for key in {entry.journal.key for entry in entries} | {old.key for old in known.values()}:
            tx.touch("balance", *key)
        return answers

    return handle


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
    currencies: Mapping[AccountKey, str],
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
        if (currency := currencies[key]) != event.currency:
            raise OtherCurrency(journal.kind, event.source_id, event.currency, currency)
        new = answer(
            ENTRIES_TOPIC,
            account_key(*key),
            message_of(journal, entry_id),
            id=f"entry.posted/{event.environment}/{entry_id}",
            time=tx.now,
        )
        entries.append(NewEntry(journal, entry_id, new.value))
        answers.append(new)
    return entries, answers


def _again(recalled: Recalled, journal: Journal, entry_id: str) -> Answer:
    """The answer that was given, byte for byte; the first message of a source stands."""
    environment, account = recalled.key
    if not recalled.says(journal):
        CONTRADICTED.labels(journal.kind).inc()
        log.error("entry.contradicted", environment=environment, entry_id=entry_id)
    return Answer(
        ENTRIES_TOPIC,
        account_key(environment, account),
        f"entry.posted/{environment}/{entry_id}",
        "entry.posted",
        recalled.posted_at,
        recalled.answer,
    )


def message_of(journal: Journal, entry_id: str) -> EntryPosted:
    """The journal as it is published."""
    event = journal.event
    # From plain values: the legs are checked with the rest, in one pass.
    return EntryPosted.model_validate(
        {
            "entry_id": entry_id,
            "environment": event.environment,
            "account": event.account,
            "at": event.at,
            "kind": journal.kind.value,
            "source_id": event.source_id,
            "currency": event.currency,
            "legs": tuple([_leg(name, amount) for name, amount in journal.legs.items()]),
        }
    )


def _leg(name: str, amount: int) -> dict[str, str | int]:
    if amount > 0:
        return {"ledger_account": name, "debit": amount, "credit": 0}
    return {"ledger_account": name, "debit": 0, "credit": -amount}
