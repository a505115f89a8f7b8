"""What became of a sale, and what is sent to book one that waits."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from cli.amounts import Misuse
from cli.commands.sales import assign
from cli.explain import Story, about_sale, as_json, show_story, stands
from cli.items import item
from cli.options import Common
from cli.replies import Reply
from cli.screen import Screen
from cli.unbooked import book, booking, caution, in_vain, told_before, waiting
from schemas.pos import SaleRecorded
from schemas.wire import decode

SALE = "0191b0c4-7e3a-7cc1-9a51-1234567890ab"
OTHER = "0191b0c4-7e3a-7cc1-9a51-1234567890ac"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
NOON_TOLD = "2026-07-01T12:00:00Z"


def state(**changes: Any) -> dict[str, Any]:
    sale = {
        "terminal": "bar-1", "at": "2026-07-01T12:00:00Z", "currency": "EUR", "total": 700,
        "lines": [item("2 x Pils 3,50 21%")], "operator": "Jo",
    }  # fmt: skip
    return {"type": "unbooked.state", "environment": 2890, "sale_id": SALE, "content": "ab" * 32,
            "version": 1, "status": "open", "reason": "account_unknown", "account": "1",
            "noted_at": "2026-07-01T12:00:01Z", "sale": sale} | changes  # fmt: skip


def test_a_sale_that_waits_is_booked_as_it_was_made_and_once_however_often_it_is_asked() -> None:
    waits = state()
    message = booking(waits, [waits], "28900001", None, "EUR")
    read = decode("pos.sales", json.dumps(message).encode())
    assert isinstance(read, SaleRecorded)
    assert (read.moved_from, read.total, read.terminal, read.operator) == (SALE, 700, "bar-1", "Jo")
    assert read.at == NOON
    assert read.moved_content == waits["content"]
    again = booking(state(noted_at="2026-07-02T12:00:00Z"), [waits], "28900001", None, "EUR")
    elsewhere = booking(waits, [waits], "28900002", [item("Wijn 5 21%")], "EUR")
    assert message["sale_id"] == again["sale_id"] == elsewhere["sale_id"]
    other = booking(state(content="cd" * 32), [waits], "28900001", None, "EUR")
    assert other["sale_id"] != message["sale_id"]


def test_what_was_declined_on_one_account_is_booked_under_another_id() -> None:
    waits = state()
    first = booking(waits, [waits], "1", None, "EUR")
    of_first = {**state()["sale"], "moved_from": SALE, "moved_content": waits["content"]}
    reused = state(sale_id=first["sale_id"], reason="sale_id_reused", sale=of_first)
    assert booking(waits, [waits, reused], "2", None, "EUR")["sale_id"] == first["sale_id"]
    declined = {**reused, "content": "ef" * 32, "reason": "account_unknown", "status": "cleared"}
    second = booking(waits, [waits, reused, declined], "1", None, "EUR")
    assert second["sale_id"] != first["sale_id"]
    again = {**declined, "sale_id": second["sale_id"]}
    third = booking(waits, [waits, reused, declined, again], "1", None, "EUR")
    assert third["sale_id"] not in (first["sale_id"], second["sale_id"])


def test_a_booking_of_a_sale_that_waits_itself_is_not_booked_beside_it() -> None:
    waits, own = state(), state(sale_id=OTHER)
    own["sale"]["moved_from"] = SALE
    with pytest.raises(Misuse, match=f"to book sale {SALE}, which waits itself"):
        booking(own, [waits, own], "1", None, "EUR")
    for other in (state(status="cleared"), state(reason="sale_id_reused")):
        assert booking(own, [other, own], "1", None, "EUR")["moved_from"] == OTHER
    assert f"was to book sale {SALE}, which was seen to" in caution(own, [state(status="cleared")])
    assert caution(own, [state(reason="sale_id_reused"), own]) == ""


class Deciding:
    """A client that hears these decisions, and then finds `stands` on the log."""

    def __init__(self, *told: dict[str, Any], stands: Sequence[dict[str, Any]] = ()) -> None:
        self.told, self.stands = list(told), stands

    @contextmanager
    def expecting(self, message: dict[str, Any], **_: Any) -> Iterator["Deciding"]:
        yield self

    async def send(self, message: dict[str, Any], **_: Any) -> None:
        pass

    async def next(self, timeout_s: float) -> Any:
        return reply("pos.decisions", 1, **self.told.pop(0))

    async def read(self, *topics: str, **_: Any) -> list[Any]:
        return [reply("pos.decisions", 1, **each) for each in self.stands]


async def test_who_comes_second_is_told_where_somebody_else_booked_it() -> None:
    waits = state()
    mine = booking(waits, [waits], "2", None, "EUR")
    said = {name: mine[name] for name in ("sale_id", "account", "currency", "total")}
    refused = {"type": "sale.declined", **said, "reason": "sale_id_reused"}
    booked = {"type": "sale.approved", **said, "account": "1", "lines": mine["lines"]}
    declined = {"type": "sale.declined", **said, "account": "1", "reason": "account_unknown"}
    for first, words in (
        (booked, "it is booked on account 1, as sale"),
        (declined, r"account 1, and that was declined \(account unknown\). It still waits"),
        (declined | {"reason": "already_cancelled"}, "was seen to meanwhile"),
    ):
        log = [refused, first, {"type": "sale.reversed", **said, "account": "1"}]
        for heard in (Deciding(first, refused), Deciding(refused, stands=log)):
            answer, theirs = await book(heard, mine, timeout_s=1)  # type: ignore[arg-type]
            assert (answer, theirs) == (refused, first)
            assert re.search(words, in_vain(SALE, theirs))
    assert "sales explain" in in_vain(SALE, None)
    # What the other is told, both hear.
    own = {**booked, "account": "2"}
    heard = Deciding({**refused, "account": "1"}, own)
    assert await book(heard, mine, timeout_s=1) == (own, None)  # type: ignore[arg-type]


NEW = "0191b0c4-7e3a-7cc1-9a51-1234567890ad"
UNREADABLE: dict[str, Any] = {"reason": "invalid_message", "sale": None}


class Decided:
    """A client that finds these answers on pos.decisions, and keeps from when on it was asked."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self.answers, self.since = answers, list[datetime]()

    async def read(self, topic: str, *, wanted: Any, since: datetime) -> list[Any]:
        self.since.append(since)
        told = [reply(topic, 1, **each) for each in self.answers]
        return [one for one in told if wanted(one)]


