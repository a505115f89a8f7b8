"""What the command line makes of invoices' messages, without a broker."""

import base64
import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from cli.amounts import Misuse
from cli.client import Client
from cli.documents import Document, document, save, statement_message
from cli.history import details, is_of
from cli.in_order import counted_up
from cli.invoices import (
    by_number,
    invoices,
    issued_by,
    left_over,
    show_all,
    show_run,
    what_was_done,
    what_was_made,
)
from cli.mails import undelivered_mails, undelivered_statements
from cli.messages import Json
from cli.pending import how_it_stands, not_to_finance, show_accounts, show_mails
from cli.preview import preview, show_found
from cli.replies import Expectation, Reply
from cli.screen import Screen

NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)


def reply(minute: int, kind: str, invoice: str, **fields: Any) -> Reply:
    message = {"type": kind, "invoice_id": invoice, "environment": 2890, **fields}
    return Reply(
        topic="invoices.events", partition=0, offset=minute, time=NOON + timedelta(minutes=minute),
        key=None, value=b"", headers=(), message=message,
    )  # fmt: skip


def test_numbers_stand_in_the_order_in_which_they_were_given() -> None:
    given = ["2025-10000", "2026-9999", "2026-10000", "C2025-2", "C2026-1", "é7", "²3"]
    assert sorted(set(given), key=counted_up) == [*given[:5], "²3", "é7"]


class OfThese:
    """A client that knows these states."""

    def __init__(self, *states: Json) -> None:
        self._states = states

    async def view(self, *_: str, **__: object) -> dict[str, Json]:
        return {str(place): state for place, state in enumerate(self._states)}


async def test_a_list_of_invoices_counts_on_after_9999_and_has_drafts_last() -> None:
    given = ("2026-9999", "2026-10000", None)
    states = [{"period": "2026-07", "account": "1", **({"number": n} if n else {})} for n in given]
    found = await invoices(cast("Client", OfThese(*reversed(states))), 2890)
    assert [one.get("number") for one in found] == list(given)


def test_undelivered_is_what_no_later_mail_mended() -> None:
    events = [
        reply(3, "invoice.sent", "a", to="b@club.nl"),
        reply(1, "invoice.undeliverable", "a", reason="no such user"),
        reply(1, "invoice.sent", "b", to="guest@club.nl"),
        reply(2, "invoice.undeliverable", "b", reason="mailbox full"),
        reply(4, "invoice.undeliverable", "c", reason="no_address", environment=7),
    ]
    (found,) = undelivered_mails(events, 2890).values()
    assert (found["invoice_id"], found["reason"]) == ("b", "mailbox full")
    assert found["delivered_to"] == "guest@club.nl"


def test_a_statement_that_did_not_arrive_is_listed_until_one_arrives_there() -> None:
    told = {"reason": "no such user", "statement_id": "s"}
    events = [
        reply(1, "statement.undeliverable", "", to="a@club.nl", **told),
        reply(2, "statement.undeliverable", "", to="b@club.nl", **told),
        reply(3, "statement.undeliverable", "", to="b@club.nl", **told | {"statement_id": "t"}),
        reply(4, "statement.sent", "", to="a@club.nl", statement_id="u"),
    ]
    found = undelivered_statements(events, 2890)
    assert [(one["to"], one["statement_id"]) for one in found] == [("b@club.nl", "t")]
    assert undelivered_statements(events, 7) == []


def test_a_credit_note_that_did_not_arrive_is_listed_beside_its_invoice() -> None:
    events = [
        reply(1, "invoice.sent", "a", to="guest@club.nl"),
        reply(2, "invoice.undeliverable", "a", credit_note_id="n", reason="credit note: full"),
        reply(3, "invoice.sent", "a", to="guest@club.nl"),
    ]
    (key, found), *more = undelivered_mails(events, 2890).items()
    assert (key, "delivered_to" in found, more) == ("n", False, [])
    events.append(reply(4, "credit_note.sent", "a", credit_note_id="n", to="guest@club.nl"))
    assert undelivered_mails(events, 2890) == {}


