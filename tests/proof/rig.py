"""The real thing under a model: the handlers of authorizer and ledger on a real PostgreSQL.

Both with their login roles, as workers have them. All environments of a run share one database,
so nothing is emptied between sequences.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import asyncpg
import uvloop

from runtime.answers import Answer
from runtime.incoming import Incoming
from schemas.wire import decode
from services.authorizer.handlers import invoices as effects
from services.authorizer.handlers import registry, sales
from services.authorizer.store.recent import Recent
from services.authorizer.store.states import STATES
from services.ledger.handlers import decisions, invoices
from services.ledger.states import BALANCE
from tests.support.databases import Database
from tests.support.handlers import HandlerBench

T = TypeVar("T")
Message = Mapping[str, Any]

STANDING = """
SELECT (SELECT json_agg(json_build_array(account, version, credit_limit, status, on_account,
                                         approved, reversed, issued, credited, paid, refunded))
        FROM authorizer.account WHERE environment = $1),
       (SELECT json_agg(json_build_array(account, unbilled, billed, version))
        FROM ledger.balance WHERE environment = $1 AND version > 0),
       (SELECT json_agg(json_build_array(sale_id, reason))
        FROM authorizer.unbooked WHERE environment = $1 AND cleared_at IS NULL)
"""


def read(topic: str, message: Message) -> Any:
    """A message as it comes off the log."""
    return decode(topic, json.dumps(message).encode())


class Rig:
    """Hands messages to handlers, each batch in one committed transaction."""

    def __init__(self, database: Database) -> None:
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._environments = itertools.count(1)
        self.authorizer = HandlerBench(database.dsn("authorizer"), states=STATES, size=1)
        self.recent = Recent()
        self.ledger = HandlerBench(database.dsn("ledger"), states=(BALANCE,), size=1)
        self.run(self.authorizer.__aenter__())
        self.run(self.ledger.__aenter__())
        self._admin = self.run(asyncpg.connect(database.admin))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def close(self) -> None:
        self.run(self._admin.close())
        self.run(self.authorizer.__aexit__())
        self.run(self.ledger.__aexit__())
        self._runner.close()

    def new_environment(self) -> int:
        """A number that no sequence had yet."""
        return next(self._environments)

    def standing(self, environment: int) -> tuple[list[Any], list[Any], list[Any]]:
        """Accounts, balances and what is unbooked, as the tables have them."""
        row = self.run(self._admin.fetchrow(STANDING, environment))
        accounts, balances, unbooked = (json.loads(column or "[]") for column in row)
        return accounts, balances, unbooked

    def sell(self, messages: Sequence[tuple[Message, datetime]]) -> list[Answer]:
        """A batch of pos.sales, each with the time of its record."""
        incoming = [
            Incoming(read("pos.sales", message), "pos.sales", 0, n, at)
            for n, (message, at) in enumerate(messages)
        ]
        return self.run(_decide(self.authorizer, self.recent, incoming))

    def order(self, messages: Iterable[Message]) -> list[Answer]:
        """A batch of registry.commands."""
        given = [read("registry.commands", message) for message in messages]
        return self.run(self.authorizer.handle(registry.carry_out_commands, given))

    def account_for(self, messages: Iterable[Message]) -> None:
        """A batch of invoices.events, to the authorizer."""
        given = [read("invoices.events", message) for message in messages]
        assert self.run(self.authorizer.handle(effects.add_up, given)) == []

    def post(self, topic: str, messages: Iterable[Message]) -> list[Answer]:
        """A batch of pos.decisions or invoices.events, to the ledger."""
        given = [read(topic, message) for message in messages]
        if topic == "pos.decisions":
            at_once = decisions.handle_at_once
            return self.run(self.ledger.handle(decisions.handle, given, at_once=at_once))
        return self.run(self.ledger.handle(invoices.handle, given))

    def told(self, bench: HandlerBench) -> list[Answer]:
        """The state records that were published since the last call."""
        answers, bench.published.answers = bench.published.answers, []
        return answers


async def _decide(
    bench: HandlerBench, recent: Recent, incoming: Sequence[Incoming]
) -> list[Answer]:
    """As the edge decides a batch: at once, or else in a transaction."""
    async with bench.database.connection() as connection:
        glance = bench.guard.glance(connection, {})
        answers = await sales.decide_at_once(recent, incoming, glance)
    if answers is not None:
        return answers
    async with bench.transaction() as tx:
        return await sales.decide_sales(recent, incoming, tx)