SAME = {"type": "sale.approved", "sale_id": OTHER, "environment": 2890, "terminal": "bar-1",
        "at": "2026-06-21T12:00:00Z"}  # fmt: skip
DECLINED = SAME | {"type": "sale.declined", "sale_id": SALE, "reason": "invalid_message"}


@pytest.mark.parametrize("readable", [True, False])
async def test_what_its_till_told_under_another_id_too_is_named_before_it_is_booked(
    readable: bool,
) -> None:
    """Of what can't be read its answer says from when and which till it is, where that can be."""
    sale = state()["sale"] | {"at": SAME["at"]}
    waits = state(**({"reason": "invalid_total", "sale": sale} if readable else UNREADABLE))
    others = [SAME | {"terminal": "bar-2"}, SAME | {"environment": 7},
              SAME | {"at": "2026-07-01T12:00:01Z"}, DECLINED]  # fmt: skip
    for answers, found in (([*others, SAME], SAME), (others, None)):
        client = Decided(*answers)
        assert await told_before(client, waits, NEW) == found  # type: ignore[arg-type]
        # No more of a long topic is read than may hold it.
        assert client.since[-1] == NOON - timedelta(days=11)
    known = state()
    assert await told_before(Decided(SAME), known, NEW) is None  # type: ignore[arg-type]
    early = state(reason="invalid_total", sale=sale | {"at": "0001-01-01T00:00:00Z"})
    assert await told_before(Decided(SAME), early, NEW) is None  # type: ignore[arg-type]


async def test_what_somebody_else_books_of_it_at_this_moment_is_no_other_sale() -> None:
    waits = state(reason="invalid_total", sale=state()["sale"] | {"at": SAME["at"]})
    theirs = SAME | {"sale_id": NEW}
    assert await told_before(Decided(theirs), waits, NEW) is None  # type: ignore[arg-type]
    assert await told_before(Decided(theirs, SAME), waits, NEW) == SAME  # type: ignore[arg-type]


class Desk(Common):
    """The options of a command beside a Kafka that holds a sale that waits, and one that stands."""

    def client(self, *kinds: str) -> Any:
        return nullcontext(self)

    async def view(self, topic: str, **_: Any) -> dict[str, Any]:
        return {"k": state(reason="invalid_total")}

    async def read(self, topic: str, **_: Any) -> list[Any]:
        told = {
            "registry.state": [
                {"type": "environment.state", "environment": 2890, "currency": "EUR"},
                {"type": "account.state", "environment": 2890, "account": "1"},
            ],
            "pos.decisions": [
                SAME | {"at": NOON_TOLD, "account": "7", "currency": "EUR", "total": 700}
            ],
        }[topic]
        found = [reply(topic, 1, **each) for each in told]
        return [replace(one, key=one.message["type"].encode()) for one in found]

    @contextmanager
    def expecting(self, message: dict[str, Any], **_: Any) -> Iterator[Any]:
        raise Sent


class Sent(Exception):
    """A booking would have gone out."""


