"""What a sequence may do: small plain moves, drawn by hypothesis, and the messages they make.

Ids are few (slots), so that messages meet: cancellations before their sales, one id with two
contents, everything again. What a message says follows from its move and the environment alone.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from hypothesis import strategies as st

from tests.proof.reference.money import line_total

Move = tuple[Any, ...]

BASKETS: tuple[tuple[tuple[str, str, int, str], ...], ...] = (
    (("Pils", "1", 300, "21"),),
    (("Pils", "2", 250, "21"), ("Tosti", "1", 475, "9")),
    (("Diner", "1", 1000, "9"), ("Korting", "-1", 200, "21")),
    (("Wijn", "1", 500, "21"), ("Ruil", "-1", 500, "9")),  # comes to nothing
    (("Thee", "0.5", 333, "9"), ("Koek", "3", 33, "0"), ("Pils", "1", 1, "5.5")),
    (("Water", "1", 0, "9"),),  # free
    (("Zaal", "1", 5000, "21"),),
)
FAULTS = (
    "total", "line", "rate", "currency", "below zero", "unreadable",
)  # fmt: skip
AGES_S = (0, 7_200)
TOLD_AGO = (
    timedelta(0), timedelta(hours=24), timedelta(hours=24, seconds=1), timedelta(days=45),
    timedelta(days=45, seconds=1), timedelta(hours=-24), timedelta(hours=-24, seconds=-1),
)  # fmt: skip
LIMITS = (None, 0, 300, 1_000, 2_500)
RATES = ("21", "9", "0")

slots = st.integers(0, 5)
accounts = st.sampled_from((0, 0, 0, 0, 1, 1, 2))
rarely = st.sampled_from((False, False, False, False, True))

sale_moves = st.tuples(
    st.just("sale"),
    st.booleans(),  # recorded
    slots,
    accounts,
    st.integers(0, len(BASKETS) - 1),
    st.sampled_from((None,) * 14 + FAULTS),
    st.sampled_from(AGES_S),
    st.sampled_from(TOLD_AGO),
    st.sampled_from((None, None, 60, 90 * 86_400)),  # valid_s
    st.sampled_from((None,) * 8 + (0, 1, 2)),  # moved from this slot
)
cancel_moves = st.tuples(
    st.just("cancel"),
    slots,
    slots,
    st.one_of(st.none(), st.integers(1, 1_200)),
    st.sampled_from((None, None, None, 0, 1)),  # an account of its own
    st.one_of(st.none(), st.integers(0, 2)),  # by this line of the sale
    st.sampled_from(("cancelled", "settled", "returned")),
)
again_moves = st.tuples(
    st.just("again"), st.integers(0, 40), st.sampled_from((None, None, "sale.recorded",
                                                          "sale.requested")),
)  # fmt: skip


def _words(
    slot: int, account: int, basket: int, cancellation: int, order: tuple[int, ...]
) -> tuple[Move, ...]:
    """A sale asked for, made and taken back, as its till's three messages overtake each other."""
    asked, made = (
        ("sale", recorded, slot, account, basket, None, 0, TOLD_AGO[0], None, None)
        for recorded in (False, True)
    )  # fmt: skip
    back = ("cancel", cancellation, slot, None, None, None, "returned")
    return tuple((asked, made, back)[n] for n in order)


words_moves = st.builds(
    _words, slots, accounts, st.sampled_from((6, 6, 0, 1)), slots,
    st.sampled_from(tuple(itertools.permutations(range(3)))),
)  # fmt: skip
_alone = st.one_of(sale_moves, sale_moves, cancel_moves, again_moves)
till_moves = st.lists(
    st.one_of(*[_alone.map(lambda move: (move,))] * 6, words_moves), min_size=1, max_size=5
).map(lambda parts: [move for part in parts for move in part])

configure_moves = st.tuples(
    st.just("configure"),
    st.fixed_dictionaries(
        {},
        optional={
            "limit_release": st.sampled_from(("issued", "paid", None)),
            "default_limit": st.sampled_from(LIMITS),
            "default_on_account": st.booleans(),
            "currency": st.sampled_from(("EUR", "USD")),
            "language": st.sampled_from(("nl", "en")),
        },
    ),
)
switch_moves = st.tuples(
    st.just("switch"), st.sampled_from(("activate", "activate", "deactivate", "accept_gdpr"))
)
open_moves = st.tuples(
    st.just("open"),
    accounts,
    st.fixed_dictionaries(
        {},
        optional={
            "limit": st.sampled_from(LIMITS),
            "on_account": st.booleans(),
            "status": st.sampled_from(("active", "inactive", "blocked", "closed")),
        },
    ),
)
change_moves = st.tuples(
    st.just("change"),
    st.lists(accounts, min_size=1, max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            "limit": st.sampled_from(LIMITS),
            "on_account": st.sampled_from((True, True, False)),
            "status": st.sampled_from(("active", "active", "blocked", "closed")),
            "only_if_unused": st.just(True),
            "raise_limit_by": st.sampled_from((-500, 0, 700)),
        },
    ),
)
admin_moves = st.lists(
    st.tuples(
        st.sampled_from((None, None, None, 0, 1, 2)),  # under a command_id that is used again
        st.one_of(
            configure_moves,
            switch_moves,
            open_moves,
            change_moves,
            change_moves,
            st.tuples(st.just("again"), st.integers(0, 30)),
        ),
    ),
    min_size=1,
    max_size=3,
)

