"""Which sales that could not be booked are to be told of: pos.unbooked.

A sale.recorded may come onto the list, or take itself and the sale that it was moved from off it;
a cancellation takes off what its till takes back. Told for repetitions too: who decided may have
died before the state was told. Sales that were asked for (nearly all) cost one look at their type.
"""

from __future__ import annotations

from collections.abc import Iterable

from runtime.incoming import Incoming
from runtime.transaction import Tx
from schemas.malformed import Malformed
from schemas.pos import SaleCancelled, SaleRecorded, SaleRequested
from services.authorizer.store.unbooked import KIND


def tell_unbooked(incoming: Iterable[Incoming], tx: Tx) -> None:
    """Let the state be told of each sale that this batch may have put on the list or taken off."""
    for record in incoming:
        message = record.message
        if isinstance(message, SaleRequested):
            continue
        if isinstance(message, Malformed):
            if message.type == "sale.recorded":
                tx.touch(KIND, int(message.ids["environment"]), str(message.ids["sale_id"]))
        elif isinstance(message, SaleRecorded | SaleCancelled):
            tx.touch(KIND, message.environment, message.sale_id)
            if isinstance(message, SaleRecorded) and message.moved_from is not None:
                tx.touch(KIND, message.environment, message.moved_from)
