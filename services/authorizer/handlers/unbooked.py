"""Which sales that could not be booked are to be told of: pos.unbooked.

A sale.recorded may come onto the list, or take itself and the sale that it was moved from off it;
a cancellation that took nothing back may take a sale off it. Told for repetitions too: who decided
may have died before the state was told. Nearly all that tills send is passed over at a glance.
"""

from __future__ import annotations

from collections.abc import Iterable

from runtime.answers import Answer
from runtime.incoming import Incoming
from runtime.transaction import Tx
from schemas.malformed import Malformed
from schemas.pos import SaleCancelled, SaleRecorded, SaleRequested
from services.authorizer.store.unbooked import KIND

REVERSED = "sale.reversed"
OF_NOTHING = b'"amount":0,'
"""As sale.reversed has it; within a text of it the quotes would be escaped."""


def tell_unbooked(incoming: Iterable[Incoming], spoken: Iterable[Answer], tx: Tx) -> None:
    """Let the state be told of each sale that this batch may have put on the list or taken off."""
    for record, answer in zip(incoming, spoken, strict=True):
        message = record.message
        if isinstance(message, SaleRequested):
            continue
        if isinstance(message, Malformed):
            if message.type == "sale.recorded":
                tx.touch(KIND, int(message.ids["environment"]), str(message.ids["sale_id"]))
        elif isinstance(message, SaleCancelled):
            if answer.type != REVERSED or OF_NOTHING in answer.value:
                tx.touch(KIND, message.environment, message.sale_id)
        elif isinstance(message, SaleRecorded):
            tx.touch(KIND, message.environment, message.sale_id)
            if message.moved_from is not None:
                tx.touch(KIND, message.environment, message.moved_from)
