"""Journals in plain values."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger import domain
from services.ledger.domain import (
    BILLED,
    UNBILLED,
    AccountKey,
    Change,
    Event,
    Journal,
    Kind,
    RateTotal,
    Source,
    Unbalanced,
    changes,
    fingerprint,
)

AT = datetime(2026, 7, 1, tzinfo=UTC)


def event(name: str = "e", account: str = "1") -> Event:
    return Event(environment=2890, account=account, source_id=name, at=AT, currency="EUR")


def rate_totals(gross: Mapping[str, int]) -> list[RateTotal]:
    """Any split into base and VAT will do: here a tenth is VAT."""
    return [RateTotal(rate, x - x // 10, x // 10, x) for rate, x in gross.items()]


def added(journals: list[Journal]) -> Counter[str]:
    total: Counter[str] = Counter()
    for journal in journals:
        for name, amount in journal.legs.items():
            total[name] += amount
    return total


def test_the_worked_example_of_the_module_comes_out_to_the_cent() -> None:
    sold = {"21": 250, "9": 1210}
    steps = [
        (domain.charge(event(), 1460, sold.items()), 1460, 0),
        (domain.invoice(event(), 1460, rate_totals(sold)), 0, 1460),
        (domain.reversal(event(), 250, [("21", 250)]), -250, 1460),
        (domain.credit_note(event(), 250, rate_totals({"21": 250})), 0, 1210),
        (domain.payment(event(), 1210), 0, 0),
    ]
    for n, (_, unbilled, billed) in enumerate(steps, 1):
        total = added([journal for journal, _, _ in steps[:n]])
        assert (total[UNBILLED], total[BILLED]) == (unbilled, billed)


def test_lines_of_one_rate_are_one_leg() -> None:
    journal = domain.charge(event(), 600, [("21", 250), ("9", 100), ("21", 250)])
    assert journal.legs == {
        "receivable:unbilled": 600,
        "revenue:unbilled:21": -500,
        "revenue:unbilled:9": -100,
    }


def test_debits_come_first_and_nothing_stands_twice_or_empty() -> None:
    journal = domain.charge(event(), 100, [("21", 150), ("9", -50), ("0", 30), ("0", -30)])
    assert list(journal.legs.items()) == [
        ("receivable:unbilled", 100),
        ("revenue:unbilled:9", 50),
        ("revenue:unbilled:21", -150),
    ]


@pytest.mark.parametrize(
    "make",
    [
        lambda: domain.charge(event(), 101, [("21", 100)]),
        lambda: domain.reversal(event(), 101, [("21", 100)]),
        lambda: domain.invoice(event(), 100, [RateTotal("21", 82, 17, 100)]),
        lambda: domain.invoice(event(), 101, [RateTotal("21", 83, 17, 100)]),
        lambda: domain.invoice(event(), 100, []),
        lambda: domain.credit_note(event(), 99, [RateTotal("21", 83, 17, 100)]),
    ],
)
def test_amounts_that_contradict_each_other_make_no_journal(make: object) -> None:
    assert callable(make)
    with pytest.raises(Unbalanced):
        make()


def test_a_source_has_the_same_entry_id_for_ever() -> None:
    source = Source(2890, Kind.CHARGE, "0e8f9d5e-53f5-4c3c-8f1e-111111111111")
    assert source.entry_id == "4872c4cc-1842-5a8f-bbb5-ecdae0a5b952"
    assert len({Source(e, k, "x").entry_id for e in (1, 2) for k in Kind}) == 10


@given(st.integers(1, 2**31 - 1), st.sampled_from(list(Kind)), st.uuids())
def test_an_entry_id_is_a_version_5_uuid(environment: int, kind: Kind, source_id: UUID) -> None:
    expected = uuid5(domain.ENTRIES, f"{kind.value}/{environment}/{source_id}")
    assert Source(environment, kind, str(source_id)).entry_id == str(expected)


def test_a_fingerprint_is_the_start_of_the_sha_256_as_a_signed_number() -> None:
    # sha256("abc") begins with ba7816bf8f01cfea (FIPS 180-2, appendix B.1).
    assert fingerprint(b"abc") == 0xBA7816BF8F01CFEA - 2**64


def test_what_one_journal_does_to_its_account_is_that_and_no_more() -> None:
    sale = domain.charge(event(), 1460, [("21", 250), ("9", 1210)])
    paid = domain.payment(event("p", "2"), 1210)
    assert changes([(sale, b"abc"), (paid, b"xyz")]) == {
        sale.key: Change(unbilled=1460, billed=0, entries=1, fingerprint=fingerprint(b"abc")),
        paid.key: Change(unbilled=0, billed=-1210, entries=1, fingerprint=fingerprint(b"xyz")),
    }


RATES = st.sampled_from(["0", "5.5", "9", "21", "100"])
AMOUNTS = st.integers(-(10**12), 10**12)
GROSS = st.dictionaries(RATES, AMOUNTS, max_size=5)
ACCOUNTS = st.sampled_from(["1", "2"])


@st.composite
def journals(draw: st.DrawFn) -> Journal:
    gross = draw(GROSS)
    total = sum(gross.values())
    about = event(account=draw(ACCOUNTS))
    match draw(st.sampled_from(list(Kind))):
        case Kind.CHARGE:
            return domain.charge(about, total, gross.items())
        case Kind.REVERSAL:
            return domain.reversal(about, total, gross.items())
        case Kind.INVOICE:
            return domain.invoice(about, total, rate_totals(gross))
        case Kind.CREDIT_NOTE:
            return domain.credit_note(about, total, rate_totals(gross))
        case Kind.PAYMENT:
            return domain.payment(about, total)


@given(journals())
def test_every_journal_balances_and_has_no_empty_leg(journal: Journal) -> None:
    assert sum(journal.legs.values()) == 0
    assert all(journal.legs.values())
    assert len(journal.legs) != 1


@given(GROSS)
def test_a_mirror_takes_back_exactly_what_it_mirrors(gross: dict[str, int]) -> None:
    total = sum(gross.values())
    pairs = [
        (
            domain.charge(event(), total, gross.items()),
            domain.reversal(event(), total, gross.items()),
        ),
        (
            domain.invoice(event(), total, rate_totals(gross)),
            domain.credit_note(event(), total, rate_totals(gross)),
        ),
    ]
    for journal, mirror in pairs:
        assert not any(added([journal, mirror]).values())


@given(
    st.lists(journals(), max_size=12).flatmap(
        lambda js: st.tuples(st.just(js), st.permutations(js))
    )
)
def test_balances_are_the_same_in_whatever_order_messages_come(
    orders: tuple[list[Journal], list[Journal]],
) -> None:
    def standing(some: list[Journal]) -> Mapping[AccountKey, Change]:
        return changes((journal, repr(journal).encode()) for journal in some)

    assert standing(orders[0]) == standing(orders[1])


HISTORY = st.lists(
    st.tuples(GROSS, st.booleans(), st.booleans(), st.booleans(), st.integers(0, 10**6)),
    max_size=6,
)


@given(HISTORY)
def test_what_is_owed_is_what_was_approved_less_what_was_reversed_and_paid(
    history: list[tuple[dict[str, int], bool, bool, bool, int]],
) -> None:
    """Each sale may be invoiced, reversed, then credited (with or without freeing), and paid."""
    all_journals: list[Journal] = []
    approved = reversed_ = issued = credited = paid = 0
    for gross, invoiced, taken_back, withdrawn, payment in history:
        total = sum(gross.values())
        all_journals.append(domain.charge(event(), total, gross.items()))
        approved += total
        if taken_back:
            all_journals.append(domain.reversal(event(), total, gross.items()))
            reversed_ += total
        if invoiced:
            all_journals.append(domain.invoice(event(), total, rate_totals(gross)))
            all_journals.append(domain.payment(event(), payment))
            issued += total
            paid += payment
        if invoiced and (taken_back or withdrawn):
            all_journals.append(domain.credit_note(event(), total, rate_totals(gross)))
            credited += total
    total_of = added(all_journals)
    assert total_of[UNBILLED] == approved - reversed_ - issued + credited
    assert total_of[BILLED] == issued - credited - paid
    assert total_of[UNBILLED] + total_of[BILLED] == approved - reversed_ - paid
    assert sum(total_of.values()) == 0
