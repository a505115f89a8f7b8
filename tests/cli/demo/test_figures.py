"""The demo's figures are counted right, and a wrong one is noticed."""

from typing import Any

import pytest

from cli.demo import figures, venue
from cli.demo.figures import Figure


def approved(sale_id: str, account: str, *lines: tuple[str, int]) -> dict[str, Any]:
    return {
        "type": "sale.approved",
        "sale_id": sale_id,
        "account": account,
        "total": sum(total for _, total in lines),
        "lines": [{"vat_rate": rate, "total": total} for rate, total in lines],
    }


def reversed_(account: str, rate: str, total: int) -> dict[str, Any]:
    line = {"vat_rate": rate, "total": total}
    head = {"type": "sale.reversed", "cancellation_id": "c", "account": account}
    return {**head, "amount": total, "lines": [line]}


def entry(entry_id: str, debit: int, credit: int) -> dict[str, Any]:
    legs = [{"debit": debit, "credit": 0}, {"debit": 0, "credit": credit}]
    return {"entry_id": entry_id, "legs": legs}


def test_what_is_delivered_twice_is_counted_once() -> None:
    sale = approved("a", "1", ("21", 700), ("9", 300))
    found = figures.sold([sale, sale, reversed_("1", "9", 300), reversed_("1", "9", 300)])
    assert (found.total, found.taken_back) == (1000, 300)
    assert found.by_account() == {"1": 700}
    assert found.by_rate() == {"21": 700, "9": 0}


def test_approved_beats_declined_in_whatever_order() -> None:
    no = {"type": "sale.declined", "sale_id": "a", "reason": "over_limit"}
    yes = approved("a", "1", ("21", 700))
    for order in ([no, yes], [yes, no]):
        found = figures.sold(order)
        assert (len(found.approved), len(found.declined)) == (1, 0)


def test_the_authorizers_running_sum_is_the_greatest_that_it_said() -> None:
    sales = [
        {**approved("a", "1", ("21", 700)), "used": 700},
        {**approved("b", "1", ("21", 300)), "used": 1000},
    ]
    for order in (sales, sales[::-1]):
        found = figures.sold(order)
        assert found.used_by_account() == found.approved_by_account() == {"1": 1000}


def test_invoices_are_summed_less_credit_notes() -> None:
    vat = [{"rate": "21", "base": 100, "vat": 21, "gross": 121}]
    invoice = {"invoice_id": "i", "account": "1", "total": 121, "number": "2026-00001", "vat": vat}
    credit = {"type": "credit_note.issued", "credit_note_id": "c", "account": "1", "total": 21}
    found = figures.invoiced([{"type": "invoice.issued", **invoice}, credit])
    assert found.by_account() == {"1": 100}
    assert found.by_rate() == {"21": 121}
    assert found.vat_adds_up()
    vat[0]["vat"] = 20
    assert not found.vat_adds_up()


@pytest.mark.parametrize(
    ("numbers", "right"),
    [
        ([], True),
        (["2026-00002", "2026-00001"], True),
        (["2026-00001", "2026-00003"], False),
        (["2026-00001", "2026-00001"], False),
    ],
)
def test_a_gap_or_a_double_number_is_noticed(numbers: list[str], right: bool) -> None:
    assert figures.gapless(numbers) is right


def test_a_journal_is_summed_by_entry_and_a_crooked_entry_is_named() -> None:
    entries = [entry("a", 5, 5), entry("a", 5, 5), entry("b", 3, 2)]
    assert figures.journal(entries) == (8, 7)
    assert figures.unbalanced(entries) == ["b"]


def test_a_figure_is_right_only_when_it_is_the_same() -> None:
    assert Figure(what="x", expected=(1, "€2"), actual=(1, "€2")).right
    assert not Figure(what="x", expected=1, actual=2).right


def test_the_bar_sells_the_same_for_the_same_seed_and_to_every_account() -> None:
    accounts = [f"2890000{number}" for number in range(1, 10)]
    plan = venue.orders(accounts)
    assert plan == venue.orders(accounts)
    assert len(plan) == venue.TILLS
    flat = [order for orders in plan.values() for order in orders]
    assert len(flat) == venue.TILLS * venue.SALES_A_TILL
    assert {order.account for order in flat} == set(accounts)
    rates = {line["vat_rate"] for order in flat for line in order.lines}
    assert rates == {"9", "21"}
    for account in accounts:
        assert sum(o.total for o in flat if o.account == account) < venue.LIMIT


def test_the_special_cases_fall_where_they_must_around_the_small_limit() -> None:
    assert venue.COFFEE["total"] <= venue.SMALL_LIMIT
    assert venue.COFFEE["total"] + venue.LUNCH["total"] > venue.SMALL_LIMIT
    assert venue.COFFEE["total"] + venue.FAREWELL["total"] > venue.SMALL_LIMIT


def test_the_venues_legal_data_are_valid() -> None:
    from schwifty import IBAN
    from stdnum.nl import btw

    assert btw.is_valid(venue.LEGAL["vat_number"])
    assert IBAN(venue.LEGAL["iban"]).is_valid
