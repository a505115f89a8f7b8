"""What is typed at the till in the terminal, and what the till makes of it."""

import asyncio
import io
import shlex
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest

from cli.amounts import Misuse
from cli.app import app
from cli.counter.counter import Counter
from cli.counter.screen import Display
from cli.counter.tab import Guest, Sold, Tab, by_hand
from cli.counter.typed import HELP, WORDS, Typed, understand
from cli.items import item
from cli.replies import NoAnswer
from cli.screen import Screen
from cli.till import Entry, Till
from cli.where import Unreachable
from tests.cli.running import runner


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", Typed(kind="charge")),
        ("  pay ", Typed(kind="charge")),
        ("twelve", Typed(kind="find", text="twelve")),
        ("find 3", Typed(kind="find", text="3")),
        ("sales office", Typed(kind="find", text="sales office")),
        ("on the roof", Typed(kind="find", text="on the roof")),
        ("3", Typed(kind="pick", number=3)),
        ("6", Typed(kind="find", text="6")),
        ("28900001", Typed(kind="find", text="28900001")),
        ("cancel", Typed(kind="cancelled")),
        ("c 2", Typed(kind="cancelled", number=2)),
        ("cancel 3,50", Typed(kind="cancelled", amount=350)),
        ("return 2 3,50", Typed(kind="returned", number=2, amount=350)),
        ("settle 1 €4", Typed(kind="settled", number=1, amount=400)),
        ("list 2", Typed(kind="list", number=2)),
        ("d", Typed(kind="drop")),
        ("OFFLINE", Typed(kind="offline")),
        ("?", Typed(kind="help")),
    ],
)
def test_a_line_is_understood(text: str, meant: Typed) -> None:
    assert understand(text, listed=5) == meant


def test_what_is_sold_is_put_on_the_tab() -> None:
    meant = understand("2 x Pils 3,50 21%", listed=0)
    assert (meant.kind, (meant.line or {})["total"]) == ("item", 700)


@pytest.mark.parametrize("text", ["cancel 0", "cancel 1 2 3", "cancel x", "list x", "drop 0"])
def test_half_a_command_is_told_with_how_it_is_written(text: str) -> None:
    with pytest.raises(Misuse):
        understand(text, listed=5)


@pytest.mark.parametrize(
    "text", ["2 x Pils 3,50", "2 x Pils", "Pils 3,50 21", "Pils 3,50", "Pils 3,555 21%", "Pils 21%"]
)
def test_half_an_item_is_no_search_but_told_with_how_it_is_written(text: str) -> None:
    with pytest.raises(Misuse, match="2 x Pils 3,50 21%"):
        understand(text, listed=5)


@pytest.mark.parametrize("text", ["7up", "v.d. Berg", "Tafel 9", "Club 21", "Max x 2 Events"])
def test_a_name_with_numbers_in_it_is_searched_for(text: str) -> None:
    assert understand(text, listed=5) == Typed(kind="find", text=text)


def test_a_long_list_says_how_its_next_page_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    made = counter(Silent())
    made.tab.directory = [Guest(account=str(n), name="x") for n in range(45)]
    told = []
    for page in (1, 2, 3):
        made.list(page)
        told.append(capsys.readouterr().out.splitlines()[-1])
    assert told == [
        "1 to 20 of 45; list 2 shows more", "21 to 40 of 45; list 3 shows more", "41 to 45 of 45",
    ]  # fmt: skip


async def test_a_search_that_finds_more_than_it_shows_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hit = {"account": "1", "name": "Van Dam", "description": "", "chargeable": True}
    made = counter(Silent({"accounts": [hit, {**hit, "account": "2"}], "more": True}))
    await made.line("dam")
    assert "the first 2; there are more: type more letters" in capsys.readouterr().out


def test_the_help_names_every_kind_of_thing_that_can_be_typed() -> None:
    shown = " ".join(words for words, _ in HELP)
    for word in ("drop", "cancel", "return", "settle", "sales", "repeat", "offline", "online",
                 "list", "on", "quit"):  # fmt: skip
        assert word in WORDS
        assert word in shown


