"""Parts 1 to 6 of the contract as a stranger reads them: each test holds many of their sentences
against a venue of its own, and all that was said about it besides.
"""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.outside.holding import books, settled, until, well_formed
from tests.outside.wire import Json, Wire, cancel, line, new_id, now, sale

_ANSWERS = ("pos.decisions", "pos.directories", "registry.outcomes")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _recorded(of: Json) -> Json:
    return {**of, "type": "sale.recorded"}


async def _cancels(wire: Wire, body: Json) -> Json:
    """The answer to a cancellation."""
    await wire.say("pos.sales", body)
    found = await wire.wait(
        lambda b: b["type"] != "sale.cancelled", cancellation_id=body["cancellation_id"]
    )
    return found[0].body


async def _asks(wire: Wire, kind: str, env: int, **fields: object) -> Json:
    """What a till is told at a sign-on or a search, by the name of the question's id."""
    name = "session_id" if kind == "terminal.signed_on" else "search_id"
    body = {"type": kind, name: new_id(), "environment": env, "terminal": "till-1", **fields}
    if kind == "terminal.signed_on":
        body["at"] = now()
    await wire.say("pos.terminals", body)
    return (await wire.wait(lambda b: b.get(name) == body[name]))[0].body


async def test_what_is_wrong_in_every_way_hears_the_reasons_in_their_order_as_each_is_mended(
    wire: Wire, env: int
) -> None:
    asked: Json = {
        **sale(env, "1", ("1", 100, "21.0")),
        **{"currency": "USD", "total": 1, "note": 5, "valid_s": 0},
    }
    heard: list[str] = []

    async def hears(**mended: Any) -> Json:
        asked.update(sale_id=new_id(), **mended)
        if "called_off" in asked and asked.pop("called_off"):
            await _cancels(wire, cancel(asked))
        answer = (await wire.sale(asked)).body
        heard.append(str(answer.get("reason", answer["type"])))
        if answer["type"] == "sale.declined":
            assert answer["explanation"]
        return answer

    async def orders(kind: str, **fields: object) -> None:
        got = await wire.command({"type": kind, "environment": env, **fields})
        assert got["type"] == "command.applied", got

    assert (await hears())["field"] == "note"
    await hears(note="n")
    await orders("environment.configure", language="en")
    await hears()
    await orders("environment.accept_gdpr", accepted_by="x", document="d")
    await hears()
    await orders("environment.activate")
    await hears()
    await orders("account.open", account="1", status="blocked", limit=1234)
    await hears()
    await hears(currency="EUR")
    await hears(total=100)
    await hears(lines=[line("1", 100, "21")], called_off=True)
    await hears()
    await hears(valid_s=60)
    served = (await wire.sale(_recorded(asked))).body  # booked all the same
    assert (served["type"], served["online"], served["used"]) == ("sale.approved", False, 100)
    await orders("account.change", accounts=["1"], status="active")
    await hears()
    await orders("account.change", accounts=["1"], on_account=True, limit=199)
    over = await hears()
    assert (over["limit"], over["used"], over["available"]) == (199, 100, 99)
    assert over["explanation"] == (
        "The sale of €1.00 goes over the limit of €1.99: €1.00 of it is used and €0.99 is left."
    )
    await orders("account.change", accounts=["1"], raise_limit_by=1)
    assert (await hears())["available"] == 0
    assert heard == [
        *("invalid_message", "environment_unknown", "gdpr_not_accepted", "module_inactive"),
        *("account_unknown", "currency_mismatch", "invalid_total", "invalid_vat_rate"),
        *("already_cancelled", "expired", "account_inactive", "not_allowed_on_account"),
        *("over_limit", "sale.approved"),
    ]
    await settled(wire, env)
    assert books(wire, env)["receivable:unbilled"] == 200
    well_formed(wire, env)