class Answering:
    """Stands for the topics at the far edge: answers every question with this."""

    def __init__(self, answer: Json) -> None:
        self.answer = answer

    async def send(self, message: Json) -> None:
        pass

    @contextlib.contextmanager
    def expecting(self, message: Json) -> Iterator["Answering"]:
        yield self

    async def next(self, timeout_s: float) -> Reply:
        return replace(reply(1, "command.refused", "a"), message=self.answer)


@pytest.mark.parametrize(("reason", "asks"), [
    ("not_processed", True), ("account_unknown", True), ("environment_unknown", False),
])  # fmt: skip
async def test_before_numbers_are_given_it_is_asked_though_what_is_open_could_not_be_told(
    reason: str, asks: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = {"type": "command.refused", "reason": reason, "message": "It could not be told."}
    run = {"environment": 2890, "period": "2026-10"}
    question = await preview(Answering(refused), Screen(), run, 1.0)  # type: ignore[arg-type]
    told = capsys.readouterr().out
    assert (question is not None, "could not be told" in told) == (asks, asks)
    if question is not None:
        assert question.endswith("with numbers for good?")


def test_what_a_run_left_is_told_once_and_drafts_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    result: Json = {
        "type": "run.completed", "period": "2026-10", "drafted": 2, "issued": 0, "sent": 0,
        "total": 300, "vat": [],
        "skipped": [{"account": "1", "reason": "no_holder"}, {"account": "2", "reason": "odd"}],
        "open": [
            {"account": "1", "amount": 700, "why": "no_holder"},
            {"account": "3", "amount": 100, "why": "draft"},
            {"account": "4", "amount": 200, "why": "draft"},
        ],
    }  # fmt: skip
    assert left_over(result) == [
        "account 2 left out: odd",
        "account 1 keeps €7.00 uninvoiced: no holder: link one with `onaccount account link`",
    ]
    assert show_run(Screen(), result) == 0
    shown = capsys.readouterr().out
    assert "€3.00 on drafts" in shown
    assert "account 3" not in shown


@pytest.mark.parametrize(
    ("came", "said"),
    [
        ({}, ["there was nothing to invoice"]),
        ({"open": [{}]}, ["nothing was invoiced"]),
        ({"skipped": [{}]}, ["nothing was invoiced"]),
        ({"drafted": 1, "total": 700}, ["1 draft to review, €7.00 in all"]),
        ({"drafted": 2, "total": 700}, ["2 drafts to review, €7.00 in all"]),
        ({"issued": 2, "total": 700}, ["2 issued, none mailed, €7.00 in all"]),
        (
            {"issued": 2, "sent": 1, "total": 700, "credit_notes": 1, "credited": 100},
            ["2 issued, 1 given to the mailer, €7.00 in all", "1 credit note, €1.00 in all"],
        ),
        ({"credit_notes": 3, "credited": 100}, ["3 credit notes, €1.00 in all"]),
    ],
)
def test_the_end_of_a_run_says_what_was_made_and_nothing_of_what_was_not(
    came: Json, said: list[str]
) -> None:
    nothing = {"drafted": 0, "issued": 0, "sent": 0, "total": 0, "open": [], "skipped": []}
    assert what_was_done(nothing | came) == said


def test_accounts_that_a_run_was_not_asked_for_are_told_in_one_line() -> None:
    others = [{"account": f"{n}", "amount": 250, "why": "not_selected"} for n in range(400)]
    mine = {"account": "A1", "amount": 100, "why": "no_holder"}
    said = left_over({"skipped": [], "open": [*others, mine], "currency": "EUR"})
    assert said[-1] == "not asked for: 400 accounts, with €1,000.00 uninvoiced"
    assert ["A1" in each for each in said] == [True, False]
    assert left_over({"skipped": [], "open": others[:1]}) == [
        "not asked for: 1 account, with €2.50 uninvoiced"
    ]


def test_what_happened_to_an_invoice_names_what_replaced_it_and_when_money_came() -> None:
    new = reply(3, "invoice.issued", "b", number="2", sales=[{}, {}],
                replaces=[{"invoice_id": "a", "number": "1"}])  # fmt: skip
    assert (is_of(new.message, "a"), is_of(new.message, "b"), is_of(new.message, "c")) == (
        True, True, False,
    )  # fmt: skip
    assert details(new, UTC) == "2, 2 sales, replaces 1"
    paid = {"amount": 500, "open": 0, "currency": "EUR", "payment_id": "p"}
    same = reply(3, "payment.received", "a", **paid, at=reply(3, "x", "a").time.isoformat())
    assert details(same, UTC) == "€5.00, open €0.00, id p"
    before = reply(3, "payment.received", "a", **paid, at="2026-01-04T23:00:00Z")
    assert details(before, UTC) == "€5.00 of 2026-01-04, open €0.00, id p"
    there = ZoneInfo("Pacific/Auckland")  # noon of the day that was named, by the venue's clock
    assert details(before, there) == "€5.00 of 2026-01-05, open €0.00, id p"


@pytest.mark.parametrize(
    ("given", "first", "until"),
    [
        ({"period": "2026-12", "first": None, "until": None}, "2026-12-01", "2027-01-01"),
        ({"period": "2026-02", "first": None, "until": None}, "2026-02-01", "2026-03-01"),
        (
            {"period": None, "first": "2026-02-03", "until": "2026-02-04"},
            "2026-02-03",
            "2026-02-04",
        ),
    ],
)
def test_a_statement_is_of_a_month_or_of_chosen_days(
    given: dict[str, Any], first: str, until: str
) -> None:
    message = statement_message(2890, "A1", format="pdf", to=None, by="me", **given)
    assert (message["from"], message["until"]) == (first, until)


@pytest.mark.parametrize(
    "given",
    [
        {"period": "2026-13", "first": None, "until": None},
        {"period": "9999-12", "first": None, "until": None},
        {"period": "2٠26-10", "first": None, "until": None},
        {"period": "2026-12", "first": "2026-12-01", "until": "2026-12-02"},
        {"period": None, "first": "2026-12-01", "until": None},
    ],
)
def test_a_statement_of_half_a_period_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(Misuse):
        statement_message(2890, None, format="pdf", to=None, by="me", **given)


@pytest.mark.parametrize(
    ("sale", "says"),
    [
        ({"state": "pending", "amount": 700, "account": "A1", "period": "2026-10"},
         "€7.00 of it, on account A1 in 2026-10"),
        ({"state": "pending", "amount": 700, "account": "A1", "period": "2026-10",
          "numbers": ["2026-00001"]}, "it was on 2026-00001, which was credited"),
        ({"state": "held"}, "a correction takes it off"),
        ({"state": "declined", "reason": "over_limit"}, "declined (over limit)"),
        ({"state": "settled"}, "settled at the till"),
        ({"state": "cancelled"}, "was cancelled"),
        ({"state": "cancelled", "moved_to": "A2"}, "moved to account A2"),
        ({"state": "billed", "numbers": ["2026-00001"]}, "billed on 2026-00001"),
        ({"state": "credit_due", "amount": -200, "numbers": ["2026-00001"]},
         "the next run that issues credits €2.00"),
        ({"state": "nothing_to_pay"}, "nothing to invoice"),
        ({"state": "unknown"}, "is not known here"),
    ],
)  # fmt: skip
def test_why_a_sale_is_or_is_not_invoiced_is_a_sentence(sale: Json, says: str) -> None:
    assert says in how_it_stands(sale, "EUR")


def test_a_sale_that_a_run_would_leave_says_what_to_mend() -> None:
    sale = {"state": "pending", "amount": 700, "account": "1", "period": "2026-10"}
    assert "would leave" not in how_it_stands(sale, "EUR")
    assert "onaccount account link" in how_it_stands({**sale, "reason": "no_holder"}, "EUR")


def test_what_is_open_says_what_to_mend(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"account": "1", "period": "2026-10", "sales": 2, "amount": 700, "why": "no_holder"}]
    show_accounts(Screen(), rows, "EUR")
    assert "onaccount account link" in capsys.readouterr().out
    note = {"type": "credit_note.issued", "number": "7", "total": 5, "currency": "EUR"}
    assert what_was_made(note) == "credit note 7: €0.05"


