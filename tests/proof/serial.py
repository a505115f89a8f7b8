"""Batches that were handled at once, held against the reference model one after another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import permutations
from typing import Any, Literal

from runtime.answers import Answer
from runtime.incoming import Handler, Incoming
from services.authorizer.handlers import invoices, registry, sales
from services.authorizer.store.recent import Recent
from tests.proof.checking import Memory
from tests.proof.reference.sales import Till
from tests.proof.rig import Rig, read
from tests.proof.schedules import Work

Message = dict[str, Any]
Family = Literal["tills", "administrators", "finance"]
TOPICS: dict[Family, str] = {
    "tills": "pos.sales", "administrators": "registry.commands", "finance": "invoices.events",
}  # fmt: skip
OTHERS: dict[Family, Handler] = {
    "administrators": registry.carry_out_commands, "finance": invoices.add_up,
}  # fmt: skip


@dataclass(frozen=True)
class Batch:
    """What one worker has in hand, all of one topic, and the time of its records."""

    family: Family
    messages: Sequence[Message]
    time: datetime

    def work(self, recent: Recent) -> Work:
        """For a worker that remembers this."""
        topic = TOPICS[self.family]
        incoming = [
            Incoming(read(topic, message), topic, 0, n, self.time)
            for n, message in enumerate(self.messages)
        ]
        if self.family != "tills":
            return Work(OTHERS[self.family], None, incoming)
        at_once = partial(sales.decide_at_once, recent)
        return Work(partial(sales.decide_sales, recent), at_once, incoming)


Done = tuple[Batch, Sequence[Answer]]


def apply(
    batch: Batch,
    till: Till,
    answers: Sequence[Answer],
    memory: Memory,
    unheard: frozenset[str] = frozenset(),
) -> None:
    """Let the model do a batch; fails where it would have answered otherwise.

    A part of an `unheard` sale may be refused `sale_unknown` in whatever order: that is said of
    the moment at which it was looked for, changes nothing, and is remembered by nobody.
    """
    if batch.family == "finance":
        for message in batch.messages:
            till.event(message)
        assert not answers
        return
    for message, answer in zip(batch.messages, answers, strict=True):
        if message.get("sale_id") in unheard and _is_unknown(message, answer):
            continue
        if batch.family == "administrators":
            expected = till.command(message)
        elif message["type"] == "sale.cancelled":
            expected = till.cancellation(message)
        else:
            expected = till.sale(message, batch.time)
        memory.check(expected, answer, message)


def _is_unknown(message: Message, answer: Answer) -> bool:
    return "amount" in message and json.loads(answer.value).get("reason") == "sale_unknown"


def standing_of(till: Till) -> tuple[list[Any], list[Any]]:
    """Accounts and what is unbooked, as Rig.standing gives them."""
    accounts = [
        [
            name, account.version, account.settings["limit"], account.settings["status"],
            account.settings["on_account"], s.approved, s.reversed, s.issued, s.credited, s.paid,
            s.refunded,
        ]
        for name, account in till.accounts.items()
        for s in (till.sums_of(name),)
    ]  # fmt: skip
    return sorted(accounts), sorted([id_, why] for (id_, _), why in till.unbooked.items())


def find_order(
    rig: Rig, environment: int, before: Sequence[Done], at_once: Sequence[Done]
) -> tuple[Done, ...]:
    """An order in which the model gives these answers and this standing. Fails without one."""
    accounts, _, unbooked = rig.standing(environment)
    said = []
    for order in permutations(at_once):
        till, memory = Till(environment), Memory()
        try:
            for batch, answers in before:
                apply(batch, till, answers, memory)
            unheard = frozenset(
                message["sale_id"]
                for batch, _ in order
                for message in batch.messages
                if batch.family == "tills" and message["sale_id"] not in till.sales
            )
            for batch, answers in order:
                apply(batch, till, answers, memory, unheard)
            assert standing_of(till) == (sorted(accounts), sorted(unbooked))
        except AssertionError as other:
            said.append(str(other))
        else:
            return order
    raise AssertionError("no order of the batches explains what was answered:\n" + said[0])
