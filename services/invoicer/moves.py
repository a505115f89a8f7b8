"""Sales that a correction takes off an account: the second half, when their reversal came back."""

from collections.abc import Iterable, Sequence

from asyncpg import Record

from runtime.answers import Answer, answer
from runtime.transaction import Tx
from schemas.pos import (
    GivenLine,
    ReversedLine,
    SaleRecorded,
    SaleReversalRefused,
    SaleReversed,
)
from schemas.values import account_key, line_total
from services.invoicer.store import requests, sales


async def finish(
    tx: Tx, reversed_: Sequence[SaleReversed], refused: Sequence[SaleReversalRefused]
) -> Iterable[Answer]:
    """Let go of what was held, and record on its new account what is being moved.

    Where a reversal of ours was refused the sale stays where it was and can be invoiced again.
    """
    came_back = [(m.environment, m.cancellation_id) for m in reversed_]
    ours = await sales.moved(
        tx, [*came_back, *((m.environment, m.cancellation_id) for m in refused)]
    )
    if not ours:
        return ()
    await sales.release(tx, ours)
    answers: list[Answer] = []
    for said in {(m.environment, m.cancellation_id): m for m in reversed_}.values():
        move = ours.get((said.environment, said.cancellation_id))
        if move is not None and move["new_sale_id"] is not None and said.lines:
            answers += await _record_elsewhere(tx, said, move)
    return answers


async def _record_elsewhere(tx: Tx, said: SaleReversed, move: Record) -> Sequence[Answer]:
    recalled = await requests.recall(tx, said.environment, "move", said.cancellation_id)
    if recalled is not None:
        return recalled.answers
    recorded = SaleRecorded(
        sale_id=move["new_sale_id"],
        environment=said.environment,
        terminal=move["terminal"],
        account=move["to_account"],
        at=move["booked_at"],
        currency=move["currency"],
        total=said.amount,
        lines=tuple(await _lines(tx, said)),
        moved_from=said.sale_id,
    )
    answers = [
        answer(
            "pos.sales",
            account_key(said.environment, recorded.account),
            recorded,
            id=f"sale.recorded/{said.environment}/{recorded.sale_id}",
            time=said.decided_at,
        )
    ]
    await requests.remember(tx, said.environment, "move", said.cancellation_id, b"", answers)
    return answers


async def _lines(tx: Tx, said: SaleReversed) -> list[GivenLine]:
    """What was taken off, as lines of a sale: the sale's own where all of it was."""
    whole = await sales.lines(tx, said.environment, said.sale_id)
    if sum(line.total for line in whole) == said.amount:
        return whole
    return [_as_sold(line) for line in said.lines]


def _as_sold(line: ReversedLine) -> GivenLine:
    quantity, price = line.quantity, line.unit_price
    if quantity is None or price is None or line_total(quantity, price) != line.total:
        quantity, price = "1", line.total
    return GivenLine(
        description=line.description,
        product=line.product,
        quantity=quantity,
        unit_price=price,
        vat_rate=line.vat_rate,
        total=line.total,
    )