def test_a_new_sign_on_says_what_came_and_what_went() -> None:
    tab = Tab(directory=[Guest(account="1", name="a"), Guest(account="2", name="b")])
    entries = [Entry(account=n, name="x", description="") for n in ("2", "3", "4")]
    assert tab.sign_on(entries) == (2, 1)
    assert tab.guest_of("3") is not None
    assert tab.guest_of("1") is None


def test_a_sale_says_how_it_stands() -> None:
    sale = Sold({"total": 500})
    assert "waits" in sale.status
    sale.answer = {"type": "sale.declined", "reason": "over_limit"}
    assert sale.status == "declined: over limit"
    sale.answer = {"type": "sale.approved"}
    assert sale.status == "approved"
    sale.taken_back = 200
    assert sale.status == "a part taken back"
    sale.taken_back = 500
    assert sale.status == "taken back"


class Silent:
    """Stands for the topics at the far edge: answers what it is told to, else nothing."""

    def __init__(self, *answers: dict[str, Any] | None) -> None:  # None: silence; {}: no Kafka
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    async def send(self, message: dict[str, Any]) -> None:
        self.asked.append(message)

    async def ask(self, message: dict[str, Any], *, timeout_s: float) -> Any:
        self.asked.append(message)
        answer = self.answers.pop(0)
        if answer is None:
            raise NoAnswer("No answer.")
        if not answer:
            raise Unreachable("Kafka is away.")
        return SimpleNamespace(message={"sale_id": message.get("sale_id"), **answer})


class Slow(Silent):
    """Takes a question, and has not answered it when somebody stops."""

    def __init__(self) -> None:
        super().__init__()
        self.began = asyncio.Event()

    async def ask(self, message: dict[str, Any], *, timeout_s: float) -> Any:
        self.began.set()
        await asyncio.Event().wait()


def counter(client: Silent) -> Counter:
    till = Till(client, 2890, "bar-1")  # type: ignore[arg-type]
    made = Counter(till, Display(Screen(), "EUR"), valid_s=30)
    made.tab.guest = Guest(account="28900001", name="Twelve")
    return made


APPROVED = {"type": "sale.approved", "online": True, "over_limit": False, "total": 350,
            "limit": None, "used": 350, "available": None}  # fmt: skip


async def test_a_question_without_an_answer_is_asked_again_under_the_same_id() -> None:
    client = Silent(None, APPROVED)
    made = counter(client)
    await made.line("Pils 3,50 21%")
    await made.line("")
    first, second = client.asked
    assert first == second
    assert made.tab.sold[0].status == "approved"
    assert not made.failed


async def test_who_gives_up_waiting_says_what_was_done_under_the_same_id(
    capsys: pytest.CaptureFixture[str],
) -> None:
    client = Silent(None, None, {**APPROVED, "online": False})
    made = counter(client)
    await made.line("Pils 3,50 21%")
    await made.line("")
    assert "`served` tells that it was sold anyway" in capsys.readouterr().out
    await made.line("served")
    asked, again, told = client.asked
    assert (told["type"], told["sale_id"]) == ("sale.recorded", asked["sale_id"])
    assert "valid_s" not in told
    assert again == asked
    assert made.tab.unanswered is None


async def test_what_was_not_served_is_cancelled(capsys: pytest.CaptureFixture[str]) -> None:
    client = Silent(None, None, {"type": "sale.reversed", "amount": 0, "available": 0})
    made = counter(client)
    await made.line("Pils 3,50 21%")
    await made.line("")
    await made.line("unserved")
    assert (client.asked[-1]["type"], client.asked[-1]["sale_id"]) == (
        "sale.cancelled", client.asked[0]["sale_id"],
    )  # fmt: skip
    assert made.tab.unanswered is None
    assert "nothing is charged" in capsys.readouterr().out


