"""Tills: takes terminal.signed_on and terminal.searched from pos.terminals; answers
directory.page and directory.found on pos.directories; changes nothing. A sign-on is answered from
the state of that moment, also when it is repeated."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from runtime.answers import Answer, answer
from runtime.incoming import Incoming
from runtime.sql import statements
from runtime.transaction import Tx
from schemas.base import Message
from schemas.terminals import (
    DirectoryAccount,
    DirectoryFound,
    DirectoryPage,
    DirectoryRefusal,
    FoundAccount,
    TerminalSearched,
    TerminalSignedOn,
)
from services.authorizer.domain import directory

sql = statements("services.authorizer", "sql/tills.sql")
TOPIC = "pos.directories"
MOST_VERSION = 2**31 - 1


async def handle(batch: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
    """Answer sign-ons and searches; an environment's directory is read once a batch."""
    environments = sorted({i.message.environment for i in batch})
    venues = {r["environment"]: r for r in await tx.fetch(sql.venues, environments)}
    directories: dict[int, tuple[int, list[Any]]] = {}
    answers: list[Answer] = []
    for incoming in batch:
        message = incoming.message
        reason = _refusal(venues.get(message.environment))
        if isinstance(message, TerminalSearched):
            answers.append(await _found(message, reason, incoming.trace, tx))
            continue
        if reason is None and message.environment not in directories:
            directories[message.environment] = await _directory(message.environment, tx)
        version, pages = (
            directories.get(message.environment, (0, [()])) if not reason else (0, [()])
        )
        answers += _pages(message, version, pages, reason, incoming.trace, tx)
    return answers


def _refusal(venue: Any) -> DirectoryRefusal | None:
    if venue is None:
        return "environment_unknown"
    if not venue["gdpr_accepted"]:
        return "gdpr_not_accepted"
    return None if venue["active"] else "module_inactive"


async def _directory(environment: int, tx: Tx) -> tuple[int, list[Any]]:
    rows = await tx.fetch(sql.directory, environment)
    accounts = directory.in_order(
        directory.shown(r["account"], r["description"], _holder(r)) for r in rows
    )
    version = int(await tx.fetchval(sql.directory_version, environment))
    return min(version, MOST_VERSION), directory.pages(accounts)


def _pages(
    asked: TerminalSignedOn, version: int, pages: Sequence[Sequence[directory.Shown]],
    reason: DirectoryRefusal | None, trace: str | None, tx: Tx,
) -> list[Answer]:  # fmt: skip
    answers = []
    for number, accounts in enumerate(pages, 1):
        page = DirectoryPage(
            session_id=asked.session_id,
            environment=asked.environment,
            terminal=asked.terminal,
            page=number,
            pages=len(pages),
            version=version,
            accounts=tuple(
                DirectoryAccount(account=a.account, name=a.name, description=a.description)
                for a in accounts
            ),
            reason=reason,
        )
        id_ = f"directory.page/{asked.environment}/{asked.session_id}/{number}"
        answers.append(_answer(asked.terminal, page, id_, trace, tx))
    return answers


async def _found(
    asked: TerminalSearched, reason: DirectoryRefusal | None, trace: str | None, tx: Tx
) -> Answer:
    words = directory.words(asked.query)
    rows: Sequence[Any] = ()
    if reason is None and words:
        rows = await tx.fetch(sql.search, asked.environment, words, directory.MOST_FOUND)
    accounts = []
    refusals = {r["account"]: directory.why_not(r["status"], r["on_account"]) for r in rows}
    for a in directory.in_order(
        directory.shown(r["account"], r["description"], _holder(r)) for r in rows
    ):
        why = refusals[a.account]
        accounts.append(
            FoundAccount(
                account=a.account, name=a.name, description=a.description,
                chargeable=why is None, reason=why,
            )
        )  # fmt: skip
    found = DirectoryFound(
        search_id=asked.search_id, environment=asked.environment, terminal=asked.terminal,
        accounts=tuple(accounts), reason=reason,
    )  # fmt: skip
    id_ = f"directory.found/{asked.environment}/{asked.search_id}"
    return _answer(asked.terminal, found, id_, trace, tx)


def _holder(row: Any) -> dict[str, Any] | None:
    return None if row["holder"] is None else dict(json.loads(row["holder"]))


def _answer(terminal: str, message: Message, id_: str, trace: str | None, tx: Tx) -> Answer:
    return answer(TOPIC, terminal, message, id=id_, time=tx.now, trace=trace)
