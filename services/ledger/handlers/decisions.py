"""What the authorizer decided (pos.decisions).

Takes sale.approved and sale.reversed, answers entry.posted (charge, reversal), and changes the
journal and the account's unbilled amount. sale.declined and sale.reversal_refused move nothing
and are skipped by the edge. Approved beats declined by itself: only the approval makes a journal.
A sale is approved once. Should it be told twice all the same, with other times (the authorizer's
database was put back), there is one journal.
"""

from schemas.pos import SaleApproved, SaleReversed
from services.ledger import domain
from services.ledger.domain import Event, Journal
from services.ledger.handlers.posting import posts, posts_at_once

TAKES = (SaleApproved, SaleReversed)


def journal_of(message: SaleApproved | SaleReversed) -> Journal:
    """The charge or the reversal; without legs where nothing was charged or taken back."""
    lines = [(line.vat_rate, line.total) for line in message.lines]
    match message:
        case SaleApproved():
            return domain.charge(
                Event(
                    environment=message.environment,
                    account=message.account,
                    source_id=message.sale_id,
                    at=message.booked_at,
                    currency=message.currency,
                ),
                message.total,
                lines,
            )
        case SaleReversed():
            return domain.reversal(
                Event(
                    environment=message.environment,
                    account=message.account,
                    source_id=message.cancellation_id,
                    refers_to=message.sale_id,
                    at=message.decided_at,
                    currency=message.currency,
                ),
                message.amount,
                lines,
            )


handle = posts(journal_of)
handle_at_once = posts_at_once(journal_of)
