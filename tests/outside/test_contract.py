"""The wire contract, sentence by sentence where money rests on it, asked from outside: raw bytes on
random partitions without keys, two workers of a kind, everything said twice.
"""

import asyncio
import base64
import email
import json
import random
from collections import Counter
from datetime import datetime
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.outside.holding import books, settled
from tests.outside.wire import Json, Wire, cancel, new_id, now, sale
from tests.support.stacks import Stack

_MONTH = datetime.now(ZoneInfo("Europe/Amsterdam")).strftime("%Y-%m")
_PLACE = {"street": "Kade 1", "postcode": "1011 AB", "city": "Amsterdam", "country": "NL"}
_WRONG: tuple[Any, ...] = (
    *(None, "", "x" * 100_000, 1.5, float("nan"), 10**40, True, [], {}, [[[]]]),
    *("\x00", "\ud800"),
)


def _unbilled(wire: Wire, env: int) -> dict[str, int]:
    """What of each sale no invoice says, if anything: sold - reversed - billed + credited."""
    net: Counter[str] = Counter()
    for sold in wire.events("sale.approved", env):
        net[sold["sale_id"]] += sold["total"]
    for reversed_ in wire.events("sale.reversed", env):
        net[reversed_["sale_id"]] -= reversed_["amount"]
    for kind, sign in (("invoice.issued", -1), ("credit_note.issued", 1)):
        for document in wire.events(kind, env):
            for part in document["sales"]:
                net[part["sale_id"]] += sign * part["amount"]
    return {sale_id: left for sale_id, left in net.items() if left}


async def test_each_field_wrong_in_every_way_is_answered_or_a_dead_letter_and_stops_nobody(
    wire: Wire, env: int
) -> None:
    await wire.venue(env)
    await wire.account(env, "1")
    good = sale(env, "1")
    broken: list[Json] = []
    for wrong in _WRONG:
        broken += [{**good, "sale_id": new_id(), field: wrong} for field in good]
        for field in good["lines"][0]:
            line = {**good["lines"][0], field: wrong}
            broken.append({**good, "sale_id": new_id(), "lines": [line]})
    raw = [
        *(b"\xff\xfe{}", b"", b"null", b"[]", b'{"type":"sale.requested"', b"[" * 100_000),
        json.dumps({**good, "sale_id": new_id(), "note": "x" * 300 * 1024}).encode()[:-3],
    ]
    bodies = [json.dumps(one).encode() for one in broken]
    for body in [*raw, *bodies]:
        await wire.say("pos.sales", body)
    for partition in await wire.partitions("pos.sales"):
        neighbour = sale(env, "1")
        await wire.say("pos.sales", neighbour, partition=partition)
        assert (await wire.wait(type="sale.approved", sale_id=neighbour["sale_id"]))[0]

    def fates(one: Json, body: bytes) -> int:
        answered = isinstance(one["sale_id"], str) and wire.find(
            lambda b: b.get("type") == "sale.declined", sale_id=one["sale_id"].lower()
        )
        dead = [s for s in wire.seen if s.topic == "authorizer.dead-letters" and s.value == body]
        return bool(answered) + len(dead)

    for _ in range(50):
        if all(fates(*each) == 1 for each in zip(broken, bodies, strict=True)):
            break
        await asyncio.sleep(0.1)
    # An empty description is one: that is approved.
    approved = {s["sale_id"] for s in wire.events("sale.approved", env)}
    lost = [
        one
        for one, body in zip(broken, bodies, strict=True)
        if str(one["sale_id"]) not in approved and fates(one, body) != 1
    ]
    assert lost == []


