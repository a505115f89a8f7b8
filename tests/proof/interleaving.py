"""All orders of one small history at once: an environment for each order, a batch for each step.

Handlers take whatever comes of many environments together, so that a step of all 5,040 orders of
seven events costs a dozen transactions or so. After every step each account's `used` is asked for,
and is what the sums of the reference model come to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

from runtime.answers import Answer
from tests.proof import moves
from tests.proof.checking import Memory
from tests.proof.moves import uid
from tests.proof.reference.sales import Till
from tests.proof.rig import Rig

Message = dict[str, Any]
Event = tuple[Any, ...]
"""("sale", name, total) | ("cancel", name, sale, amount or None) | ("release", issued or paid)
| ("invoice" | "credit_note" | "payment" | "refund", number, amount)"""

BEGIN = (("configure", {"language": "en"}), ("switch", "accept_gdpr"), ("switch", "activate"),
         ("open", 0, {"limit": None, "on_account": True}))  # fmt: skip


@dataclass
class Line:
    """One order of the events, in an environment of its own."""

    number: int
    order: Sequence[Event]
    till: Till = field(init=False)
    memory: Memory = field(default_factory=Memory)
    commands: int = 0

    def __post_init__(self) -> None:
        self.till = Till(self.number)

    @property
    def account(self) -> str:
        return f"{self.number}01"

    def message(self, event: Event) -> Message:
        match event:
            case ("sale", name, total):
                move = ("sale", False, name, 0, 0, None, 0, timedelta(0), None, None)
                message, _ = moves.sale_message(self.number, self.account, move, NOON)
                line = {**message["lines"][0], "unit_price": total, "total": total}
                return {**message, "total": total, "lines": [line]}
            case ("cancel", name, sale, amount):
                move = ("cancel", name, sale, amount, None, None, "returned")
                return moves.cancel_message(self.number, self.account, move)
            case ("release", when):
                return self.command(("configure", {"limit_release": when}), event)
            case (kind, name, amount):
                return moves.finance_message(
                    self.number, self.account, (kind, name, 0, [("21", amount)])
                )
        raise AssertionError(event)

    def command(self, move: Event, name: object) -> Message:
        message = moves.command_message(self.number, [self.account], move)
        return {**message, "command_id": uid(self.number, name)}


NOON = datetime.now(UTC)
MOST = 1_000
"""In one transaction: PostgreSQL ends one that is thought over for too long."""


class AllOrders:
    """Every order of a history, moved on together."""

    def __init__(self, rig: Rig, history: Sequence[Event]) -> None:
        self.rig = rig
        self.history = history
        self.lines = [Line(rig.new_environment(), order) for order in permutations(history)]
        for n, move in enumerate(BEGIN):
            self._order([(line, line.command(move, n)) for line in self.lines])

    def walk(self) -> set[tuple[Any, ...]]:
        """Each event of each order, every other one twice at once; then all of them again.

        Gives the sums in which the orders ended.
        """
        for step in range(len(self.history)):
            times = 1 + step % 2
            self._deliver([(line, line.order[step]) for line in self.lines for _ in range(times)])
            self._probe()
        for event in self.history:
            self._deliver([(line, event) for line in self.lines])
        self._probe()
        accounts = [self.rig.standing(line.number)[0] for line in self.lines]
        ends = set()
        for line, ((_, _, _, _, _, *sums),) in zip(self.lines, accounts, strict=True):
            s = line.till.sums_of(line.account)
            assert sums == [s.approved, s.reversed, s.issued, s.credited, s.paid, s.refunded]
            ends.add((*sums, line.till.release))
        return ends

    def _deliver(self, given: Iterable[tuple[Line, Event]]) -> None:
        by_family: dict[str, list[tuple[Line, Event]]] = {}
        for line, event in given:
            family = {"sale": "till", "cancel": "till", "release": "order"}.get(event[0], "finance")
            by_family.setdefault(family, []).append((line, event))
        for family, some in by_family.items():
            messages = [(line, line.message(event)) for line, event in some]
            if family == "till":
                self._sell(messages)
            elif family == "order":
                self._order(messages)
            else:
                for part in _portions(messages):
                    self.rig.account_for(message for _, message in part)
                for line, message in messages:
                    line.till.event(message)

    def _sell(self, given: Sequence[tuple[Line, Message]]) -> None:
        answers = self._answered(given)
        for (line, message), answer in zip(given, answers, strict=True):
            if message["type"] == "sale.cancelled":
                expected = line.till.cancellation(message)
            else:
                expected = line.till.sale(message, NOON)
            line.memory.check(expected, answer, message)

    def _answered(self, given: Sequence[tuple[Line, Message]]) -> list[Answer]:
        return [
            answer
            for part in _portions(given)
            for answer in self.rig.sell([(message, NOON) for _, message in part])
        ]

    def _order(self, given: Sequence[tuple[Line, Message]]) -> None:
        answers = [
            answer
            for part in _portions(given)
            for answer in self.rig.order(message for _, message in part)
        ]
        for (line, message), answer in zip(given, answers, strict=True):
            line.memory.check(line.till.command(message), answer, message)
        self.rig.told(self.rig.authorizer)

    def _probe(self) -> None:
        """What is used, as a till is told: by a cancellation of a sale that never comes."""
        probes = []
        for line in self.lines:
            line.commands += 1
            name = f"probe {line.commands}"
            move = ("cancel", name, name, None, None, None, "cancelled")
            probes.append((line, moves.cancel_message(line.number, line.account, move)))
            sale = line.message(("sale", name, 1))
            probes.append((line, {**sale, "currency": "XXX", "sale_id": uid(line.number, name)}))
        answers = self._answered(probes)
        for (line, message), answer in zip(probes, answers, strict=True):
            if message["type"] == "sale.cancelled":
                line.memory.check(line.till.cancellation(message), answer, message)
            else:
                content = line.memory.check(line.till.sale(message, NOON), answer, message)
                assert content["used"] == line.till.used(line.account)


def _portions(given: Sequence[tuple[Line, Message]]) -> Iterator[Sequence[tuple[Line, Message]]]:
    for start in range(0, len(given), MOST):
        yield given[start : start + MOST]
