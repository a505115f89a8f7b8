"""Which line of a bank's export pays which invoice."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from cli.bank.lines import Line
from cli.matches import Match, Recorded
from cli.messages import Json
from cli.payments import imported_on, match, noon_of, open_of, typed_on

ENV, DAY = 2890, date(2026, 8, 5)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def line(amount: int, description: str = "", row: int = 2, **changes: Any) -> Line:
    values: dict[str, Any] = {
        "row": row, "on": DAY, "amount": amount, "currency": "EUR", "name": "Jansen",
        "iban": "NL20INGB0001234567", "description": description, "reference": "",
        "account": "NL91", "sequence": "",
    }  # fmt: skip
    return Line(**{**values, **changes})


def invoice(number: str | None, total: int, **changes: Any) -> Json:
    return {
        "number": number, "total": total, "paid": 0, "status": "sent", "currency": "EUR",
        "account": "A1", **changes,
    }  # fmt: skip


def matched(lines: list[Line], *invoices: Json, **options: Any) -> list[Match]:
    recorded = options.pop("recorded", {})
    return match(ENV, lines, invoices, recorded, **options)


def verdicts(found: list[Match]) -> list[str]:
    return [one.verdict for one in found]


ONE, TWO = invoice("2026-00001", 700), invoice("2026-00002", 1250)


@pytest.mark.parametrize(
    "text",
    ["2026-00001", "factuur 2026 00001!", "FACT.202600001", "nr:2026/00001,", "2026-\n00001"],
)
def test_a_number_is_found_as_people_write_it(text: str) -> None:
    (one,) = matched([line(700, text)], ONE, TWO)
    assert one.verdict == "pays"
    ((number, amount, payment_id),) = one.pays
    assert (number, amount) == ("2026-00001", 700)
    UUID(payment_id)


@pytest.mark.parametrize("text", ["12026-00001", "2026-000019", "klant 202600001A", "2026", ""])
def test_a_number_inside_another_one_is_none(text: str) -> None:
    (one,) = matched([line(999, text)], ONE)
    assert one.verdict == "no_number"


def test_an_amount_alone_pays_nothing_but_says_what_it_could_be() -> None:
    (one,) = matched([line(700, "bier")], ONE, TWO)
    assert (one.verdict, "2026-00001" in one.why) == ("no_number", True)


def test_a_number_with_another_amount_counts_only_when_asked_for() -> None:
    part = [line(300, "2026-00001")]
    (one,) = matched(part, ONE)
    assert (one.verdict, one.pays) == ("differs", ())
    assert "€7.00 open" in one.why
    (one,) = matched(part, ONE, other_amounts=True)
    assert one.pays[0][:2] == ("2026-00001", 300)


def test_one_transfer_may_pay_several_invoices_in_full() -> None:
    (one,) = matched([line(1950, "2026-00001 en 2026-00002")], ONE, TWO)
    assert [p[:2] for p in one.pays] == [("2026-00001", 700), ("2026-00002", 1250)]
    assert len({p[2] for p in one.pays}) == 2
    (one,) = matched([line(1900, "2026-00001 en 2026-00002")], ONE, TWO)
    assert one.verdict == "differs"


def test_each_line_counts_on_what_those_before_it_pay() -> None:
    twice = [line(700, "2026-00001"), line(700, "2026-00001", row=3)]
    assert verdicts(matched(twice, ONE)) == ["pays", "not_open"]


def test_the_same_line_in_a_second_export_is_the_same_payment() -> None:
    (first,) = matched([line(700, "2026-00001")], ONE)
    paid = invoice("2026-00001", 700, paid=700, status="paid")
    recorded = {first.pays[0][2]: Recorded("2026-00001", 700, DAY)}
    later = [line(1, "rente", row=2), line(700, "2026-00001", row=9)]
    assert verdicts(matched(later, paid, recorded=recorded)) == ["no_number", "known"]
    # A second transfer that says the same, on the same day, is another payment.
    again = [*later, line(700, "2026-00001", row=10)]
    found = matched(again, paid, recorded=recorded, other_amounts=True)
    assert verdicts(found) == ["no_number", "known", "pays"]
    assert found[2].pays[0][2] not in recorded


def test_an_import_that_was_stopped_half_way_records_the_rest() -> None:
    both = [line(1950, "2026-00001 2026-00002")]
    (first,) = matched(both, ONE, TWO)
    half = {first.pays[0][2]: Recorded("2026-00001", 700, DAY)}
    (one,) = matched(both, invoice("2026-00001", 700, paid=700), TWO, recorded=half)
    assert (one.verdict, one.pays) == ("pays", first.pays[1:])


def test_drafts_credited_and_foreign_invoices_take_no_money() -> None:
    assert open_of(invoice(None, 700, status="draft")) == 0
    assert open_of(invoice("1", 700, status="credited")) == 0
    assert open_of(invoice("1", 700, credited=200, paid=100)) == 400
    credited = invoice("2026-00001", 700, status="credited", credited=700)
    dollars = invoice("2026-00002", 700, currency="USD")
    lines = [line(700, "2026-00001"), line(700, "2026-00002"), line(-700, "2026-00001")]
    assert verdicts(matched(lines, credited, dollars)) == ["not_open", "differs", "outgoing"]


def test_thousands_of_lines_against_thousands_of_invoices_take_no_time() -> None:
    invoices = [invoice(f"2026-{n:05}", 700) for n in range(1, 5001)]
    lines = [line(700, f"Factuur 2026-{n:05} met dank", row=n) for n in range(1, 5001)]
    assert verdicts(matched(lines, *invoices)) == ["pays"] * 5000


def test_the_same_payment_in_an_export_of_another_shape_is_known_once() -> None:
    """Its text and references read otherwise, so its id is another; invoice, day and amount are
    what both say. A second transfer of the same day is another payment."""
    recorded = {"id-of-the-csv": Recorded("2026-00001", 700, DAY)}
    paid = invoice("2026-00001", 1400, paid=700)
    twice = [line(700, "/REMI/2026-00001/"), line(700, "/REMI/2026-00001/", row=3)]
    known, pays = matched(twice, paid, recorded=recorded)
    assert (known.verdict, known.pays) == ("known", (("2026-00001", 700, "id-of-the-csv"),))
    assert pays.verdict == "pays"
    for other in (
        Recorded("2026-00001", 699, DAY),
        Recorded("2026-00002", 700, DAY),
        Recorded("2026-00001", 700, date(2026, 8, 4)),
        Recorded("2026-00001", 700, None),  # a person's, which may well be cash
    ):
        found = matched(twice[:1], invoice("2026-00001", 700), recorded={"x": other})
        assert verdicts(found) == ["pays"]


def test_one_transfer_for_several_invoices_is_known_from_another_shape_as_a_whole() -> None:
    recorded = {"a": Recorded("2026-00001", 700, DAY), "b": Recorded("2026-00002", 1250, DAY)}
    paid = [invoice("2026-00001", 700, paid=700), invoice("2026-00002", 1250, paid=1250)]
    both = line(1950, "2026-00001 + 2026-00002")
    (one,) = matched([both], *paid, recorded=recorded)
    assert (one.verdict, len(one.pays)) == ("known", 2)
    (one,) = matched([both], *paid, recorded={"a": recorded["a"]})
    assert one.verdict == "not_open"


def test_the_same_export_again_does_not_use_up_another_line_of_its_own() -> None:
    first, second = matched(
        [line(700, "2026-00001"), line(700, "2026-00001 bis")], invoice("2026-00001", 1400)
    )
    assert (first.verdict, second.verdict) == ("differs", "differs")
    mine = {
        p[2]: Recorded("2026-00001", 700, DAY)
        for p in matched([line(700, "2026-00001")], invoice("2026-00001", 700))[0].pays
    }
    left = invoice("2026-00001", 1400, paid=700)
    found = matched([line(700, "2026-00001"), line(700, "2026-00001 bis")], left, recorded=mine)
    assert verdicts(found) == ["known", "pays"]


@pytest.mark.parametrize("amount", [700, -700])
def test_what_the_bank_undid_is_listed_and_never_recorded(amount: int) -> None:
    undone = line(amount, "2026-00001", reversal=True)
    (one,) = matched([undone], ONE, other_amounts=True)
    assert (one.verdict, one.pays) == ("reversed", ())


def test_only_what_an_import_recorded_says_its_day() -> None:
    for zone in (AMSTERDAM, ZoneInfo("Pacific/Auckland"), ZoneInfo("America/Adak"), UTC):
        for day in (DAY, date(2027, 1, 1), date(2026, 12, 31), date(2026, 10, 25)):
            assert imported_on(noon_of(day, zone), zone) == day
            said = datetime.fromisoformat(noon_of(day, zone)).astimezone(UTC)
            assert imported_on(said.isoformat(), zone) == day
        assert imported_on("2026-08-05T12:00:00Z", zone) == DAY  # as it was said before
    assert imported_on("2026-08-05T12:00:00.001Z", AMSTERDAM) is None


def test_a_day_that_a_person_names_is_a_banks_line_only_where_it_came_by_bank() -> None:
    assert imported_on(typed_on(DAY, AMSTERDAM, "bank"), AMSTERDAM) == DAY
    assert imported_on(typed_on(DAY, AMSTERDAM, "cash"), AMSTERDAM) is None


def test_a_payment_of_new_years_day_is_of_the_new_year_by_the_venues_clock() -> None:
    assert noon_of(date(2027, 1, 1), ZoneInfo("Pacific/Auckland")) == "2027-01-01T12:00:00+13:00"
    assert noon_of(date(2026, 8, 5), AMSTERDAM) == "2026-08-05T12:00:00+02:00"