async def test_exactly_what_fits_is_approved_and_every_answer_is_one_byte_for_byte(
    wire: Wire, env: int
) -> None:
    await wire.venue(env)
    await wire.account(env, "hot", limit=5000)
    await wire.account(env, "cold", limit=None)
    hot = [sale(env, "hot", ("1", 100, "21")) for _ in range(200)]
    cold = [sale(env, "cold", ("1", 70, "21"), ("1", 30, "9")) for _ in range(100)]
    whole = [cancel(one) for one in cold[:40]]  # some come before their sales
    said = [*hot, *cold, *whole] * 2
    random.shuffle(said)
    for message in said:
        await wire.say("pos.sales", message)
    decided = {"sale.approved", "sale.declined", "sale.reversed"}
    await wire.wait(lambda b: b.get("type") in decided, environment=env, n=len(said))
    approved = wire.events("sale.approved", env)
    assert sum(one["total"] for one in approved if one["account"] == "hot") == 5000
    for kind, field in (("sale.approved", "sale_id"), ("sale.reversed", "cancellation_id")):
        said_once = {s.body[field]: s.same for s in wire.find(type=kind, environment=env)}
        for one in wire.find(type=kind, environment=env):
            assert one.same == said_once[one.body[field]]
    await settled(wire, env)
    sums = books(wire, env)
    kept = {one["sale_id"] for one in cold[40:]}
    assert kept <= {one["sale_id"] for one in approved}
    assert sums["receivable:unbilled"] == 5000 + 100 * len(kept)
    last = [s.body for s in wire.seen if s.key == f"{env}:hot".encode() and "unbilled" in s.body]
    assert last[-1]["unbilled"] == 5000
    assert last[-1] == max(last, key=lambda b: b["version"])


async def test_an_old_answer_comes_back_the_same_after_every_process_was_killed(
    wire: Wire, env: int, pairs: Stack
) -> None:
    await wire.venue(env)
    await wire.account(env, "1", limit=500)
    messages = [sale(env, "1", ("1", price, "21")) for price in (100, 450, 200)]
    messages.append({**messages[1], "lines": messages[0]["lines"], "total": 100})  # reused
    first = [(await wire.sale(message)).same for message in messages]
    for name in ("authorizer-1", "authorizer-2", "ledger-1", "postgres"):
        pairs.wait_back(name, pairs.kill(name))
    upper = [{**one, "sale_id": one["sale_id"].upper(), "more": {"x": 1}} for one in messages]
    for message, same in zip(upper, first, strict=True):
        await wire.say("pos.sales", {**message, "at": now(minutes=3), "terminal": "till-2"})
        found = await wire.wait(
            lambda b: "decided_at" in b, sale_id=message["sale_id"].lower(), n=2
        )
        assert same in {one.same for one in found}
    assert [s["total"] for s in wire.events("sale.approved", env)] == [100, 200]


