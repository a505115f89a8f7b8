"""pos.decisions: what was sold, and what was taken back.

Takes sale.approved, sale.declined, sale.reversed and (for corrections of ours)
sale.reversal_refused, in any order and any number of times. A reversal that comes before its sale
waits for it. When a sale that is being moved came back, it is recorded on the other account
(sale.recorded on pos.sales). Of what was declined only the reason is kept, for whoever asks why a
sale is not invoiced: approved beats declined.
"""

from collections.abc import Iterable, Sequence

from runtime.answers import Answer
from runtime.incoming import Incoming
from runtime.transaction import Tx
from schemas.pos import SaleApproved, SaleDeclined, SaleReversalRefused, SaleReversed
from services.invoicer import moves
from services.invoicer.store import registry, sales


async def handle(messages: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
    """Lock the accounts, record what is new, apply the reversals whose sales are there."""
    said = [incoming.message for incoming in messages]
    approved = [m for m in said if isinstance(m, SaleApproved)]
    reversed_ = [m for m in said if isinstance(m, SaleReversed)]
    refused = [m for m in said if isinstance(m, SaleReversalRefused)]
    both: list[SaleApproved | SaleReversed] = [*approved, *reversed_]
    await registry.lock_accounts(tx, ((m.environment, m.account) for m in both), add=True)
    await sales.record(tx, approved)
    await sales.record_declined(tx, [m for m in said if isinstance(m, SaleDeclined)])
    await sales.record_reversals(tx, reversed_)
    await sales.apply_waiting(tx, {(m.environment, m.sale_id) for m in both})
    return await moves.finish(tx, reversed_, refused)
