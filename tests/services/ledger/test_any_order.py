"""Whatever order messages come in, however often, through whichever worker, cut off wherever.

Goal: the books are a function of what was said, and of nothing else. Method: hypothesis makes
small histories (sales, parts of them taken back, invoices, credit notes, payments in part, too
much, and of what was credited) and a delivery of each: every message once at least, shuffled, cut
into batches, given to two workers at once, of which some die before their commit and some between
commit and publishing. The real handlers work on a real store; a dozen lines reckon what must be.
"""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import asyncpg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.answers import Answer
from runtime.faults import Fault, fault_of
from schemas.base import Message
from services.ledger.handlers import decisions, invoices
from services.ledger.verify import verify
from tests.services.ledger.support import (
    approved,
    credited,
    issued,
    ledger,
    legs,
    paid,
    reversed_,
)
from tests.support.databases import Database
from tests.support.handlers import HandlerBench

runs = count()


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What was said, and what each account must owe then: (not yet invoiced, invoiced)."""

    messages: tuple[Message, ...]
    owed: dict[str, tuple[int, int]]
    sources: frozenset[str]


@dataclass(slots=True)
class Reckoning:
    """The reference: five sums an account, as design and docs/money.md have them."""

    sums: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, account: str, what: str, amount: int) -> None:
        self.sums.setdefault(account, Counter())[what] += amount

    def owed(self) -> dict[str, tuple[int, int]]:
        return {
            account: (
                s["approved"] - s["reversed"] - s["issued"] + s["credited"],
                s["issued"] - s["credited"] - s["paid"],
            )
            for account, s in self.sums.items()
        }


AMOUNT = st.integers(1, 5_000)
SALE = st.fixed_dictionaries(
    {
        "guest": st.sampled_from("ab"),
        "drinks": AMOUNT,
        "food": AMOUNT,
        "back": st.sampled_from(["nothing", "drinks", "all"]),
        "invoiced": st.booleans(),
        "credited": st.sampled_from(["no", "drinks", "all", "freed"]),
        "payments": st.lists(AMOUNT, max_size=2),
    }
)


def history(facts: list[dict[str, Any]]) -> History:
    """The messages of some sales and of what became of each."""
    run, messages, sums = next(runs), list[Message](), Reckoning()
    for number, fact in enumerate(facts):
        name, account = f"{run}/{number}", f"{run}-{fact['guest']}"
        gross = {"21": fact["drinks"], "9": fact["food"]}
        drinks = {"21": fact["drinks"]}
        messages.append(approved(name, gross, account=account))
        sums.add(account, "approved", sum(gross.values()))
        if fact["back"] != "nothing":
            back = drinks if fact["back"] == "drinks" else gross
            messages.append(reversed_(name, name, back, account=account))
            sums.add(account, "reversed", sum(back.values()))
        if not fact["invoiced"]:
            continue
        messages.append(issued(name, gross, account=account))
        sums.add(account, "issued", sum(gross.values()))
        if fact["credited"] != "no":
            part = drinks if fact["credited"] == "drinks" else gross
            frees = fact["credited"] == "freed"
            messages.append(credited(name, name, part, frees=frees, account=account))
            sums.add(account, "credited", sum(part.values()))
        for place, amount in enumerate(fact["payments"]):
            messages.append(paid(f"{name}/{place}", name, amount, account=account))
            sums.add(account, "paid", amount)
    ids = ("payment_id", "credit_note_id", "cancellation_id", "sale_id", "invoice_id")
    sources = frozenset(
        type(m).__name__ + next(str(getattr(m, one)) for one in ids if hasattr(m, one))
        for m in messages
    )
    return History(messages=tuple(messages), owed=sums.owed(), sources=sources)


class Died(Exception):
    """A worker was killed."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One batch as a worker gets it, and where the worker dies over it, if it does."""

    batch: tuple[Message, ...]
    worker: int
    dies: str

    def perhaps_die(self) -> None:
        """Before the commit."""
        if self.dies == "before commit":
            raise Died


