"""The same id with the same content is told the same bytes, also where it is refused, whatever the
topic; with other content under the same id, or wrong in another way, it is another answer.
"""

import base64
import random
from datetime import datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from tests.outside.holding import until
from tests.outside.wire import Json, Wire, new_id, now, sale

_MONTH = datetime.now(ZoneInfo("Europe/Amsterdam")).strftime("%Y-%m")
_IDS = ("command_id", "payment_id", "statement_id", "request_id", "run_id", "job_id")
_FILE = b"this is no workbook"


def _finance(env: int, draft: str) -> list[Json]:
    """What finance may ask wrongly."""
    given: Json = {"environment": env, "at": now(), "by": "x"}
    run = {**given, "type": "invoices.run", "period": _MONTH, "mode": "issue", "send": False}
    pay = {**given, "type": "payment.record", "amount": 1, "method": "bank", "number": "none"}
    file = {**given, "type": "document.request", "invoice_id": draft, "format": "pdf"}
    state = {**given, "type": "statement.request", "from": "2026-01-01", "until": "2026-02-01"}
    again = {**given, "type": "invoice.approve", "invoice_id": draft, "command_id": new_id()}
    return [
        {**run, "run_id": new_id(), "period": "9999-12"},
        {**run, "run_id": new_id(), "environment": env + 1000},
        {**run, "run_id": new_id(), "mode": "neither"},
        {**pay, "payment_id": new_id()},
        {**pay, "payment_id": new_id(), "amount": -1},
        {**pay, "payment_id": new_id(), "amount": "1"},
        {**pay, "payment_id": new_id(), "at": now(days=2)},
        {**file, "request_id": new_id(), "format": "doc"},
        {**file, "request_id": new_id(), "invoice_id": new_id()},
        {**state, "statement_id": new_id(), "format": "doc"},
        {**state, "statement_id": new_id(), "format": "pdf", "account": "nobody"},
        again,
        {**again, "invoice_id": new_id()},
        {**again, "type": "invoice.delete"},
        {**again, "type": "invoice.correct"},
        {**again, "command_id": new_id(), "type": "invoice.send"},
    ]


def _imports(env: int) -> list[Json]:
    """What an importer may ask wrongly."""
    given: Json = {"environment": env, "by": "x"}
    upload = {**given, "type": "import.uploaded", "file_name": "f.xlsx", "mode": "preview"}
    upload |= {"part": 1, "parts": 1, "content": base64.b64encode(_FILE).decode()}
    upload |= {"job_id": new_id(), "sha256": sha256(_FILE).hexdigest()}
    job = {"job_id": new_id()}
    return [
        upload,
        {**upload, "mode": "import"},
        {**upload, "type": "import.undo"},
        {**upload, "job_id": new_id(), "mode": "neither"},
        {**upload, "job_id": new_id(), "part": 2},
        *(
            {**given, **job, "type": f"import.{name}"}
            for name in ("confirmed", "cancelled", "undo")
        ),
    ]


def _told(wire: Wire, since: int, said: Json) -> list[tuple[object, ...]]:
    """The refusals of one message: under its id, about what it says."""
    name = next(said[field] for field in _IDS if field in said)
    answers = ("command.refused", "import.failed")
    return [
        one.same
        for one in wire.seen[since:]
        if one.body.get("type") in answers
        and name in (one.body.get("command_id"), one.body.get("job_id"))
    ]


async def test_what_is_refused_is_refused_again_in_the_same_bytes_on_every_topic(
    wire: Wire, env: int
) -> None:
    await wire.venue(env)
    holder = await wire.customer(
        env, first_name="Bo", street="Kade 1", postcode="1011 AB", city="Amsterdam"
    )
    await wire.account(env, "1", holder=holder)
    await wire.sale(sale(env, "1"))
    await wire.run(env, _MONTH, mode="draft")
    draft = (await wire.wait(type="invoice.drafted", environment=env))[0].body["invoice_id"]
    await wire.run(env, _MONTH)  # it stands no more
    asked = [("invoices.commands", one) for one in _finance(env, draft)]
    asked += [("imports.uploads", one) for one in _imports(env)]
    first: list[set[tuple[object, ...]]] = []
    for topic, body in asked:
        since = len(wire.seen)
        await wire.say(topic, body)
        await until(lambda since=since, body=body: len(_told(wire, since, body)) > 0)  # type: ignore[misc]
        first.append({_told(wire, since, body)[-1]})
    by_id: dict[object, set[object]] = {}
    for (answer,) in first:
        by_id.setdefault(answer[2], set()).add(answer)
    assert [answers for answers in by_id.values() if len(answers) != 1] == []
    assert len(by_id) == len(asked)
    since = len(wire.seen)
    random.shuffle(asked)
    for topic, body in asked:
        late = {"at": now()} if "at" in body and body["at"] < now() else {}
        await wire.say(topic, {**body, **late, "by": "somebody", "more": 1})
    again = {one for (one,) in first}
    await until(lambda: again <= {s.same for s in wire.seen[since:]})
    names = {next(body[field] for field in _IDS if field in body) for _, body in asked}
    more = {
        s.same
        for s in wire.seen[since:]
        if s.body.get("type") in ("command.refused", "import.failed")
        and names & {s.body.get("command_id"), s.body.get("job_id")}
    }
    assert more == again


async def test_a_run_that_was_refused_is_told_so_until_what_it_lacked_is_there(
    wire: Wire, env: int
) -> None:
    """It made nothing, so that its id is no end of it: a schedule has no other."""
    await wire.venue(env, iban=None)
    asked = {"type": "invoices.run", "run_id": "of the month", "environment": env}
    asked |= {"period": _MONTH, "mode": "issue", "send": False, "by": "x"}
    for _ in range(3):
        told = len(wire.find(type="command.refused", environment=env))
        await wire.say("invoices.commands", asked)
        await wire.wait(type="command.refused", environment=env, n=told + 1)
    (refused,) = {one.same for one in wire.find(type="command.refused", environment=env)}
    assert b"iban" in bytes(str(refused[1]), "utf-8")
    configured = {"type": "environment.configure", "environment": env}
    await wire.command({**configured, "iban": "NL91ABNA0417164300"})
    await wire.wait(type="environment.state", environment=env, iban="NL91ABNA0417164300")
    await wire.say("invoices.commands", asked)
    await wire.wait(type="run.completed", environment=env, run_id="of the month")
