"""Tills' directory: pos.terminals -> pos.directories.

Takes terminal.signed_on and terminal.searched. Answers with directory.page, one for each page, and
directory.found, from the state of that moment. Remembers which revision of the directory a
session was shown, and keeps each revision once.
"""

from __future__ import annotations

from collections.abc import Sequence
from json.encoder import encode_basestring as quoted

from runtime.answers import Answer
from runtime.breath import Breath
from runtime.incoming import Incoming, traced
from runtime.transaction import Tx
from schemas.content import digest
from schemas.terminals import DirectoryFound, TerminalSearched, TerminalSignedOn
from schemas.wire import encode
from services.authorizer.domain.book import RefusalKey
from services.authorizer.domain.directory import found
from services.authorizer.store import directory as store
from services.authorizer.store.directory import Key, Session, Venue
from services.authorizer.store.sales import remember_refusals

PAGE = "directory.page"
UNKNOWN = "environment_unknown"
NOTHING = (b"[]",)


async def answer_tills(incoming: Sequence[Incoming], tx: Tx) -> list[Answer]:
    """Recall, look up, record, answer."""
    venues = await store.venues(tx, {record.message.environment for record in incoming})
    signed_on = [r for r in incoming if isinstance(r.message, TerminalSignedOn)]
    searched = [r for r in incoming if isinstance(r.message, TerminalSearched)]
    said = await _sign_on(signed_on, venues, tx) if signed_on else []
    if searched:
        said += await _search(searched, venues, tx)
    return said


# --- sign-on ----------------------------------------------------------------------------------


async def _sign_on(incoming: Sequence[Incoming], venues: dict[int, Venue], tx: Tx) -> list[Answer]:
    asked: list[TerminalSignedOn] = [record.message for record in incoming]
    known = await store.recall_sessions(tx, {(m.environment, m.session_id): None for m in asked})
    new: dict[Key, Session] = {}
    for message in asked:
        key = (message.environment, message.session_id)
        if key not in known:
            known[key] = new[key] = _session(message, venues.get(message.environment), tx)
    told = {(key[0], s.revision) for key, s in known.items() if s.revision is not None}
    present = {(key[0], s.revision) for key, s in new.items() if s.revision is not None}
    pages = await store.directories(tx, told - present, present)
    await store.record_sessions(tx, new)
    said: list[Answer] = []
    for record in incoming:
        key = (record.message.environment, record.message.session_id)
        session = known[key]
        shown = NOTHING if session.revision is None else pages[key[0], session.revision]
        said += [traced(page, record) for page in _pages(key, session, shown)]
    return said


def _session(message: TerminalSignedOn, venue: Venue | None, tx: Tx) -> Session:
    reason = UNKNOWN if venue is None else venue.reason
    return Session(
        terminal=message.terminal,
        revision=None if venue is None or reason is not None else venue.revision,
        reason=reason,
        answered_at=tx.now,
    )


def _pages(key: Key, session: Session, pages: Sequence[bytes]) -> list[Answer]:
    """One directory.page for each page.

    Written by hand around the accounts, which are JSON already: a till of a large venue is told
    thousands of them. A test compares the bytes with those of encode().
    """
    environment, session_id = key
    count = len(pages)
    tail = f',"reason":"{session.reason}"}}' if session.reason else "}"
    return [
        Answer(
            store.TOPIC,
            session.terminal,
            f"{PAGE}/{environment}/{session_id}/{number}",
            PAGE,
            session.answered_at,
            b"".join(
                (
                    f'{{"type":"{PAGE}","session_id":"{session_id}","environment":{environment},'
                    f'"terminal":{quoted(session.terminal)},"page":{number},"pages":{count},'
                    f'"version":{session.revision or 0},"accounts":'.encode(),
                    accounts,
                    tail.encode(),
                )
            ),
        )
        for number, accounts in enumerate(pages, start=1)
    ]


# --- search -----------------------------------------------------------------------------------


async def _search(incoming: Sequence[Incoming], venues: dict[int, Venue], tx: Tx) -> list[Answer]:
    asked: list[TerminalSearched] = [record.message for record in incoming]
    known = await store.recall_searches(tx, {(m.environment, m.search_id): None for m in asked})
    refusals: dict[RefusalKey, Answer] = {}
    said: list[Answer | RefusalKey] = []
    made: dict[Key, tuple[bytes, Answer]] = {}
    for message, content, answer in await _look_up(asked, venues, tx):
        key = (message.environment, message.search_id)
        if key not in known:
            known[key] = made[key] = (content, answer)
        if known[key][0] == content:
            said.append(known[key][1])
        else:
            name = RefusalKey(message.environment, "search", message.search_id, content)
            refusals[name] = _found(
                message, None, "search_id_reused", tx, suffix=content.hex()[:16]
            )
            said.append(name)
    await store.record_searches(tx, made, venues)
    first = await remember_refusals(tx, refusals) if refusals else {}
    answers = [first[one] if isinstance(one, RefusalKey) else one for one in said]
    return [traced(answer, record) for answer, record in zip(answers, incoming, strict=True)]


async def _look_up(
    asked: Sequence[TerminalSearched], venues: dict[int, Venue], tx: Tx
) -> list[tuple[TerminalSearched, bytes, Answer]]:
    """What each search finds at this moment; sales are answered between any two."""
    breath = Breath()
    hits = await store.find(tx, [(m.environment, m.query) for m in asked])
    looked_up = []
    for number, message in enumerate(asked):
        venue = venues.get(message.environment)
        reason = UNKNOWN if venue is None else venue.reason
        accounts = None if reason else found(message.query, hits[number])
        more = accounts is not None and len(hits[number]) > len(accounts)
        looked_up.append((message, digest(message), _found(message, accounts, reason, tx, more)))
        await breath.take()
    return looked_up


def _found(
    message: TerminalSearched,
    accounts: object,
    reason: str | None,
    tx: Tx,
    more: bool = False,
    *,
    suffix: str = "",
) -> Answer:
    answer = DirectoryFound.model_validate(
        {
            "search_id": message.search_id,
            "environment": message.environment,
            "terminal": message.terminal,
            "accounts": accounts or (),
            "reason": reason,
            "more": more or None,
        }
    )
    ce_id = f"{answer.type}/{message.environment}/{message.search_id}"
    return Answer(
        store.TOPIC,
        message.terminal,
        f"{ce_id}/{suffix}" if suffix else ce_id,
        answer.type,
        tx.now,
        encode(answer),
    )
