"""What holds of all that is said about a venue, whatever was asked."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from tests.outside.wire import Seen, Wire

TRACE = re.compile(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


async def settled(wire: Wire, env: int) -> None:
    """Wait until the ledger has posted all that was decided and invoiced."""

    def posted() -> bool:
        sources = {e["source_id"] for e in wire.events("entry.posted", env)}
        due = {s["sale_id"] for s in wire.events("sale.approved", env) if s["total"]}
        due |= {r["cancellation_id"] for r in wire.events("sale.reversed", env) if r["amount"]}
        due |= {i["invoice_id"] for i in wire.events("invoice.issued", env)}
        due |= {c["credit_note_id"] for c in wire.events("credit_note.issued", env)}
        return due <= sources

    await until(posted)


async def until(holds: Callable[[], bool]) -> None:
    """Look until it is so; for what no one record says."""
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not so after 20 s: {holds.__qualname__}")


def books(wire: Wire, env: int) -> Counter[str]:
    """The sums of the journal by ledger account; checks that each entry balances and is alone."""
    sums: Counter[str] = Counter()
    entries = wire.events("entry.posted", env)
    for entry in entries:
        assert sum(leg["debit"] - leg["credit"] for leg in entry["legs"]) == 0, entry
        for leg in entry["legs"]:
            sums[leg["ledger_account"]] += leg["debit"] - leg["credit"]
    sources = [(entry["kind"], entry["source_id"]) for entry in entries]
    assert len(sources) == len(set(sources))
    return sums


def well_formed(wire: Wire, env: int) -> None:
    """Every record about a venue has its headers and its key, and each answer is one for ever."""
    told: dict[bytes, tuple[object, ...]] = {}
    mine = [one for one in wire.seen if one.body.get("environment") == env]
    for one in mine:
        if one.topic.endswith("dead-letters"):
            continue
        headers = one.headers
        assert headers["ce_type"].decode() == one.body["type"], one
        assert headers["ce_source"], one
        assert TRACE.fullmatch(headers["traceparent"]), one
        assert datetime.fromisoformat(headers["ce_time"].decode()).tzinfo, one
        assert one.key == _key(one).encode(), one
        if not one.body["type"].endswith(".state"):
            first = told.setdefault(headers["ce_id"], one.same)
            assert first == one.same, f"{headers['ce_id']!r} was {first} and is {one.same}"
    assert told


def _key(one: Seen) -> str:
    body, env = one.body, one.body["environment"]
    match one.topic:
        case "pos.directories":
            return str(body["terminal"])
        case "registry.state":
            kind = body["type"].partition(".")[0]
            return f"{kind}:{env}:{body.get('account') or body.get('customer_id') or env}"
        case "pos.unbooked":
            return f"{env}:{body['sale_id']}:{body['content']}"
        case "registry.outcomes":
            return str(env)
        case "invoices.events" if body["type"].startswith(("command.", "run.")):
            return str(env)
        case "invoices.state":
            return f"{env}:{body['invoice_id']}"
        case "imports.state":
            return f"{env}:{body['job_id']}"
        case "imports.events":
            return str(body["job_id"])
        case "invoices.documents":
            return str(body["request_id"])
    return f"{env}:{body.get('account', '')}"