async def test_a_sale_counts_when_its_till_says_within_bounds_and_else_when_it_came(
    wire: Wire, env: int
) -> None:
    await wire.venue(env)
    await wire.account(env, "1")
    day, minute = timedelta(days=1), timedelta(minutes=1)
    believed = {
        "sale.requested": (minute - day, day - minute),
        "sale.recorded": (minute - 45 * day, minute - day, day - minute),
    }
    doubted = {
        "sale.requested": (-day - minute, day + minute),
        "sale.recorded": (-45 * day - minute, day + minute),
    }
    for kept, shifts in ((True, believed), (False, doubted)):
        for kind, many in shifts.items():
            for shift in many:
                at = datetime.now(UTC) + shift
                one = {**sale(env, "1"), "type": kind, "at": at.isoformat()}
                answer = (await wire.sale(one)).body
                near = abs(_moment(answer["booked_at"]) - datetime.now(UTC)) < minute
                assert _moment(answer["at"]) == at
                assert (_moment(answer["booked_at"]) == at) is kept, (kind, shift)
                assert (near and answer["clock_off"]) if not kept else "clock_off" not in answer
    await settled(wire, env)
    booked = {a["sale_id"]: a["booked_at"] for a in wire.events("sale.approved", env)}
    assert {e["source_id"]: e["at"] for e in wire.events("entry.posted", env)} == booked


async def test_one_id_may_stand_for_one_of_each_kind_and_each_keeps_its_answer_for_ever(
    wire: Wire, env: int
) -> None:
    one, other = new_id(), env + 1000
    for venue in (env, other):
        await wire.venue(venue)
        await wire.account(venue, "Zoë 07", limit=500)
    said = _one_of_each(env, one) + _one_of_each(other, one)

    def answers(since: int) -> list[tuple[object, ...]]:
        new = wire.seen[since:]
        return [s.same for s in new if s.topic in _ANSWERS and s.body["environment"] in venues]

    async def hears(since: int, count: int) -> None:
        await until(lambda: len(set(answers(since))) >= count)

    venues, begun = (env, other), len(wire.seen)
    for number, (topic, body) in enumerate(said, start=1):
        await wire.say(topic, body)
        await hears(begun, number)
    first = set(answers(begun))
    assert len(first) == len(said)
    for venue in venues:
        change = {"type": "account.change", "environment": venue, "accounts": ["Zoë 07"]}
        await wire.command({**change, "status": "closed", "limit": 1, "in_overview": False})
        await wire.command(
            {"type": "environment.configure", "environment": venue, "language": "nl"}
        )
        await wire.command({"type": "environment.deactivate", "environment": venue})
    begun = len(wire.seen)
    again = [(topic, _otherwise(body)) for topic, body in said] * 2
    random.shuffle(again)
    for topic, body in again:
        await wire.say(topic, body)
    await until(lambda: len(answers(begun)) >= len(again))
    assert set(answers(begun)) == first
    unbooked = wire.find(type="unbooked.state", environment=env)
    assert {(s.body["sale_id"], s.body["reason"]) for s in unbooked} == {
        (said[0][1]["sale_id"], "invalid_message")
    }
    assert len({seen.key for seen in unbooked}) == 1
    for venue in (env, other):
        await settled(wire, venue)
        assert books(wire, venue)["receivable:unbilled"] == 150
        well_formed(wire, venue)


def _one_of_each(env: int, one: str) -> list[tuple[str, Json]]:
    """Questions under one id, each of which is answered in its own way."""
    sold = sale(env, "Zoë 07", ("2", 100, "21"), sale_id=one)
    till: Json = {"environment": env, "terminal": "bar"}
    searched = {**till, "type": "terminal.searched", "search_id": one, "query": "zoe"}
    opened: Json = {"type": "account.open", "command_id": one, "environment": env, "account": "2"}
    opened |= {"at": now(), "by": "x"}
    sales: list[Json] = [
        {**_recorded(sold), "sale_id": new_id(), "lines": []},
        sold,
        {**sold, "total": 201},
        sale(env, "Zoë 07", ("1", 999, "9")),
        sale(env, "nobody"),
        cancel(sold, cancellation_id=one, amount=50),
        cancel(sold, cancellation_id=one, amount=51),
        cancel(sold, amount=999),
        cancel({**sold, "sale_id": new_id()}),
    ]
    asked = [{**till, "type": "terminal.signed_on", "session_id": one, "at": now()}, searched]
    asked.append({**searched, "query": "bar"})
    orders = [opened, {**opened, "account": "3"}, {**opened, "limit": "x", "command_id": new_id()}]
    by_topic = {"pos.sales": sales, "pos.terminals": asked, "registry.commands": orders}
    return [(topic, body) for topic, bodies in by_topic.items() for body in bodies]