async def test_runs_at_once_bill_every_sale_once_and_mail_each_invoice_with_its_documents(
    wire: Wire, env: int, pairs: Stack
) -> None:
    await wire.venue(env)
    anna = {"first_name": "Anna", "last_name": '<b>"& Co', "email": "a@onaccount.nl"}
    await wire.account(env, "guest", holder=await wire.customer(env, **anna, **_PLACE))
    firm = {"company": "Firm B.V.", "email": "b@onaccount.nl", "chamber_number": "12345678"}
    await wire.account(env, "firm", holder=await wire.customer(env, **firm, **_PLACE))
    await wire.account(env, "nowhere", holder=await wire.customer(env, company="No Place B.V."))
    sales = [
        sale(env, account, ("3", random.randint(1, 999), "21"), ("1", random.randint(1, 99), "9"))
        for account in ("guest", "firm") * 10
    ]
    for one in [*sales, sale(env, "nowhere")]:
        assert (await wire.sale(one)).body["type"] == "sale.approved"
    done = await asyncio.gather(*(wire.run(env, _MONTH, send=True) for _ in range(4)))
    assert sum(one["issued"] for one in done) == 2
    skipped = {s["account"]: s["reason"] for one in done for s in one["skipped"]}
    assert skipped == {"nowhere": "no_postal_address"}
    sent = await wire.wait(type="invoice.sent", environment=env, n=2)
    assert {one.body["to"] for one in sent} == {"a@onaccount.nl", "b@onaccount.nl"}
    mails = _mails(pairs, "a@onaccount.nl") + _mails(pairs, "b@onaccount.nl")
    for mail in mails:
        names = sorted(str(part.get_filename()) for part in mail.iter_attachments())
        number = names[0].rpartition(".")[0]
        assert names == [f"{number}.pdf", f"{number}.xlsx", f"{number}.xml"]
    # After that: a part taken back, an invoice deleted, an other corrected; another run.
    await wire.say("pos.sales", cancel(sales[0], amount=1))
    await wire.wait(type="sale.reversed", sale_id=sales[0]["sale_id"])
    await wire.wait(type="invoice.issued", environment=env, n=2)
    issued = {i["account"]: i for i in wire.events("invoice.issued", env)}
    orders: list[Json] = [
        {"type": "invoice.delete", "invoice_id": issued["firm"]["invoice_id"]},
        {"type": "invoice.correct", "invoice_id": issued["guest"]["invoice_id"], "reason": "r"},
        {"type": "invoice.correct", "invoice_id": issued["guest"]["invoice_id"], "reason": "r"},
    ]
    got = await asyncio.gather(*(wire.finance({"environment": env, **o}) for o in orders))
    assert sorted(one["type"] for one in got[1:]) == ["command.applied", "command.refused"]
    await asyncio.gather(*(wire.run(env, _MONTH) for _ in range(2)))
    await wire.run(env, _MONTH)
    for _ in range(100):  # partitions are read in any order: documents may follow their run
        if sum((left := _unbilled(wire, env)).values()) == 100:
            break
        await asyncio.sleep(0.1)
    assert sum(left.values()) == 100, left  # of the firm without a place
    await settled(wire, env)
    sums = books(wire, env)
    documents = wire.events("invoice.issued", env) + wire.events("credit_note.issued", env)
    numbers = sorted(int(one["number"][5:]) for one in documents)
    assert numbers == list(range(1, len(numbers) + 1))
    vat: Counter[str] = Counter()
    for one in documents:
        for row in one["vat"]:
            vat[row["rate"]] += row["vat"] * (1 if one["type"] == "invoice.issued" else -1)
    assert {rate: -sums[f"vat:{rate}"] for rate in vat} == dict(vat)


def _mails(stack: Stack, to: str) -> list[EmailMessage]:
    found = []
    for file in Path(stack.info["mail_dir"]).glob("*.eml"):
        mail = email.message_from_bytes(file.read_bytes(), policy=policy.default)
        if to in str(mail["To"]):
            assert isinstance(mail, EmailMessage)
            found.append(mail)
    assert found, to
    return found


async def test_a_payment_counts_once_and_a_document_comes_in_each_format(
    wire: Wire, env: int
) -> None:
    await wire.venue(env)
    holder = await wire.customer(env, first_name="Bo", last_name="Vis", **_PLACE)
    await wire.account(env, "1", holder=holder)
    await wire.sale(sale(env, "1", ("1", 1000, "21")))
    await wire.run(env, _MONTH)
    invoice = (await wire.wait(type="invoice.issued", environment=env))[0].body
    order = {"type": "payment.record", "payment_id": new_id(), "environment": env, "amount": 400}
    order |= {"number": invoice["number"], "method": "bank", "at": now(), "by": "x"}
    for _ in range(4):
        await wire.say("invoices.commands", order)
    answers = await wire.wait(type="command.applied", command_id=order["payment_id"], n=4)
    assert len({one.same for one in answers}) == 1
    await wire.say("invoices.commands", {**order, "amount": 600})
    (refused,) = await wire.wait(type="command.refused", command_id=order["payment_id"])
    assert refused.body["reason"] == "payment_id_reused"
    await wire.wait(type="payment.received", environment=env)
    (received,) = wire.events("payment.received", env)
    assert (received["amount"], received["open"]) == (400, 600)
    for form, start in (("pdf", b"%PDF"), ("xlsx", b"PK"), ("ubl", b"<?xml")):
        asked = {"type": "document.request", "request_id": new_id(), "environment": env}
        which = {"invoice_id": invoice["invoice_id"], "format": form}
        await wire.say("invoices.commands", {**asked, **which})
        (part,) = await wire.wait(type="document.part", request_id=asked["request_id"])
        assert base64.b64decode(part.body["content"]).startswith(start)