async def test_where_one_of_the_same_till_and_moment_stands_yes_alone_books_nothing() -> None:
    booking_it = partial(assign, 2890, SALE, "1", ["2 x Pils 3,50 21%"], yes=True, common=Desk())
    with pytest.raises(Misuse, match=f"Sale {OTHER} of the same .* add --another-sale"):
        await booking_it()
    with pytest.raises(Sent):
        await booking_it(another_sale=True)


async def test_of_what_cannot_be_read_a_sale_under_its_own_id_is_named_too() -> None:
    """Asked for and approved, and then told of in a way that can't be read: it is charged."""
    waits, asked = state(**UNREADABLE), SAME | {"sale_id": SALE}
    nobodys = {k: v for k, v in DECLINED.items() if k != "terminal"}
    for answers, found in (
        ([asked, nobodys], asked),
        ([asked | {"environment": 7}, nobodys], None),
        ([SAME, nobodys], None),
    ):
        assert await told_before(Decided(*answers), waits, NEW) == found  # type: ignore[arg-type]


def test_what_was_booked_by_hand_before_its_till_could_say_it_is_told_before_it_is_booked() -> None:
    waits = state(reason="already_cancelled", content="cd" * 32)
    seen_to = state(**UNREADABLE, status="cleared", cleared_by=OTHER)
    assert "could not be read, and was booked" in caution(waits, [seen_to, waits])
    for other in ({"cleared_by": SALE}, {"sale_id": OTHER}, {"status": "open"}):
        assert caution(waits, [seen_to | other, waits]) == ""


@pytest.mark.parametrize("reason", ["currency_mismatch", "invalid_total", "invalid_vat_rate"])
def test_what_would_be_declined_again_has_to_be_mended(reason: str) -> None:
    with pytest.raises(Misuse, match="wrong in itself"):
        booking(state(reason=reason), [], "1", None, "EUR")
    mended = booking(state(reason=reason), [], "1", [item("Wijn 5 21%")], "EUR")
    assert (mended["total"], mended["at"]) == (500, "2026-07-01T12:00:00Z")


def test_what_would_be_declined_for_another_reason_is_not_sent_to_wait_a_second_time() -> None:
    sale = state()["sale"]
    wine = item("Wijn 5 21%")
    for wrong in ({"currency": "USD"}, {"lines": [wine | {"vat_rate": "121"}]},
                  {"lines": [wine | {"total": 499}]}):  # fmt: skip
        with pytest.raises(Misuse, match="wrong in itself"):
            booking(state(sale=sale | wrong), [], "1", None, "EUR")
    for typed in ("Wijn 5 121%", "-1 x Wijn 5 21%"):
        with pytest.raises(Misuse, match="can't be booked"):
            booking(state(), [], "1", [item(typed)], "EUR")


def test_what_could_not_be_read_is_booked_with_what_a_person_says_was_sold() -> None:
    unreadable = state(reason="invalid_message")
    del unreadable["sale"]
    with pytest.raises(Misuse, match="nobody knows what was sold"):
        booking(unreadable, [], "1", None, "EUR")
    message = booking(unreadable, [], "1", [item("Wijn 5 21%")], "EUR")
    assert isinstance(decode("pos.sales", json.dumps(message).encode()), SaleRecorded)


def test_of_several_under_one_id_a_person_says_which() -> None:
    two = [state(), state(content="cd" * 32), state(sale_id=OTHER, status="cleared")]
    with pytest.raises(Misuse, match="2 sales wait"):
        waiting(two, SALE, None)
    assert waiting(two, SALE[:35], "cd")["content"] == "cd" * 32
    with pytest.raises(Misuse, match="is waiting to be booked"):
        waiting(two, OTHER, None)
    with pytest.raises(Misuse, match="Say which sale"):
        waiting(two[:1], " ", None)


def reply(topic: str, after_s: float, **message: Any) -> Reply:
    return Reply(
        topic=topic, partition=0, offset=0, time=NOON + timedelta(seconds=after_s), key=b"",
        value=json.dumps(message).encode(), headers=(), message=message,
    )  # fmt: skip


def story() -> Story:
    asked = {"environment": 2890, "account": "1", "terminal": "bar-1", "currency": "EUR",
             "total": 700, "lines": [item("2 x Pils 3,50 21%")], "sale_id": SALE}  # fmt: skip
    numbers = {"limit": 5_000, "used": 700, "available": 4_300}
    return Story(
        sale_id=SALE,
        asked=[reply("pos.sales", 0, type="sale.requested", **asked)],
        answers=[
            reply("pos.decisions", 1, type="sale.approved", over_limit=False, online=True,
                  **asked, **numbers),
            reply("pos.decisions", 2, type="sale.reversed", sale_id=SALE, cancellation_id=OTHER,
                  amount=350, currency="EUR", reason="returned", available=4_650),
        ],
        documents=[
            reply("invoices.events", 3, type="invoice.issued", number="2026-00001",
                  currency="EUR", total=1_000, invoice_id=OTHER,
                  sales=[{"sale_id": SALE, "amount": 350}, {"sale_id": OTHER, "amount": 650}]),
        ],
        journal=[
            reply("ledger.entries", 1.5, type="entry.posted", kind="charge", currency="EUR",
                  source_id=SALE, legs=[
                      {"ledger_account": "receivable:unbilled", "debit": 700, "credit": 0},
                      {"ledger_account": "revenue:unbilled:21", "debit": 0, "credit": 700}]),
        ],
    )  # fmt: skip


