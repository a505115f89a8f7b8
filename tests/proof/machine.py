"""The state machine: the same moves for the model and for the real thing, step by step.

After each step every answer is the model's, the five sums and what is used of each limit are the
model's, and so are the ledger's balances; whatever comes again is answered byte for byte as before.
At the end everything is sent once more, to the ledger backwards, and the books must be those of
the decisions.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from runtime.answers import Answer
from schemas.content import digest
from schemas.pos import Sale
from schemas.wire import decode
from tests.proof import moves
from tests.proof.checking import Memory
from tests.proof.moves import Move, uid
from tests.proof.reference.answers import content_of
from tests.proof.reference.books import SOURCES, Books, legs_of
from tests.proof.reference.sales import Till
from tests.proof.rig import Rig

Message = dict[str, Any]


class Sequences(RuleBasedStateMachine):
    """One environment, three account numbers, and whatever comes."""

    rig: ClassVar[Rig]

    def __init__(self) -> None:
        super().__init__()
        number = self.rig.new_environment()
        # A sequence that failed may have left something unread.
        self.rig.told(self.rig.authorizer)
        self.rig.told(self.rig.ledger)
        self.number = number
        # The third does not begin with its environment's number, and is seldom opened.
        self.names = [f"{number}01", f"{number}02", "x3"]
        self.till, self.books, self.memory = Till(number), Books(number), Memory()
        self.counter = itertools.count()
        self.asked: list[tuple[Message, str | None]] = []  # of tills; where it can't be read
        self.ordered: list[Message] = []
        self.events: dict[str, Message] = {}
        self.log: list[tuple[str, Message]] = []  # what the ledger is to hear
        self.account_of: dict[int, int] = {}

    # --- tills --------------------------------------------------------------------------------

    @rule(batch=moves.till_moves)
    def tills(self, batch: Sequence[Move]) -> None:
        """A batch of sales and cancellations, new and again."""
        now = datetime.now(UTC)
        given = [one for move in batch if (one := self._till_message(move, now)) is not None]
        if given:
            self._sell(given)
            self._compare()

    def _till_message(
        self, move: Move, now: datetime
    ) -> tuple[Message, str | None, datetime] | None:
        match move[0]:
            case "sale":
                time = now - timedelta(seconds=move[6])
                message, field = moves.sale_message(self.number, self.names[move[3]], move, time)
                if move[8] is not None:  # a time to live, which a record has no use for
                    self._say_which(message)
                self.account_of[move[2]] = move[3]
            case "cancel":
                account = self.account_of.get(move[2], 0) if move[4] is None else move[4]
                message, field, time = (
                    moves.cancel_message(self.number, self.names[account], move), None, now
                )  # fmt: skip
            case _:
                if not self.asked:
                    return None
                message, field = self.asked[move[1] % len(self.asked)]
                message, time = _retyped(message, move[2]), now
        self.asked.append((message, field))
        return message, field, time

    def _say_which(self, message: Message) -> None:
        """Of what was last asked under the id that it is moved from."""
        said = [m for m, wrong in self.asked if m.get("sale_id") == message.get("moved_from")
                and m["type"] != "sale.cancelled" and wrong is None]  # fmt: skip
        if said:
            read = decode("pos.sales", json.dumps(said[-1]).encode())
            assert isinstance(read, Sale)
            message["moved_content"] = digest(read).hex()
            self.till.contents[message["moved_content"]] = content_of(said[-1])

    def _sell(self, given: Sequence[tuple[Message, str | None, datetime]]) -> None:
        answers = self.rig.sell([(message, time) for message, _, time in given])
        assert len(answers) == len(given)
        for (message, field, time), answer in zip(given, answers, strict=True):
            if message["type"] == "sale.cancelled":
                expected = self.till.cancellation(message)
            elif field is not None:
                expected = self.till.unreadable_sale(message, field)
            else:
                expected = self.till.sale(message, time)
            content = self.memory.check(expected, answer, message)
            if (
                answer.type == "sale.approved"
                and content["online"]
                and content["limit"] is not None
            ):
                assert content["used"] <= content["limit"], "over the limit"
            if answer.type in SOURCES:
                self.log.append(("pos.decisions", json.loads(answer.value)))

    # --- administrators -----------------------------------------------------------------------

    @initialize(
        ready=st.sampled_from((True, True, True, False)), limit=st.sampled_from(moves.LIMITS)
    )
    def begin(self, ready: bool, limit: int | None) -> None:
        """Commonly a venue that sells; sometimes nothing at all."""
        if ready:
            on = {"limit": limit, "on_account": True}
            self._order([
                ("configure", {"language": "en"}), ("switch", "accept_gdpr"),
                ("switch", "activate"), ("open", 0, on), ("open", 1, {**on, "limit": None}),
            ])  # fmt: skip

    @rule(batch=moves.admin_moves)
    def administrators(self, batch: Sequence[tuple[int | None, Move]]) -> None:
        """A batch of commands."""
        self._order([move for _, move in batch], [slot for slot, _ in batch])
        self._compare()

    def _order(self, batch: Sequence[Move], ids: Sequence[int | None] = ()) -> None:
        messages: list[Message] = []
        for move, slot in itertools.zip_longest(batch, ids):
            if move[0] == "again":
                known = self.ordered + messages
                if known:
                    messages.append(known[move[1] % len(known)])
                continue
            message = moves.command_message(self.number, self.names, move)
            name = ("fresh", next(self.counter)) if slot is None else ("command", slot)
            messages.append({**message, "command_id": uid(self.number, *name)})
        self.ordered += messages
        for message, answer in zip(messages, self.rig.order(messages), strict=True):
            self.memory.check(self.till.command(message), answer, message)
        self._check_states(self.rig.told(self.rig.authorizer))

    def _check_states(self, told: Sequence[Answer]) -> None:
        for state in (json.loads(answer.value) for answer in told):
            if state["type"] == "environment.state":
                house = self.till.house
                assert house is not None
                settings = {name: state[name] for name in house.settings}
                assert (state["version"], state["active"], settings) == (
                    house.version, house.active, house.settings,
                )  # fmt: skip
            else:
                account = self.till.accounts[state["account"]]
                settings = {name: state[name] for name in account.settings}
                assert (state["version"], settings) == (account.version, account.settings)

    # --- invoices and payments ----------------------------------------------------------------

    @rule(batch=moves.finance_moves)
    def finance(self, batch: Sequence[Move]) -> None:
        """What the invoicer says, new and again, on accounts that are open or not."""
        if not self.till.sold:
            return
        messages = []
        for move in batch:
            message = moves.finance_message(self.number, self.names[move[2]], move)
            assert self.till.house is not None
            message["currency"] = self.till.house.settings["currency"]
            kind, id_name, _ = SOURCES[message["type"]]
            id_ = f"{kind} {message[id_name]}"
            if id_ not in self.events:
                self.events[id_] = message
                self.till.event(message)
                self.log.append(("invoices.events", message))
            messages.append(self.events[id_])
        self.rig.account_for(messages)
        self._compare()

    # --- the ledger ---------------------------------------------------------------------------

    @rule(picked=moves.delivery_moves)
    def deliveries(self, picked: Sequence[int]) -> None:
        """Some of what was said reaches the ledger: in any order, twice, or not yet."""
        if self.log:
            self._post([self.log[n % len(self.log)] for n in picked])
            self._compare()

    def _post(self, records: Sequence[tuple[str, Message]]) -> None:
        for topic in ("invoices.events", "pos.decisions"):
            messages = [message for of, message in records if of == topic]
            if not messages:
                continue
            # Of a source that comes twice in a batch one answer is enough.
            asked = {
                (m["type"], m[SOURCES[m["type"]][1]]): m for m in reversed(messages) if legs_of(m)
            }
            order = dict.fromkeys(
                (m["type"], m[SOURCES[m["type"]][1]]) for m in messages if legs_of(m)
            )
            answers = self.rig.post(topic, messages)
            for source, answer in zip(order, answers, strict=True):
                expected = self.books.post(asked[source])
                assert expected is not None
                self.memory.check(expected, answer, asked[source])
            balances = self.books.balances()
            for answer in self.rig.told(self.rig.ledger):
                state = json.loads(answer.value)
                found = (state["unbilled"], state["billed"], state["version"])
                assert found == balances[state["account"]], state

    # --- what must hold -----------------------------------------------------------------------

    def _compare(self) -> None:
        """All that stands in the tables is the model's."""
        accounts, balances, unbooked = self.rig.standing(self.number)
        till = self.till
        assert sorted(accounts) == sorted(
            [
                name, account.version, account.settings["limit"], account.settings["status"],
                account.settings["on_account"], s.approved, s.reversed, s.issued, s.credited,
                s.paid, s.refunded,
            ]
            for name, account in till.accounts.items()
            for s in (till.sums_of(name),)
        )  # fmt: skip
        assert sorted(balances) == sorted(
            [account, *balance] for account, balance in self.books.balances().items()
        )
        assert sorted(unbooked) == sorted([id_, why] for (id_, _), why in till.unbooked.items())
        self._probe()

    def _probe(self) -> None:
        """What is used and available, as a till is told of it: by a sale in a wrong currency."""
        now = datetime.now(UTC)
        given = []
        for account in self.till.accounts:
            move = ("sale", False, 0, 0, 0, None, 0, timedelta(0), None, None)
            message, _ = moves.sale_message(self.number, account, move, now)
            id_ = uid(self.number, "probe", next(self.counter))
            given.append(({**message, "sale_id": id_, "currency": "XXX"}, now))
        for (message, time), answer in zip(given, self.rig.sell(given), strict=True):
            content = self.memory.check(self.till.sale(message, time), answer, message)
            if content["reason"] == "currency_mismatch":
                assert content["used"] == self.till.used(message["account"])

    def teardown(self) -> None:
        """Everything once more; then the books are those of the decisions."""
        if sys.exc_info()[0] is not None:
            return  # a step failed, and says more
        now = datetime.now(UTC)
        if self.asked:
            self._sell([(message, field, now) for message, field in reversed(self.asked)])
        if self.ordered:
            self._order([("again", n) for n in range(len(self.ordered))])
        if self.events:
            self.rig.account_for(reversed(self.events.values()))
        self._post(self.log[::-1])
        self._post(self.log)
        self._compare()
        for account, (unbilled, billed, _) in self.books.balances().items():
            sums = self.till.sums_of(account)
            assert (unbilled, billed) == (sums.unbilled, sums.billed)


def _retyped(message: Message, type_: str | None) -> Message:
    """A sale that was asked for is recorded, or the other way round."""
    if type_ is None or message["type"] in ("sale.cancelled", type_):
        return message
    left_out = ("valid_s",) if type_ == "sale.recorded" else ("moved_from", "moved_content")
    return {**{k: v for k, v in message.items() if k not in left_out}, "type": type_}