@st.composite
def told(draw: st.DrawFn) -> tuple[History, list[list[Delivery]]]:
    """A history, and deliveries in rounds; those of a round happen at the same time."""
    made = history(draw(st.lists(SALE, min_size=1, max_size=4)))
    extra = draw(st.lists(st.sampled_from(made.messages), max_size=6))
    order = draw(st.permutations([*made.messages, *extra]))
    rounds: list[list[Delivery]] = []
    while order:
        now: list[Delivery] = []
        for worker in range(draw(st.integers(1, 2))):
            size = draw(st.integers(1, 6))
            dies = draw(st.sampled_from(["no", "no", "before commit", "after commit"]))
            batch, order = tuple(order[:size]), order[size:]
            if batch and dies != "no":
                order = [*order, *batch]  # redelivered, to whom it may concern
            if batch:
                now.append(Delivery(batch, worker, dies))
        rounds.append(now)
        if len(rounds) > 30:  # nobody dies for ever
            now.append(Delivery(tuple(order), 0, "no"))
            order = []
    return made, rounds


async def deliver(bench: HandlerBench, one: Delivery) -> list[Answer]:
    """As the edge does: one transaction; a race is decided again; a death publishes nothing."""
    while True:
        try:
            answers: list[Answer] = []
            async with bench.transaction() as tx:
                for handlers, takes in (
                    (decisions.handle, decisions.TAKES),
                    (invoices.handle, invoices.TAKES),
                ):
                    batch = [bench.incoming(m) for m in one.batch if isinstance(m, takes)]
                    answers += await handlers(batch, tx)
                one.perhaps_die()
            if one.dies == "after commit":
                return []
            await bench.states.publish(tx.touched, bench.published)
            return answers
        except Died:
            return []
        except asyncpg.PostgresError as fault:
            if fault_of(fault) is not Fault.AGAIN:
                raise


async def test_the_books_are_a_function_of_what_was_said(postgres: Database) -> None:
    async with ledger(postgres) as one, ledger(postgres) as two:
        workers = (one, two)

        async def tell(made: History, rounds: list[list[Delivery]]) -> None:
            by_id: dict[str, bytes] = {}
            for now in rounds:
                found = await asyncio.gather(*(deliver(workers[d.worker], d) for d in now))
                for answer in (a for answers in found for a in answers):
                    assert by_id.setdefault(answer.id, answer.value) == answer.value
                    assert sum(legs(answer).values()) == 0
            assert len(by_id) == len(made.sources)
            assert await owed(one, made) == made.owed
            assert last_states(workers, made) == made.owed

        await in_many_ways(tell)
        async with one.database.connection() as connection:
            report = await verify(connection)
    assert report.findings == []


async def in_many_ways(tell: Any) -> None:
    """Have hypothesis, which knows no await, tell each history in this very loop."""
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(told())
    def each(case: tuple[History, list[list[Delivery]]]) -> None:
        asyncio.run_coroutine_threadsafe(tell(*case), loop).result(60)

    await asyncio.to_thread(each)


async def owed(bench: HandlerBench, made: History) -> dict[str, tuple[int, int]]:
    """What the balances are, after all."""
    rows = await bench.database.fetch(
        "SELECT account, unbilled, billed FROM balance WHERE account = ANY($1) AND version > 0",
        list(made.owed),
    )
    return {row["account"]: (row["unbilled"], row["billed"]) for row in rows}


def last_states(workers: tuple[HandlerBench, ...], made: History) -> dict[str, tuple[int, int]]:
    """What the balance with the highest version that either worker published says."""
    newest: dict[str, dict[str, Any]] = {}
    for state in (json.loads(a.value) for w in workers for a in w.published.answers):
        if state["account"] in made.owed:
            newest[state["account"]] = max(
                newest.get(state["account"], state), state, key=lambda s: s["version"]
            )
    return {account: (s["unbilled"], s["billed"]) for account, s in newest.items()}


def test_the_reference_knows_an_overpayment_and_a_payment_of_what_was_credited() -> None:
    fact = {
        "guest": "a",
        "drinks": 250,
        "food": 1210,
        "back": "all",
        "invoiced": True,
        "credited": "all",
        "payments": [1000, 500],
    }
    made = history([fact])
    [owed_] = made.owed.values()
    assert owed_ == (0, -1500)
    assert len(made.messages) == len(made.sources) == 6
