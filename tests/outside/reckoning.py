"""What a venue's figures must be, reckoned from its events alone by sums of our own."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from tests.outside.wire import Json, Wire


@dataclass(slots=True, kw_only=True)
class Account:
    """What was said of one account, in minor units."""

    approved: int = 0
    reversed: int = 0
    issued: int = 0
    credited: int = 0
    paid: int = 0
    entries: int = 0
    months: set[str] = field(default_factory=set)

    @property
    def unbilled(self) -> int:
        return self.approved - self.reversed - self.issued + self.credited

    @property
    def billed(self) -> int:
        return self.issued - self.credited - self.paid

    def used(self, release: str) -> int:
        invoiced = self.issued - self.credited
        released = min(self.paid, invoiced) if release == "paid" else invoiced
        return max(0, self.approved - self.reversed - released)


def accounts(wire: Wire, env: int) -> dict[str, Account]:
    """Each account's sums, each event once."""
    found: dict[str, Account] = defaultdict(Account)
    for sold in wire.events("sale.approved", env):
        found[sold["account"]].approved += sold["total"]
    for back in wire.events("sale.reversed", env):
        found[back["account"]].reversed += back["amount"]
    for invoice in wire.events("invoice.issued", env):
        found[invoice["account"]].issued += invoice["total"]
    for note in wire.events("credit_note.issued", env):
        found[note["account"]].credited += note["total"]
    for paid in wire.events("payment.received", env):
        found[paid["account"]].paid += paid["amount"]
    for entry in wire.events("entry.posted", env):
        found[entry["account"]].entries += 1
    return dict(found)


def vat_is_exact(document: Json) -> None:
    """Of each rate the VAT in its gross, rounded half up once; the total is the sum of both."""
    for row in document["vat"]:
        rate = Decimal(row["rate"])
        exact = Decimal(row["gross"]) * rate / (100 + rate)
        assert row["vat"] == int(exact.quantize(Decimal(1), ROUND_HALF_UP)), document
        assert row["base"] + row["vat"] == row["gross"], document
    assert sum(row["gross"] for row in document["vat"]) == document["total"], document
    assert sum(part["amount"] for part in document["sales"]) == document["total"], document


def months_are_apart(wire: Wire, env: int, zone: ZoneInfo) -> None:
    """Each invoice holds sales of its own calendar month alone, by the venue's clock."""
    month = {
        sold["sale_id"]: datetime.fromisoformat(sold["booked_at"])
        .astimezone(zone)
        .strftime("%Y-%m")
        for sold in wire.events("sale.approved", env)
    }
    for invoice in wire.events("invoice.issued", env):
        assert {month[part["sale_id"]] for part in invoice["sales"]} == {invoice["period"]}, invoice


def numbers_have_no_gap(wire: Wire, env: int) -> None:
    """One number a document, from one on, and later numbers were not given earlier."""
    documents = wire.events("invoice.issued", env) + wire.events("credit_note.issued", env)
    documents.sort(key=lambda one: int(one["number"].partition("-")[2]))
    numbers = [int(one["number"].partition("-")[2]) for one in documents]
    assert numbers == list(range(1, len(numbers) + 1))
    moments = [datetime.fromisoformat(one["issued_at"]) for one in documents]
    assert moments == sorted(moments)


def unbilled_sales(wire: Wire, env: int) -> dict[str, int]:
    """What of each sale no invoice says: sold - taken back - billed + credited."""
    net: Counter[str] = Counter()
    for sold in wire.events("sale.approved", env):
        net[sold["sale_id"]] += sold["total"]
    for back in wire.events("sale.reversed", env):
        net[back["sale_id"]] -= back["amount"]
    for kind, sign in (("invoice.issued", -1), ("credit_note.issued", 1)):
        for document in wire.events(kind, env):
            for part in document["sales"]:
                net[part["sale_id"]] += sign * part["amount"]
    return {sale_id: left for sale_id, left in net.items() if left}


def newest(wire: Wire, kind: str, env: int) -> dict[bytes | None, Json]:
    """The last record under each key, which must be the highest version of it."""
    last: dict[bytes | None, Json] = {}
    highest: Counter[bytes | None] = Counter()
    for one in wire.find(type=kind, environment=env):
        last[one.key] = one.body
        highest[one.key] = max(highest[one.key], one.body["version"])
    assert {key: body["version"] for key, body in last.items()} == dict(highest)
    return last


def invoices_stand_as_told(wire: Wire, env: int) -> None:
    """The newest invoice.state of each says what its events add up to."""
    paid: Counter[str] = Counter()
    for one in wire.events("payment.received", env):
        paid[one["invoice_id"]] += one["amount"]
    credited = Counter[str]()
    for note in wire.events("credit_note.issued", env):
        credited[note["invoice_id"]] += note["total"]
    states = {body["invoice_id"]: body for body in newest(wire, "invoice.state", env).values()}
    for invoice in wire.events("invoice.issued", env):
        state = states[invoice["invoice_id"]]
        assert state["number"] == invoice["number"]
        assert (state["total"], state["paid"]) == (invoice["total"], paid[invoice["invoice_id"]])
        assert state.get("credited", 0) == credited[invoice["invoice_id"]], state
        assert state["status"] not in ("draft", "deleted"), state