def test_a_mail_that_waits_says_what_its_last_try_came_to(
    capsys: pytest.CaptureFixture[str],
) -> None:
    mail: Json = {"number": "2026-00001", "account": "1", "to": "a@b.nl", "tries": 0}
    mail["since"] = "2026-08-01T12:00:00Z"
    refused = {"tries": 1, "code": 450, "reason": "4.7.1 later"}
    show_mails(Screen(), [mail, mail | refused, mail | {"tries": 2, "reason": "TimeoutError"}])
    shown = " ".join(capsys.readouterr().out.split())
    assert "0 not tried yet" in shown
    assert "1 450 4.7.1 later" in shown
    assert "2 the mail server did not take it: TimeoutError" in shown


def test_of_finances_own_mails_that_failed_it_is_said_what_and_why_and_what_to_mend() -> None:
    failed: Json = {"to": "f@club.nl", "count": 1, "kind": "report", "at": "2026-08-01T12:00:00Z"}
    failed |= {"code": 550, "reason": "no such user"}
    told = not_to_finance({"environment": 2890, "finance": failed})
    assert told.startswith("1 mail to finance at f@club.nl did not arrive")
    assert "a run's report, no such user" in told
    assert "onaccount env configure 2890 --finance-email" in told
    more = failed | {"count": 3, "kind": "credit_note", "reason": "may_have_arrived"}
    told = not_to_finance({"environment": 2890, "finance": more})
    assert told.startswith("the last 3 mails to finance")
    assert "a copy of a credit note, its server never answered" in told
    assert not_to_finance({"environment": 2890}) == ""