def test_a_sale_is_told_from_the_question_to_its_invoice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert show_story(Screen(), story()) == 0
    told = capsys.readouterr().out
    for words in (
        "approved, €3.50 taken back, €3.50 invoiced (2026-00001)",
        "limit €50.00, used €7.00, available €43.00",
        "Dr receivable:unbilled €7.00",
        "€3.50 of €10.00",
        "asked by bar-1",
    ):
        assert words in told
    assert told.index("asked by") < told.index("journal: charge") < told.index("taken back:")
    assert json.loads(json.dumps(as_json(story())))["decision"]["used"] == 700


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({}, "what can't be read: see `onaccount dead-letters list`"),
        ({"type": "sale.requested", "lines": [{"description": "Wijn"}], "total": "3,50"}, "3,50"),
        ({"type": "sale.requested", "lines": "Wijn", "limit": [], "total": None}, "asked by"),
        ({"type": "sale.recorded", "moved_from": SALE, "currency": 3, "total": 1}, "to be booked"),
        ({"type": "sale.cancelled", "amount": {"cents": 350}}, "cents 350"),
        ({"type": "unbooked.dismiss"}, "dismissed by"),
    ],
)
def test_what_a_till_sent_is_told_however_wrong_it_is(
    sent: dict[str, Any], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show_story(Screen(), Story(sale_id=SALE, asked=[reply("pos.sales", 0, **sent)])) == 0
    assert says in capsys.readouterr().out


def test_what_is_left_of_a_sale_is_still_to_be_invoiced() -> None:
    open_ = story()
    open_.documents.clear()
    assert stands(open_) == "approved, €3.50 taken back, €3.50 to be invoiced"


def test_a_sale_stands_on_the_invoices_that_were_not_credited_for_it() -> None:
    redone = story()
    part = [{"sale_id": SALE, "amount": 350}]
    redone.documents += [
        reply("invoices.events", 4, type="credit_note.issued", number="2026-00002",
              currency="EUR", total=1_000, invoice_id=OTHER, sales=part),
        reply("invoices.events", 5, type="invoice.issued", number="2026-00003",
              currency="EUR", total=350, invoice_id=SALE, sales=part),
    ]  # fmt: skip
    assert stands(redone) == "approved, €3.50 taken back, €3.50 invoiced (2026-00003)"
    redone.documents.pop()
    assert stands(redone) == (
        "approved, €3.50 taken back, invoiced and credited (2026-00001), €3.50 to be invoiced"
    )


def test_a_sale_of_which_nothing_is_known_is_told_so() -> None:
    with pytest.raises(Misuse, match=f"Nothing is known of sale {SALE}"):
        show_story(Screen(), Story(sale_id=SALE))


def test_a_sale_that_waits_says_so_and_one_that_was_seen_to_by_whom() -> None:
    waits = Story(sale_id=SALE, unbooked=[state()])
    assert "a person must see to it" in stands(waits)
    declined = reply("pos.decisions", 1, type="sale.declined", reason="account_unknown")
    seen = Story(
        sale_id=SALE,
        answers=[declined],
        unbooked=[state(status="cleared", cleared_by=OTHER)],
        asked=[reply("registry.commands", 2, type="unbooked.dismiss", command_id=OTHER, by="anna")],
    )
    assert stands(seen) == "declined: account unknown; dismissed by anna"
    # What was to stand for it waits too, under an id of its own.
    seen.unbooked.append(state(sale_id=OTHER))
    assert stands(seen) == "declined: account unknown; dismissed by anna"
    # A sale that stands is no less booked for what else was told under its id.
    both = story()
    both.unbooked.append(state(reason="invalid_message", sale=None))
    assert stands(both).startswith("approved, ")
    assert stands(both).endswith("not booked (invalid message): a person must see to it")


def test_an_invoice_that_replaces_the_sales_own_is_not_about_a_sale_that_was_left_out() -> None:
    replacing = {"type": "invoice.issued", "sales": [{"sale_id": OTHER, "amount": 5}]}
    partial = {"type": "credit_note.issued", "sales": [{"sale_id": SALE, "amount": 0}]}
    assert not about_sale(replacing, SALE)
    assert about_sale(replacing, OTHER)
    assert about_sale(partial, SALE)
    assert about_sale({"type": "payment.received"}, SALE)
