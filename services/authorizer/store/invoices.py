"""What invoices and payments add to the sums, each event once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from runtime.arrays import array, columns
from runtime.sql import statements
from runtime.transaction import Tx
from schemas.billing import InvoicedSale

sql: Final = statements("services.authorizer", "sql/invoices.sql")

KINDS: Final = ("issued", "credited", "paid", "refunded")


class Effect(NamedTuple):
    """One event: the sum (`kind`) that it adds `amount` to, minor units. `id` is its own.

    `sales`: how much of which sales an invoice or a credit note is about; None for a payment.
    """

    environment: int
    kind: str
    id: str
    account: str
    amount: int
    sales: Sequence[InvoicedSale] | None = None

    @property
    def sale_ids(self) -> str | None:
        """As PostgreSQL writes an array: unnest takes no rows of several lengths."""
        return None if self.sales is None else array(one.sale_id for one in self.sales)

    @property
    def amounts(self) -> str | None:
        return None if self.sales is None else array(str(one.amount) for one in self.sales)


async def record(tx: Tx, effects: Sequence[Effect]) -> None:
    """Record what is new, and add that to the sums of the accounts that are open.

    The accounts are locked first. An account that is opened meanwhile by another worker can't be
    locked, but its environment's commands are decided under a lock that this takes, too.
    """
    keys = {(e.environment, e.account): None for e in effects}
    await tx.fetch(sql.share_environments, sorted({environment for environment, _ in keys}))
    await tx.fetch(sql.lock_accounts, *columns(keys))
    by_id = {(e.environment, e.kind, e.id): e for e in effects}.values()
    rows = await tx.fetch(
        sql.record_effects,
        [e.environment for e in by_id],
        [e.kind for e in by_id],
        [e.id for e in by_id],
        [e.account for e in by_id],
        [e.amount for e in by_id],
        [e.sale_ids for e in by_id],
        [e.amounts for e in by_id],
    )
    sums: dict[tuple[int, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(KINDS, 0))
    for r in rows:
        sums[r["environment"], r["account"]][r["kind"]] += r["amount"]
    if sums:
        await tx.execute(
            sql.add_to_sums,
            *columns(sums),
            *([one[kind] for one in sums.values()] for kind in KINDS),
        )
