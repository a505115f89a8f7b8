"""Sales and cancellations of one environment (contract, part 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.proof.reference.answers import Expected, again, content_of
from tests.proof.reference.money import spread, wrong_rate, wrong_sum
from tests.proof.reference.registry import Registry

Message = Mapping[str, Any]
ECHOED = ("sale_id", "environment", "terminal", "account", "currency", "total")


@dataclass(slots=True)
class Sale:
    """What stands under a sale_id that was answered."""

    content: str
    account: str
    approved: bool
    recorded: bool
    answers: int
    total: int
    lines: list[dict[str, Any]]
    left: list[int]
    booked_at: datetime


class Till(Registry):
    """What tills are told, and what becomes of the sums."""

    def __init__(self, environment: int) -> None:
        super().__init__(environment)
        self.sales: dict[str, Sale] = {}
        # Taken back before they came, or after they were declined: on which accounts.
        self.called_off: dict[str, set[str]] = {}
        self.cancellations: dict[str, str] = {}
        # What a person must clear: sold, and not booked.
        self.unbooked: dict[tuple[str, str], str] = {}
        self._noted: set[tuple[str, str]] = set()
        self._unreadable: set[tuple[str, str]] = set()
        # Of what was cleared by a sale that was moved from it: by which.
        self._moved_to: dict[tuple[str, str], str] = {}
        # By what messages call them (`moved_content`).
        self.contents: dict[str, str] = {}
        self._events: set[tuple[str, str]] = set()

    # --- sales --------------------------------------------------------------------------------

    def sale(self, message: Message, record_time: datetime) -> Expected:
        """`record_time`: the broker's; the decision is taken to be made right after it... unless
        the message says `expired` should be told (see the machine: seconds against hours)."""
        id_, content = message["sale_id"], content_of(message)
        recorded = message["type"] == "sale.recorded"
        known = self.sales.get(id_)
        if known is not None:
            if known.content != content:
                if recorded:
                    self._note(id_, content, "sale_id_reused", message)
                memory = ("reused sale", id_, content)
                return self._declined(message, "sale_id_reused", None, memory, numbers=False)
            if known.approved and recorded:
                # It may have been said before, in a way that could not be read.
                self._clear(id_, lambda reason: reason == "invalid_message")
            if known.approved or known.recorded or not recorded:
                return again(("sale", id_, known.answers))
        reason, field = self._reason(message, recorded, record_time)
        answers = 1 if known is None else known.answers + 1
        booked_at, clock_off = self._booked(message, recorded, record_time)
        lines = list(message["lines"])
        self.sales[id_] = Sale(
            content, message["account"], reason is None, recorded, answers,
            message["total"], lines,
            [line["total"] for line in lines], booked_at,
        )  # fmt: skip
        memory = ("sale", id_, answers)
        if reason is None:
            return self._approved(message, recorded, booked_at, clock_off, memory)
        if recorded:
            self._note(id_, content, reason, message)
        return self._declined(message, reason, field, memory, numbers=True)

    def _reason(
        self, message: Message, recorded: bool, record_time: datetime
    ) -> tuple[str | None, str | None]:
        """The first reason that applies, in the contract's order."""
        house, account = self.house, self.accounts.get(message["account"])
        if house is None:
            return "environment_unknown", None
        if not recorded and house.gdpr is None:
            return "gdpr_not_accepted", None
        if not recorded and not house.active:
            return "module_inactive", None
        if account is None:
            return "account_unknown", None
        if message["currency"] != house.settings["currency"]:
            return "currency_mismatch", "currency"
        if field := wrong_sum(message):
            return "invalid_total", field
        if field := wrong_rate(message):
            return "invalid_vat_rate", field
        if message["account"] in self.called_off.get(message["sale_id"], ()):
            return "already_cancelled", None
        if recorded and self._was_seen_to(message):
            return "already_cancelled", None
        if recorded:
            return None, None
        if self.is_late(message, record_time):
            return "expired", None
        if account.settings["status"] != "active":
            return "account_inactive", None
        if not account.settings["on_account"]:
            return "not_allowed_on_account", None
        return ("over_limit", None) if self._goes_over(message) else (None, None)

    @staticmethod
    def is_late(message: Message, record_time: datetime) -> bool:
        """Decided later than valid_s after the record's time; now is not to the second."""
        valid_s = message.get("valid_s")
        if valid_s is None:
            return False
        return datetime.now(record_time.tzinfo) - record_time > timedelta(seconds=valid_s)

    def _goes_over(self, message: Message) -> bool:
        limit = self.accounts[message["account"]].settings["limit"]
        return limit is not None and self.used(message["account"]) + message["total"] > limit

    def _booked(
        self, message: Message, recorded: bool, record_time: datetime
    ) -> tuple[datetime, bool | None]:
        """booked_at and clock_off; of a moved sale the clock is not judged."""
        moved = self.sales.get(message.get("moved_from", ""))
        meant = self.contents.get(message.get("moved_content", ""))
        if moved is not None and moved.approved and meant in (None, moved.content):
            return moved.booked_at, None
        at = datetime.fromisoformat(message["at"])
        earliest = record_time - (timedelta(days=45) if recorded else timedelta(hours=24))
        believed = earliest <= at <= record_time + timedelta(hours=24)
        return (at if believed else record_time), not believed

    def _approved(
        self,
        message: Message,
        recorded: bool,
        booked_at: datetime,
        clock_off: bool | None,
        memory: Any,
    ) -> Expected:
        account = message["account"]
        over = self._goes_over(message)
        self.sold = True
        self.sums_of(account).approved += message["total"]
        if recorded:
            self._clear(message["sale_id"], lambda reason: reason == "invalid_message")
            if "moved_from" in message:
                self._clear_moved(message)
        return Expected(
            type="sale.approved",
            memory=memory,
            key=f"{self.environment}:{account}",
            says={
                **{name: message[name] for name in ECHOED},
                **self._numbers(account),
                "lines": message["lines"],
                "at": datetime.fromisoformat(message["at"]),
                "booked_at": booked_at,
                "online": not recorded,
                "over_limit": over,
                **({} if clock_off is None else {"clock_off": clock_off}),
            },
        )

    def _numbers(self, account: str) -> dict[str, int | None]:
        limit, used = self.accounts[account].settings["limit"], self.used(account)
        return {"limit": limit, "used": used, "available": None if limit is None else limit - used}

    def _declined(
        self, message: Message, reason: str, field: str | None, memory: Any, *, numbers: bool
    ) -> Expected:
        account = message["account"]
        told = self._numbers(account) if numbers and account in self.accounts else {}
        # Without a limit there is none to tell of.
        told = {name: value for name, value in told.items() if value is not None}
        must = reason == "over_limit"
        return Expected(
            type="sale.declined",
            memory=memory,
            key=f"{self.environment}:{account}",
            says={
                **{name: message[name] for name in ECHOED},
                "reason": reason,
                **({} if field is None else {"field": field}),
                **(told if must else {}),
            },
            may=told,
        )

    def _note(self, id_: str, content: str, reason: str, message: Message | None = None) -> None:
        """A booking of what is listed waits no second time, nor what comes under the id of one that
        stands (decision 130)."""
        given = message or {}
        moved_from = given.get("moved_from")
        stands = any(key[0] == moved_from and by == id_ for key, by in self._moved_to.items())
        stands = stands or self._booked_by(given) in self._noted
        if (id_, content) not in self._noted:
            self._noted.add((id_, content))
            if not stands:
                self.unbooked[id_, content] = reason

    def _booked_by(self, message: Message) -> tuple[str, str] | None:
        """What on the list a message names, that it is to book."""
        content = self.contents.get(message.get("moved_content", ""))
        return None if content is None else (message["moved_from"], content)

    def _was_seen_to(self, message: Message) -> bool:
        """Also what its till said of it before, in a way that could not be read (decision 137)."""
        id_, key = message["sale_id"], self._booked_by(message)
        if any(
            said in self._unreadable and by != id_
            for said, by in self._moved_to.items()
            if said[0] == id_
        ):
            return True
        return (
            key in self._noted
            and key not in self.unbooked
            and self._moved_to.get(key) != message["sale_id"]
        )

    def _clear_moved(self, message: Message) -> None:
        """Of a sale that stands it is that one which is moved, and not another under its id."""
        id_, which = message["moved_from"], self._booked_by(message)
        moved = self.sales.get(id_)
        if which is None and moved is not None and moved.approved:
            return
        for key in [key for key in self.unbooked if key[0] == id_ and which in (None, key)]:
            del self.unbooked[key]
            self._moved_to[key] = message["sale_id"]

    def _clear_taken_back(self, message: Message, sale: Sale) -> None:
        """Of what is taken back in part the rest was drunk (decision 131)."""
        if message.get("amount", sale.total) >= sale.total:
            for key, reason in list(self.unbooked.items()):
                whose = key[1] == sale.content or reason == "invalid_message"
                if key[0] == message["sale_id"] and whose:
                    del self.unbooked[key]

    def _clear(self, id_: str, which: Any = lambda _: True) -> None:
        for key, reason in list(self.unbooked.items()):
            if key[0] == id_ and which(reason):
                del self.unbooked[key]

    # --- what can't be read -------------------------------------------------------------------

    def unreadable_sale(self, message: Message, field: str) -> Expected:
        """A known type with its ids that is wrong otherwise. It takes no id's place."""
        id_, content = message["sale_id"], content_of(message, typed=True)
        if message["type"] == "sale.recorded":
            self._note(id_, content, "invalid_message")
            self._unreadable.add((id_, content))
            mended = self.sales.get(id_)
            if mended is not None and mended.approved and mended.recorded:
                self._clear(id_, lambda reason: reason == "invalid_message")
        return Expected(
            type="sale.declined",
            memory=("unreadable sale", id_, content),
            key=f"{self.environment}:{message['account']}",
            says={"sale_id": id_, "reason": "invalid_message", "field": field},
        )

    # --- invoices and payments ----------------------------------------------------------------

    def event(self, message: Message) -> bool:
        """Count an invoice, a credit note, a payment or a refund, once; whether it was new."""
        name, id_name = {
            "invoice.issued": ("issued", "invoice_id"),
            "credit_note.issued": ("credited", "credit_note_id"),
            "payment.received": ("paid", "payment_id"),
            "payment.refunded": ("refunded", "refund_id"),
        }[message["type"]]
        if (name, message[id_name]) in self._events:
            return False
        self._events.add((name, message[id_name]))
        sums = self.sums_of(message["account"])
        amount = message.get("total", message.get("amount"))
        setattr(sums, name, getattr(sums, name) + amount)
        return True

    # --- cancellations ------------------------------------------------------------------------

    def cancellation(self, message: Message) -> Expected:
        id_, content = message["cancellation_id"], content_of(message)
        if id_ in self.cancellations:
            if self.cancellations[id_] == content:
                return again(("cancellation", id_))
            memory = ("reused cancellation", id_, content)
            return self._refuse(message, "cancellation_id_reused", memory)
        expected = self._take_back(message)
        if expected.says.get("reason") != "sale_unknown":
            self.cancellations[id_] = content
        return expected

    def _take_back(self, message: Message) -> Expected:
        account, sale = message["account"], self.sales.get(message["sale_id"])
        memory = ("cancellation", message["cancellation_id"])
        unknown = self.house is None or account not in self.accounts
        if unknown and sale is not None and not sale.approved and sale.account == account:
            # Not booked, and now taken back: nobody need see to it (decision 16).
            self._clear_taken_back(message, sale)
        if self.house is None:
            return self._refuse(message, "environment_unknown", memory)
        if account not in self.accounts:
            return self._refuse(message, "account_unknown", memory)
        if sale is None:
            if "amount" in message:
                return self._refuse(message, "sale_unknown", None)
            self.called_off.setdefault(message["sale_id"], set()).add(account)
            self._clear(message["sale_id"])
            return self._reversed(message, [], [], memory)
        if sale.account != account:
            return self._refuse(message, "not_this_account", memory)
        if not sale.approved:
            self._clear_taken_back(message, sale)
            if "amount" not in message:
                # Made all the same, and told of later, it would be taken back (decision 51).
                self.called_off.setdefault(message["sale_id"], set()).add(account)
            return self._refuse(message, "sale_declined", memory)
        taken = self._taken(message, sale)
        if taken is None:
            return self._refuse(message, "exceeds_sale", memory)
        sale.left = [a - b for a, b in zip(sale.left, taken, strict=True)]
        self.sums_of(account).reversed += sum(taken)
        return self._reversed(message, sale.lines, taken, memory)

    def _taken(self, message: Message, sale: Sale) -> list[int] | None:
        """What is taken off each line; None where that is more than is left."""
        left = sum(sale.left)
        amount = message.get("amount", left)
        if amount > left:
            return None
        off = [0] * len(sale.left)
        for asked in message.get("lines", ()):
            # The machine's lines are told apart by their description alone.
            place = next(
                (n for n, x in enumerate(sale.lines) if x["description"] == asked["description"]),
                None,
            )
            if place is None or off[place] + asked["total"] > sale.left[place]:
                return None
            off[place] += asked["total"]
        if amount == left:
            return list(sale.left)  # nothing stays behind at any rate (decisions 12, 100)
        return off if "lines" in message else spread(amount, sale.left)

    def _reversed(
        self, message: Message, lines: list[dict[str, Any]], taken: list[int], memory: Any
    ) -> Expected:
        assert self.house is not None
        account = message["account"]
        return Expected(
            type="sale.reversed",
            memory=memory,
            key=f"{self.environment}:{account}",
            says={
                **{k: message[k] for k in ("cancellation_id", "sale_id", "account", "reason")},
                "currency": self.house.settings["currency"],
                "amount": sum(taken),
                "taken": [
                    (line["description"], line["vat_rate"], amount)
                    for line, amount in zip(lines, taken, strict=True)
                    if amount
                ],
                "available": self._numbers(account)["available"],
            },
        )

    def _refuse(self, message: Message, reason: str, memory: Any) -> Expected:
        return Expected(
            type="sale.reversal_refused",
            memory=memory,
            key=f"{self.environment}:{message['account']}",
            says={
                **{k: message[k] for k in ("cancellation_id", "sale_id", "account")},
                "reason": reason,
            },
        )