amounts = st.lists(
    st.tuples(st.sampled_from(RATES), st.integers(1, 1_500)), min_size=1, max_size=3,
    unique_by=lambda pair: pair[0],
)  # fmt: skip
finance_moves = st.lists(
    st.tuples(
        st.sampled_from(("invoice", "invoice", "credit_note", "payment", "refund")),
        slots,
        accounts,
        amounts,
    ),
    min_size=1,
    max_size=3,
)
delivery_moves = st.lists(st.integers(0, 60), min_size=1, max_size=8)


def uid(*name: object) -> str:
    return str(uuid5(NAMESPACE_URL, repr(name)))


def sale_message(
    environment: int, account: str, move: Move, record_time: datetime
) -> tuple[dict[str, Any], str | None]:
    """The sale, and where it can't be read, if so."""
    _, recorded, slot, _, basket, fault, _, told_ago, valid_s, moved_from = move
    lines = [
        {"description": name, "quantity": quantity, "unit_price": price, "vat_rate": rate,
         "total": line_total(quantity, price)}
        for name, quantity, price, rate in BASKETS[basket]
    ]  # fmt: skip
    if fault == "below zero":
        lines.append({"description": "Terug", "quantity": "-1", "unit_price": 90_000,
                      "vat_rate": "0", "total": -90_000})  # fmt: skip
    message: dict[str, Any] = {
        "type": "sale.recorded" if recorded else "sale.requested",
        "sale_id": uid(environment, "sale", slot), "environment": environment,
        "terminal": "bar", "account": account, "at": (record_time - told_ago).isoformat(),
        "currency": "EUR", "total": sum(line["total"] for line in lines), "lines": lines,
    }  # fmt: skip
    if not recorded and valid_s is not None:
        message["valid_s"] = valid_s
    if recorded and moved_from is not None and moved_from != slot:
        message["moved_from"] = uid(environment, "sale", moved_from)
    match fault:
        case "total":
            message["total"] += 1
        case "line":
            lines[-1]["total"] += 1
            message["total"] += 1
        case "rate":
            lines[0]["vat_rate"] = "21.0"
        case "currency":
            message["currency"] = "USD"
        case "unreadable":
            message["total"] = "12,50"
            return message, "total"
    return message, None


def cancel_message(environment: int, account: str, move: Move) -> dict[str, Any]:
    """A cancellation of all, of an amount, or of a line's amount."""
    _, slot, sale, amount, _, line, reason = move
    message: dict[str, Any] = {
        "type": "sale.cancelled", "cancellation_id": uid(environment, "cancellation", slot),
        "sale_id": uid(environment, "sale", sale), "environment": environment, "terminal": "bar",
        "account": account, "at": "2026-07-01T12:00:00Z", "reason": reason,
    }  # fmt: skip
    if amount is not None:
        message["amount"] = amount
        if line is not None:
            name = ("Pils", "Diner", "Zaal")[line]
            message["lines"] = [{"description": name, "total": amount}]
    return message


def command_message(environment: int, names: list[str], move: Move) -> dict[str, Any]:
    """A command without its id."""
    kind, *given = move
    shared = {"environment": environment, "at": "2026-07-01T12:00:00Z", "by": "admin"}
    match kind:
        case "configure":
            return {**shared, "type": "environment.configure", **given[0]}
        case "switch" if given[0] == "accept_gdpr":
            return {**shared, "type": "environment.accept_gdpr", "accepted_by": "Jo",
                    "document": "terms-1"}  # fmt: skip
        case "switch":
            return {**shared, "type": f"environment.{given[0]}"}
        case "open":
            return {**shared, "type": "account.open", "account": names[given[0]], **given[1]}
        case _:
            settings = dict(given[1])
            if "raise_limit_by" in settings:
                settings.pop("limit", None)
            chosen = [names[n] for n in given[0]]
            return {**shared, "type": "account.change", "accounts": chosen, **settings}


def finance_message(environment: int, account: str, move: Move) -> dict[str, Any]:
    """What the invoicer says: gross amounts by rate, VAT as it is reckoned on invoices."""
    kind, slot, _, gross_by_rate = move
    now = datetime.now(UTC).isoformat()
    vat = []
    for rate, gross in gross_by_rate:
        tax = (2 * gross * int(rate) + 100 + int(rate)) // (2 * (100 + int(rate)))
        vat.append({"rate": rate, "base": gross - tax, "vat": tax, "gross": gross})
    total = sum(gross for _, gross in gross_by_rate)
    shared = {"environment": environment, "account": account, "currency": "EUR",
              "invoice_id": uid(environment, "invoice", slot), "number": "2026-1"}  # fmt: skip
    match kind:
        case "invoice":
            return {**shared, "type": "invoice.issued", "period": "2026-07", "issued_at": now,
                    "due_on": "2026-08-15", "total": total, "vat": vat, "sales": []}  # fmt: skip
        case "credit_note":
            return {**shared, "type": "credit_note.issued", "total": total, "vat": vat,
                    "credit_note_id": uid(environment, "note", slot), "issued_at": now,
                    "sales": [], "frees": True, "reason": "wrong"}  # fmt: skip
        case "refund":
            return {**shared, "type": "payment.refunded", "amount": total, "at": now, "open": 0,
                    "refund_id": uid(environment, "refund", slot)}  # fmt: skip
        case _:
            return {**shared, "type": "payment.received", "amount": total, "at": now, "open": 0,
                    "payment_id": uid(environment, "payment", slot)}  # fmt: skip