async def test_what_was_declined_can_be_charged_to_another_account(
    capsys: pytest.CaptureFixture[str],
) -> None:
    client = Silent({"type": "sale.declined", "explanation": "No.", "reason": "over_limit"})
    made = counter(client)
    for line in ("2 x Pils 3,50 21%", "", "again"):
        await made.line(line)
    assert made.tab.lines == client.asked[0]["lines"]
    assert "`again` puts it on the tab once more" in capsys.readouterr().out


async def test_of_a_sale_that_nobody_answered_yet_the_one_before_it_is_not_put_on_the_tab(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = counter(Silent({"type": "sale.declined", "explanation": "No.", "reason": "over_limit"},
                          None, None))  # fmt: skip
    for line in ("2 x Pils 3,50 21%", "", "Wijn 5 21%", "", "again"):
        await made.line(line)
    assert made.tab.lines == []
    assert "not answered yet" in capsys.readouterr().out


async def test_a_till_that_ends_says_what_becomes_of_a_sale_that_nobody_answered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be approved yet: who was served nothing would pay for it."""
    client = Silent(None, None)
    made = counter(client)
    monkeypatch.setattr("sys.stdin", io.StringIO("Pils 3,50 21%\n\nsales\nquit\n"))
    made.sign_on = AsyncMock()  # type: ignore[method-assign]
    await made.serve(interactive=False)
    told = capsys.readouterr().out
    asked = client.asked[0]
    assert "€3.50 of 28900001 is not answered yet" in told
    assert f"if it was served: {by_hand(asked)}" in told
    cancel = f"onaccount till cancel 2890 28900001 {asked['sale_id']}"
    assert f"if it was not: {cancel}" in told


async def test_what_was_sold_offline_is_told_when_the_till_is_online_again() -> None:
    client = Silent({**APPROVED, "online": False})
    made = counter(client)
    for line in ("offline", "Pils 3,50 21%", ""):
        await made.line(line)
    assert client.asked == []
    assert [one.status for one in made.tab.sold] == ["waits until the till is online"]
    await made.line("online")
    assert [one["type"] for one in client.asked] == ["sale.recorded"]
    assert made.tab.waiting == []


async def test_taking_back_what_was_taken_back_already_is_no_success_of_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    back = {"type": "sale.reversed", "amount": 0, "available": 500}
    made = counter(Silent(APPROVED, back))
    for line in ("Pils 3,50 21%", "", "cancel"):
        await made.line(line)
    assert "nothing was left to take back" in capsys.readouterr().out


async def test_a_part_that_is_taken_back_again_for_want_of_an_answer_is_taken_back_once() -> None:
    back = {"type": "sale.reversed", "amount": 100, "available": 0}
    client = Silent(APPROVED, None, back, back, {**back, "amount": 250})
    made = counter(client)
    for line in ("Pils 3,50 21%", "", *("cancel 1,00",) * 3, "cancel 2,50"):
        await made.line(line)
    _, first, second, third, other = (one.get("cancellation_id") for one in client.asked)
    assert first == second != third != other
    assert made.tab.sold[0].taken_back == 100 + 100 + 250


async def test_a_part_is_taken_back_once_whatever_is_taken_back_between_two_tries(
    capsys: pytest.CaptureFixture[str],
) -> None:
    back = {"type": "sale.reversed", "amount": 100, "available": 0}
    client = Silent(APPROVED, None, {**back, "amount": 200}, None, back, back)
    made = counter(client)
    for line in ("Pils 3,50 21%", "", "cancel 1,00", "cancel 2,00", "return 1,00", "cancel 1,00"):
        await made.line(line)
    told = capsys.readouterr().out
    assert "`cancel 1 1.00` asks again under the same id" in told
    assert "`return 1 1.00` asks again under the same id" in told
    await made.line("return 1 1.00")
    _, first, between, other, again, last = (one.get("cancellation_id") for one in client.asked)
    assert (first, other) == (again, last)
    assert len({first, between, other}) == 3
    assert made.tab.sold[0].unanswered == {}
    assert made.tab.not_taken_back() == []


async def test_what_cannot_be_sent_stays_on_the_tab_and_is_no_sale(
    capsys: pytest.CaptureFixture[str],
) -> None:
    client = Silent(APPROVED)
    made = counter(client)
    for line in (f"{'x' * 600} 3,50 21%", "", "offline", "", "served"):
        await made.line(line)
    told = capsys.readouterr().out
    assert told.count("This can't be sent") == 2
    assert "Every sale was answered" in told
    assert (made.tab.sold, len(made.tab.lines), client.asked) == ([], 1, [])


OFFLINE = ("offline", "Pils 3,50 21%", "", "2 x Wijn 6 21%", "", "Cola 2,90 9%", "")


async def test_of_what_was_sold_offline_all_is_told_though_nobody_answers() -> None:
    client = Silent(None, None)
    made = counter(client)
    for line in (*OFFLINE, "online"):
        await made.line(line)
    first, again, *others = client.asked
    assert first == again
    assert [one["total"] for one in (first, *others)] == [350, 1200, 290]
    assert len(made.tab.waiting) == 3
    assert made.failed


async def test_what_was_sold_offline_waits_where_kafka_is_away(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = counter(Silent({}, {**APPROVED, "online": False}, {}))
    for line in (*OFFLINE, "online"):
        assert await made.line(line)
    assert len(made.tab.waiting) == 3
    assert "Kafka is away." in capsys.readouterr().out
    with pytest.raises(Unreachable):
        await made._close()
    told = capsys.readouterr().out
    assert [line.partition("--offline")[0] for line in told.splitlines() if "later" in line] == [
        "! to tell it later: onaccount till sell 2890 28900001 '2 x Wijn 6.00 21%' ",
        "! to tell it later: onaccount till sell 2890 28900001 '1 x Cola 2.90 9%' ",
    ]
    sold = made.tab.waiting[0].message
    which = f"--sale-id {sold['sale_id']} --terminal bar-1 --at {sold['at']}"
    assert by_hand(sold).endswith(f"--offline {which}")
    assert item("2 x Wijn 6.00 21%") == sold["lines"][0]


def test_what_is_told_by_hand_later_is_the_same_sale_of_the_same_moment(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Else it is another month's, at another day's VAT, of a till that is none."""
    till = Till(Silent(), 2890, "bar 2")  # type: ignore[arg-type]
    what = ("Bier @ 3,50 21%", "Bier € @ 3,50 21%", "2 x Tafel 9 6 9%", "Saldo @ @ -1 0%")
    sale = till.sale("1", [item(text) for text in what], kind="sale.recorded")
    words = shlex.split(by_hand(sale))[1:]
    _, given, _ = app.parse_args(words, print_error=False, exit_on_error=False)
    told = given.arguments
    assert [item(text) for text in told["items"]] == sale["lines"]
    assert [one["description"] for one in sale["lines"]] == ["Bier", "Bier €", "Tafel 9", "Saldo @"]
    names = ("sale_id", "at", "terminal", "offline")
    assert [told[name] for name in names] == [sale["sale_id"], sale["at"], "bar 2", True]
    refused = runner(capsys)(*(word for word in words if word != "--offline"))
    assert (refused.status, "--at goes with --offline" in refused.err) == (2, True)


async def test_what_kafka_has_is_not_to_be_told_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    made = counter(Silent(None, None))
    for line in OFFLINE:
        await made.line(line)
    with pytest.raises(NoAnswer):
        await made._close()
    told = capsys.readouterr().out
    assert (told.count("Kafka has it"), "to tell it later" in told) == (3, False)
    assert {one.status for one in made.tab.sold} == {"told, and not answered yet"}


async def test_who_stops_a_till_while_it_closes_hears_what_was_sold_and_is_not_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Method: Ctrl-C cancels the task of a command."""
    client = Slow()
    made = counter(client)
    for line in OFFLINE:
        await made.line(line)
    closing = asyncio.create_task(made._close())
    await client.began.wait()
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert capsys.readouterr().out.count("! to tell it later: onaccount till sell 2890") == 3