def _otherwise(body: Json) -> Json:
    """The same content, said by somebody else at another time, with its ids in capitals."""
    own = ("sale_id", "cancellation_id", "command_id", "session_id", "search_id")
    upper = {name: body[name].upper() for name in own if name in body}
    told = {"note": "n"} if "lines" in body else {"more": [1]}
    elsewhere = {"terminal": "cellar"} if "terminal" in body else {"by": "somebody"}
    return {**body, **upper, **told, **elsewhere, "at": now(days=-2), "attempt": new_id()}


async def test_what_is_taken_back_leaves_nothing_at_any_rate_and_never_more_than_was_sold(
    wire: Wire, env: int
) -> None:
    await wire.venue(env)
    await wire.account(env, "1", limit=1000)
    await wire.account(env, "2")
    sold = sale(env, "1", ("2", 333, "21"), ("1", 101, "9"), ("-1", 50, "21"), ("1", 7, "0"))
    assert (await wire.sale(sold)).body["used"] == 724
    of_one = [{"description": "x", "quantity": "1", "total": 100, "vat_rate": "9"}]
    wrong: list[tuple[Json, str, str | None]] = [
        *(({"amount": bad}, "invalid_message", "amount") for bad in (0, -1, 1.5, "1", True)),
        ({"amount": 101, "lines": of_one}, "invalid_message", "amount"),
        ({"lines": of_one}, "invalid_message", "amount"),
        ({"amount": 1, "lines": []}, "invalid_message", "lines"),
        ({"reason": "lost"}, "invalid_message", "reason"),
        ({"amount": 725}, "exceeds_sale", "amount"),
        ({"account": "2"}, "not_this_account", None),
        ({"account": "nobody"}, "account_unknown", None),
        ({"environment": env + 500}, "environment_unknown", None),
        ({"sale_id": new_id(), "amount": 1}, "sale_unknown", None),
    ]
    for more, reason, field in wrong:
        refused = await _cancels(wire, cancel(sold, **more))
        assert (refused["type"], refused["reason"], refused.get("field")) == (
            *("sale.reversal_refused", reason, field),
        )
    part = await _cancels(wire, cancel(sold, amount=100, lines=of_one, reason="returned"))
    assert [(each["vat_rate"], each["total"]) for each in part["lines"]] == [("9", 100)]
    assert (part["amount"], part["reason"], part["available"]) == (100, "returned", 376)
    twice = await _cancels(wire, cancel(sold, amount=100, lines=of_one))
    assert (twice["reason"], twice["field"]) == ("exceeds_sale", "lines.0.total")
    left: dict[str, int] = {"21": 616, "9": 1, "0": 7}
    for amount in (1, 199, 333, None, None):
        more = {} if amount is None else {"amount": amount}
        answer = await _cancels(wire, cancel(sold, reason="settled", **more))
        assert answer["amount"] == sum(each["total"] for each in answer["lines"])
        assert answer["amount"] == (amount or sum(left.values()))
        for each in answer["lines"]:
            left[each["vat_rate"]] -= each["total"]
    assert answer["lines"] == []
    assert left == {"21": 0, "9": 0, "0": 0}
    assert answer["available"] == 1000
    declined = sale(env, "1", ("1", 1001, "21"))
    assert (await wire.sale(declined)).body["reason"] == "over_limit"
    assert (await _cancels(wire, cancel(declined, amount=1)))["reason"] == "sale_declined"
    await settled(wire, env)
    assert {of: cents for of, cents in books(wire, env).items() if cents} == {}
    well_formed(wire, env)