def test_an_answer_names_documents_by_number_and_what_has_none_by_its_id() -> None:
    reply: Json = {
        "type": "command.applied",
        "changes": [
            {"kind": "invoice", "id": "a", "change": "changed"},
            {"kind": "credit_note", "id": "n", "change": "created"},
            {"kind": "sale", "id": "s", "change": "changed"},
        ],
    }
    made: list[Json] = [{"credit_note_id": "n", "invoice_id": "a", "number": "2026-00002"}]
    shown = by_number(reply, [{"invoice_id": "a", "number": "2026-00001"}, *made])
    assert [(one["kind"], one["id"]) for one in shown["changes"]] == [
        ("invoice", "2026-00001"),
        ("credit note", "2026-00002"),
        ("sale", "s"),
    ]
    draft = by_number(reply, [{"invoice_id": "a"}])
    assert draft["changes"][0]["id"] == "a"


def test_of_several_each_that_is_refused_is_named_by_its_number_and_a_draft_by_its_month(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told: list[Json] = [
        {"account": "1", "period": "2026-07", "number": "2026-00001"},
        {"account": "2", "credit_note_id": "n", "number": "2026-00002"},
        {"account": "3", "period": "2026-07"},
    ]
    no: Json = {"type": "command.refused", "reason": "no_address", "message": "Nobody."}
    assert show_all(Screen(), told, [{"type": "command.applied"}, no, no]) == 1
    printed = capsys.readouterr()
    shown = printed.out + printed.err
    assert "account 2, 2026-00002: refused, no_address" in shown
    assert "account 3, 2026-07: refused, no_address" in shown
    assert "1 done, 2 refused" in shown


async def test_drafts_that_were_approved_are_told_by_the_numbers_that_they_got(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ids = ("a", "b", "c")
    replies: list[Json] = [
        {"type": "command.applied", "changes": [{"kind": "invoice", "id": i, "change": "changed"}]}
        for i in ids[:2]
    ]
    events = Expectation("what was issued")
    for number, one in zip((11, 9, 10), ("c", "a", "b"), strict=True):  # of c another asked
        events.arrived.put_nowait(reply(number, "invoice.issued", one, number=f"2026-{number}"))
    issued = await issued_by(replies, events, 5)
    assert show_all(Screen(), [{}] * 2, replies, issued) == 0
    assert "2 done, 0 refused; 2026-9 to 2026-10" in capsys.readouterr().out
    no: Json = {"type": "command.refused", "reason": "draft_changed", "message": "It has."}
    state: Json = {"account": "2", "period": "2026-07"}
    assert show_all(Screen(), [{}, state], [replies[0], no], issued[:1]) == 1
    assert "1 done, 1 refused; 2026-9\n" in capsys.readouterr().out
    assert show_all(Screen(), [{}], replies[:1], issued) == 0
    assert "invoice 2026-9 changed" in capsys.readouterr().out
    assert await issued_by(replies, events, 0.01) == []  # they are done, whoever is silent


@pytest.mark.parametrize("order", ["applied part", "part applied", "part"])
async def test_a_statement_is_taken_whichever_of_its_answers_comes_first(order: str) -> None:
    """Method: they are on two topics, and nothing says which of them is read first."""
    said = {
        "applied": {"type": "command.applied", "changes": []},
        "part": {"type": "document.part", "part": 1, "parts": 1, "file_name": "a.pdf",
                 "media_type": "application/pdf", "content": base64.b64encode(b"a").decode(),
                 "sha256": hashlib.sha256(b"a").hexdigest()},
    }  # fmt: skip
    answers = Expectation("statement.request")
    for kind in order.split():
        message = said[kind]
        answers.arrived.put_nowait(replace(reply(1, kind, "a"), message=message))
    found = await document(answers, 0.2, making_s=0.2)
    assert isinstance(found, Document)
    assert (found.file_name, found.content) == ("a.pdf", b"a")


def test_a_file_is_saved_in_a_folder_that_is_made_where_it_is_not_there(tmp_path: Path) -> None:
    found = Document(file_name="2026-00001.pdf", media_type="application/pdf", content=b"%PDF")
    assert save(Screen(), found, tmp_path / "new" / "folder") == 0
    assert (tmp_path / "new" / "folder" / "2026-00001.pdf").read_bytes() == b"%PDF"
    assert save(Screen(), found, tmp_path / "other" / "its.pdf") == 0
    assert (tmp_path / "other" / "its.pdf").read_bytes() == b"%PDF"


@pytest.mark.parametrize(
    ("others", "accounts", "question"),
    [
        (0, None, "Issue 2 invoices, €30.00 in all, with numbers for good?"),
        (
            20_000, None,
            "Issue more than 2 invoices, more than €30.00 in all, with numbers for good?",
        ),
        (20_000, ["1"], "Issue 1 invoice, €15.00 in all, with numbers for good?"),
        (
            20_000, ["1", "9"],
            "Issue more than 1 invoice, more than €15.00 in all, with numbers for good?",
        ),
        (20_000, ["9"], "Nothing of it is listed. Issue what there is, with numbers for good?"),
        (
            20_000, ["319997"],
            "Nothing of it is listed. Issue what there is, with numbers for good?",
        ),
        (19_000, ["9"], "Run it all the same?"),
    ],
)  # fmt: skip
def test_nobody_is_asked_about_less_than_will_be_issued(
    capsys: pytest.CaptureFixture[str], others: int, accounts: list[str] | None, question: str
) -> None:
    """Beyond 20,000 entries only the first are listed. The sum of all is taken a moment later than
    they are: that a venue sold between tells nothing."""
    rows: list[Json] = [
        {"account": account, "period": "2026-07", "sales": 1, "amount": 1500}
        for account in ("1", "2")
    ]
    rows += [
        {"account": str(300_000 + at), "period": "2026-08", "sales": 1, "amount": 1500}
        for at in range(others - len(rows))
    ]
    found = {"accounts": rows, "count": 2, "amount": 9000, "currency": "EUR"}
    run = {"period": "2026-07"} | ({"accounts": accounts} if accounts else {})
    assert show_found(Screen(), run, found) == question
    is_cut = "more than" in question or "Nothing" in question
    assert ("of €90.00 not all is listed" in capsys.readouterr().out) is is_cut
