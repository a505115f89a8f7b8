"""Planned commands, some hundred together, as one registry.apply asks for them."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic_core import to_json

from schemas.entities import MAX_ACCOUNTS
from services.importer.domain.planning import Planned, RowPlan

STEPS: Final = 200
"""Of a bundle, where its rows allow: a row is cut only where it is larger than this by itself."""

BYTES: Final = 300_000
"""Of a bundle's steps; a topic takes a megabyte."""

ACCOUNTS: Final = MAX_ACCOUNTS
"""That the steps of a registry.apply name together: one account.change may name a thousand."""

Place = tuple[int, int]
"""A bundle's number, and where a step stands in it."""


@dataclass(slots=True, kw_only=True)
class Bundle:
    """Steps in their order. `rows` is of each step; `steps` are JSON objects; `before` is what
    the fields of a step were; `needs` says of a step which other bundle's it builds on."""

    number: int
    rows: list[int] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    before: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    needs: list[tuple[int, int, int]] = field(default_factory=list)
    changing: bool = False
    size: int = 0
    accounts: int = 0


def worded(planned: Planned) -> str:
    """A command's type and fields as registry.apply has them, without what places it there."""
    return f'"type":"{planned.type}",{to_json(planned.body).decode()[1:]}'


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _accounts(planned: Planned) -> int:
    """How many accounts a step counts for, as registry.apply counts them."""
    return len(planned.body["accounts"]) if planned.type == "account.change" else 1


class Bundler:
    """Puts the rows of one job together, in their order. Of rows so far it remembers where the
    customers stand that they register: some bytes a row."""

    def __init__(self, *, most: int = STEPS) -> None:
        self._most = most
        self._rows = array("I")
        self._bundles = array("I")
        self._places = array("I")
        self._next = 0
        # Rows whose commands are not sent, though others may have been planned to build on them.
        self.left_out: set[int] = set()

    def bundled(self, plans: Iterable[tuple[RowPlan, Sequence[str]]]) -> list[Bundle]:
        """Rows with their commands as `worded`; each bundle is told once."""
        found: list[Bundle] = []
        for plan, texts in plans:
            if not texts:
                continue
            size = sum(_bytes(text) for text in texts)
            accounts = sum(_accounts(planned) for planned in plan.commands)
            if found and not self._fits(found[-1], len(texts), size, accounts):
                self._begin(found)
            self._add(plan, texts, found)
        return found

    def _add(self, plan: RowPlan, texts: Sequence[str], found: list[Bundle]) -> None:
        mine: dict[int, Place] = {}
        for planned, text in zip(plan.commands, texts, strict=True):
            size, accounts = _bytes(text), _accounts(planned)
            if not found or (found[-1].steps and not self._fits(found[-1], 1, size, accounts)):
                self._begin(found)
            bundle = found[-1]
            place = len(bundle.steps)
            mine[planned.step] = (bundle.number, place)
            head = f'{{"step":{place},'
            if planned.after is not None:
                row, step = planned.after
                number, there = mine[step] if row == plan.row else self._of(row)
                if number == bundle.number:
                    head += f'"after":{there},'
                else:
                    bundle.needs.append((place, number, there))
            if planned.before:
                bundle.before[place] = planned.before
            if planned.type == "customer.register":
                self._rows.append(plan.row)
                self._bundles.append(bundle.number)
                self._places.append(place)
            elif planned.type != "account.open":
                bundle.changing = True
            bundle.rows.append(plan.row)
            bundle.steps.append(head + text)
            bundle.size += len(head) + size
            bundle.accounts += accounts

    def _begin(self, found: list[Bundle]) -> None:
        found.append(Bundle(number=self._next))
        self._next += 1

    def _of(self, row: int) -> Place:
        """Where the customer stands that a row registers."""
        at = bisect_left(self._rows, row)
        if at == len(self._rows) or self._rows[at] != row:
            raise LookupError(f"row {row} registers nobody")
        return self._bundles[at], self._places[at]

    def _fits(self, bundle: Bundle, steps: int, size: int, accounts: int) -> bool:
        return (
            len(bundle.steps) + steps <= self._most
            and bundle.size + size <= BYTES
            and bundle.accounts + accounts <= ACCOUNTS
        )
