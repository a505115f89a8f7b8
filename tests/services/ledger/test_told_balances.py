"""What is told of a balance without reading it again.

Goal: it is what its row says, byte for byte. Method: rows are read after the commit and worded.
"""

from services.ledger import states
from services.ledger.domain import AccountKey
from services.ledger.handlers import decisions, invoices
from tests.services.ledger.support import (
    GUEST,
    approved,
    issued,
    ledger,
    paid,
    refunded,
    reversed_,
)
from tests.support.databases import Database
from tests.support.handlers import HandlerBench

OTHER = "28900077"


async def told(bench: HandlerBench, sales: list[object], bills: list[object]) -> set[str]:
    """One transaction of both topics; gives the accounts that are told unread."""
    async with bench.transaction() as tx:
        await decisions.handle([bench.incoming(m) for m in sales], tx)
        await invoices.handle([bench.incoming(m) for m in bills], tx)
    known = {key: row for (_, key), row in tx.touched.items() if row is not None}
    async with bench.database.connection() as connection:
        rows = await states.read(connection, list(known))
    assert {key: (version, worded()) for key, (version, worded) in rows.items()} == {
        key: (version, worded()) for key, (version, worded) in known.items()
    }
    return {AccountKey(*key).account for key in known}


async def test_a_balance_is_told_as_its_row_stands(postgres: Database) -> None:
    async with ledger(postgres) as bench:
        # A new account, one that has entries, both topics at once, and money out.
        assert await told(bench, [approved("s1", {"21": 250})], []) == {GUEST}
        sales = [approved("s2", {"9": 1210}), approved("s3", {"0": 5}, account=OTHER)]
        assert await told(bench, sales, [issued("i1", {"21": 250})]) == {GUEST, OTHER}
        bills = [paid("p1", "i1", 300), refunded("r1", "i1", 50)]
        assert await told(bench, [reversed_("c1", "s2", {"9": 10})], bills) == {GUEST}
        # Of what was posted before nothing is known: its row is read.
        assert await told(bench, [sales[0]], []) == set()
