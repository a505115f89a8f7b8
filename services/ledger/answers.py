"""What the ledger publishes of a journal: entry.posted (ledger.entries)."""

from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring

from runtime.answers import Answer
from schemas.values import account_key
from services.ledger.domain import AccountKey, Journal

ENTRIES_TOPIC = "ledger.entries"
TYPE = "entry.posted"


def entry_posted(journal: Journal, entry_id: str, now: datetime) -> Answer:
    """The answer to a message that was posted; `now` is the time of its transaction."""
    return repeated(journal.key, entry_id, now, entry_bytes(journal, entry_id))


def repeated(key: AccountKey, entry_id: str, posted_at: datetime, value: bytes) -> Answer:
    """The answer with bytes that are made already: the same as it was given before."""
    environment, account = key
    return Answer(
        ENTRIES_TOPIC,
        account_key(environment, account),
        f"{TYPE}/{environment}/{entry_id}",
        TYPE,
        posted_at,
        value,
    )


def entry_bytes(journal: Journal, entry_id: str) -> bytes:
    """Byte for byte `schemas.wire.encode(EntryPosted(...))`, which a test compares it with.

    Written out, because checking our own message and having it written took more than a third of
    an entry's time. Nothing in it needs a check: all of it comes out of checked messages, and a
    journal's amounts and ledger accounts the database checks. Only an account's number can hold
    what JSON must escape.
    """
    kind, event, legs = journal
    sides = [
        f'{{"ledger_account":"{name}","debit":{amount},"credit":0}}'
        if amount > 0
        else f'{{"ledger_account":"{name}","debit":0,"credit":{-amount}}}'
        for name, amount in legs.items()
    ]
    return (
        f'{{"type":"{TYPE}","entry_id":"{entry_id}","environment":{event.environment},'
        f'"account":{text(event.account)},"at":"{moment(event.at)}","kind":"{kind}",'
        f'"source_id":"{event.source_id}","currency":"{event.currency}",'
        f'"legs":[{",".join(sides)}]}}'
    ).encode()


@lru_cache(maxsize=4_096)
def text(account: str) -> str:
    """An account's number as JSON: nothing else that the ledger says can hold what must escape."""
    return encode_basestring(account)


def moment(at: datetime) -> str:
    """As messages have it: in UTC with Z, microseconds only where there are any."""
    return at.isoformat()[:-6] + "Z"