async def test_what_is_absent_stays_null_clears_and_tills_see_it_when_they_sign_on_again(
    wire: Wire, env: int
) -> None:
    def state(kind: str, name: object) -> Json:
        """The newest; each change is a version more."""
        key = f"{kind}:{env}:{name}".encode()
        found = [one.body for one in wire.seen if one.key == key]
        return max(found, key=lambda body: int(body["version"])) if found else {}

    async def orders(kind: str, **fields: object) -> Json:
        got = await wire.command({"type": kind, "environment": env, **fields})
        if got["type"] == "command.applied":
            told = [(change["kind"], change["id"]) for change in got["changes"]]
            await until(lambda: all(state(*each) for each in told))
        return got

    assert (await _asks(wire, "terminal.signed_on", env))["reason"] == "environment_unknown"
    await orders("environment.configure", payment_days=30, default_limit=700, city="Delft")
    assert (await _asks(wire, "terminal.signed_on", env))["reason"] == "gdpr_not_accepted"
    refused = await orders("customer.register", customer_id=new_id(), first_name="A")
    assert refused["reason"] == "gdpr_not_accepted"
    await orders("environment.accept_gdpr", accepted_by="M", document="d")
    assert (await _asks(wire, "terminal.searched", env, query="a"))["reason"] == "module_inactive"
    await orders("environment.activate")
    await orders("environment.configure", payment_days=None)
    again = await orders("environment.configure", city="Delft")
    assert [change["change"] for change in again["changes"]] == ["unchanged"]
    person = new_id()
    name = {"first_name": "Zoë", "infix": "van", "last_name": "Ångström"}
    await orders("customer.register", customer_id=person.upper(), **name)
    await orders("account.open", account="01", holder=person.upper(), on_account=True)
    await orders("account.open", account="02", limit=None, description="Café", on_account=True)
    await orders("account.change", accounts=["01", "02"], in_overview=True)
    for bad in (
        {"accounts": ["01", "no"], "limit": 1},
        {"accounts": ["01"], "limit": 1, "raise_limit_by": 1},
        {"accounts": ["01", "02"], "raise_limit_by": 1},
    ):
        assert (await orders("account.change", **bad))["type"] == "command.refused"
    last = await orders("account.change", accounts=["01"], raise_limit_by=1)
    assert [c["change"] for c in last["changes"]] == ["changed"]
    await until(lambda: state("account", "01").get("limit") == 701)
    assert (state("account", "01")["holder"], state("account", "02")["limit"]) == (person, None)
    venue = state("environment", env)
    assert (venue["city"], venue["payment_days"], venue["default_limit"]) == ("Delft", 14, 700)
    assert (venue["active"], venue["gdpr"]["accepted_by"]) == (True, "M")
    page = await _asks(wire, "terminal.signed_on", env)
    assert (page["page"], page["pages"]) == (1, 1)
    assert {a["account"]: (a["name"], a["description"]) for a in page["accounts"]} == {
        **{"01": ("Zoë van Ångström", ""), "02": ("Café", "Café")}
    }
    await orders("account.change", accounts=["02"], status="blocked", in_overview=False)
    page = await _asks(wire, "terminal.signed_on", env)
    assert [a["account"] for a in page["accounts"]] == ["01"]
    for query, account in (("ANGSTROM zoe", "01"), ("cafe", "02"), ("02", "02")):
        found = (await _asks(wire, "terminal.searched", env, query=query))["accounts"]
        assert [a["account"] for a in found] == [account]
        assert found[0]["chargeable"] is (account == "01")
        assert found[0].get("reason") == (None if account == "01" else "account_inactive")
    begun = len(wire.seen)
    await orders("registry.republish")
    names = (("environment", env), ("customer", person), ("account", "01"), ("account", "02"))
    all_of_it = {f"{kind}:{env}:{name}".encode() for kind, name in names}
    await until(lambda: all_of_it <= {one.key for one in wire.seen[begun:]})
    well_formed(wire, env)
