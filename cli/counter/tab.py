"""What a till remembers between two lines: who is served, what is on the tab, what was sold."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import Self

from cli.amounts import Misuse, decimal
from cli.counter.typed import Kind
from cli.messages import Json
from cli.till import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """An account as the till shows it; `reason` is why it can't be charged."""

    account: str
    name: str
    description: str = ""
    reason: str | None = None

    @classmethod
    def found(cls, one: Json) -> Self:
        """An account of directory.found."""
        return cls(
            account=one["account"],
            name=one["name"],
            description=one["description"],
            reason=None if one["chargeable"] else str(one.get("reason")),
        )

    @property
    def called(self) -> str:
        """How the till calls it."""
        return f"{self.name} ({self.account})" if self.name else self.account


@dataclass(slots=True)
class Sold:
    """One sale of this session: its message and its answer; `answer` None while it waits, `told`
    where Kafka has it all the same.
    `unanswered` are the cancellations that nobody answered yet: their ids by reason and amount."""

    message: Json
    answer: Json | None = None
    told: bool = False
    taken_back: int = 0
    unanswered: dict[tuple[Kind, int | None], str] = field(default_factory=dict)

    @property
    def approved(self) -> bool:
        """Whether it stands."""
        return self.answer is not None and self.answer["type"] == "sale.approved"

    @property
    def status(self) -> str:
        """How it stands, in a few words."""
        if self.answer is None and self.told:
            return "told, and not answered yet"
        if self.answer is None:
            return "waits until the till is online"
        if not self.approved:
            return f"declined: {str(self.answer['reason']).replace('_', ' ')}"
        if self.taken_back == self.message["total"]:
            return "taken back"
        return "a part taken back" if self.taken_back else "approved"


@dataclass(slots=True)
class Tab:
    """The state of the screen."""

    directory: list[Guest] = field(default_factory=list)
    shown: list[Guest] = field(default_factory=list)
    guest: Guest | None = None
    lines: list[Json] = field(default_factory=list)
    sold: list[Sold] = field(default_factory=list)
    last: Json | None = None
    unanswered: Json | None = None
    offline: bool = False

    @property
    def total(self) -> int:
        """What is on the tab, in minor units."""
        return sum(one["total"] for one in self.lines)

    @property
    def waiting(self) -> list[Sold]:
        """What was sold offline and is still to be told, or was not answered yet."""
        return [one for one in self.sold if one.answer is None]

    def again(self) -> None:
        """Put what was charged last on the tab once more; raises Misuse where nothing was, or where
        that is not answered yet."""
        if self.unanswered is not None:
            raise Misuse("What was charged last is not answered yet; an empty line asks again.")
        if not self.sold:
            raise Misuse("Nothing was charged yet.")
        self.lines += self.sold[-1].message["lines"]

    def not_taken_back(self) -> list[str]:
        """The lines that ask once more for what was to be taken back, and nobody answered."""
        words: dict[Kind, str] = {"cancelled": "cancel", "returned": "return", "settled": "settle"}
        return [
            " ".join((words[kind], str(number), *([] if amount is None else [decimal(amount)])))
            for number, one in enumerate(self.sold, start=1)
            for kind, amount in one.unanswered
        ]

    def sign_on(self, entries: list[Entry]) -> tuple[int, int]:
        """Take over what stands behind the button; says how many are new and how many gone."""
        before = {one.account for one in self.directory}
        self.directory = [
            Guest(account=e.account, name=e.name, description=e.description) for e in entries
        ]
        after = {one.account for one in self.directory}
        return len(after - before), len(before - after)

    def guest_of(self, text: str) -> Guest | None:
        """The account of the directory that has this very number."""
        return next((one for one in self.directory if one.account == text), None)


def by_hand(sale: Json) -> str:
    """The command that tells of a sale which was made offline, once, however often it is given, as
    this till would: by its time it is booked in its month, at the VAT rate of its day."""
    where = f"onaccount till sell {sale['environment']} {shlex.quote(sale['account'])}"
    what = shlex.join(_read_back(one) for one in sale["lines"])
    which = f"--terminal {shlex.quote(sale['terminal'])} --at {sale['at']}"
    return f"{where} {what} --offline --sale-id {sale['sale_id']} {which}"


def _read_back(line: Json) -> str:
    """A line as it is typed; with a sign before its price where what is sold ends in one, which
    would be taken for that."""
    sign = "@ " if line["description"].endswith(("@", "€")) else ""
    what = f"{line['quantity']} x {line['description']}"
    return f"{what} {sign}{decimal(line['unit_price'])} {line['vat_rate']}%"
