"""Sales, their lines and their reversals."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from asyncpg import Record

from runtime.arrays import columns
from runtime.sql import statements
from runtime.transaction import Tx
from schemas.pos import GivenLine, SaleApproved, SaleDeclined, SaleReversed
from services.invoicer.reversals import SoldLine, TakenLine, apply
from services.invoicer.store.registry import as_json

sql = statements("services.invoicer", "sql/sales.sql")

SaleKey = tuple[int, str]


async def record(tx: Tx, approved: Sequence[SaleApproved]) -> None:
    """Add the sales that are not there yet, with their lines."""
    by_id = {(m.environment, m.sale_id): m for m in approved}
    if not by_id:
        return
    rows = by_id.values()
    lines = [
        (
            place, number, line.description, line.product, line.quantity, line.unit_price,
            line.vat_rate, line.total,
        )
        for place, m in enumerate(rows, start=1)
        for number, line in enumerate(m.lines)
    ]  # fmt: skip
    await tx.execute(
        sql.add_sales,
        [m.environment for m in rows],
        [m.sale_id for m in rows],
        [m.account for m in rows],
        [m.terminal for m in rows],
        [m.booked_at for m in rows],
        [m.currency for m in rows],
        [m.total for m in rows],
        *map(list, zip(*lines, strict=True)),
    )


async def record_reversals(tx: Tx, reversed_: Sequence[SaleReversed]) -> None:
    """Add the reversals that are not there yet; they wait until they are applied."""
    by_id = {(m.environment, m.cancellation_id): m for m in reversed_}
    if by_id:
        rows = by_id.values()
        await tx.execute(
            sql.add_reversals,
            [m.environment for m in rows],
            [m.cancellation_id for m in rows],
            [m.sale_id for m in rows],
            [m.account for m in rows],
            [m.amount for m in rows],
            [m.decided_at for m in rows],
            [as_json([_taken(line) for line in m.lines]) for m in rows],
            [str(m.reason) for m in rows],
        )


async def record_declined(tx: Tx, declined: Sequence[SaleDeclined]) -> None:
    """Keep why sales were declined; the first reason stays."""
    if declined:
        await tx.execute(
            sql.add_declined,
            [m.environment for m in declined],
            [m.sale_id for m in declined],
            [m.account for m in declined],
            [str(m.reason) for m in declined],
            [m.decided_at for m in declined],
        )


def _taken(line: object) -> dict[str, object]:
    names = ("description", "product", "vat_rate", "total", "quantity", "unit_price")
    return {name: getattr(line, name) for name in names}


async def apply_waiting(tx: Tx, of: Iterable[SaleKey]) -> None:
    """Apply the waiting reversals of these sales, as far as the sales are there.

    One without lines took nothing, and may have been said of another account than its sale's,
    before that came: that account is not locked here, so its sale is not touched.
    """
    keys = sorted(set(of))
    waiting = await tx.fetch(sql.waiting_reversals, *columns(keys))
    if not waiting:
        return
    taken: dict[SaleKey, list[list[TakenLine]]] = defaultdict(list)
    for r in waiting:
        if lines := [TakenLine(**line) for line in json.loads(r["lines"])]:
            taken[r["environment"], r["sale_id"]].append(lines)
    if taken:
        await _take_off_lines(tx, taken)
    await tx.execute(
        sql.reversals_applied,
        [r["environment"] for r in waiting],
        [r["cancellation_id"] for r in waiting],
    )


async def _take_off_lines(tx: Tx, taken: Mapping[SaleKey, Sequence[Sequence[TakenLine]]]) -> None:
    rows = await tx.fetch(sql.sold_lines, *columns(taken))
    changed: list[tuple[int, str, int, int]] = []
    sums: list[tuple[int, str, int]] = []
    for key, group in groupby(rows, key=lambda r: (r["environment"], r["sale_id"])):
        after = apply([_sold(r) for r in group], taken[key])
        changed += [(*key, i, line.reversed) for i, line in enumerate(after)]
        sums.append((*key, sum(line.reversed for line in after)))
    await tx.execute(sql.set_reversed, *map(list, zip(*changed, strict=True)))
    await tx.execute(sql.sum_reversed, *map(list, zip(*sums, strict=True)))


def _sold(r: Record) -> SoldLine:
    return SoldLine(
        description=r["description"],
        product=r["product"],
        quantity=r["quantity"],
        unit_price=r["unit_price"],
        vat_rate=r["vat_rate"],
        approved=r["approved"],
        reversed=r["reversed"],
    )


async def lines(tx: Tx, environment: int, sale_id: str) -> list[GivenLine]:
    """A sale's lines as they were sold."""
    return [
        GivenLine(
            description=r["description"],
            product=r["product"],
            quantity=r["quantity"],
            unit_price=r["unit_price"],
            vat_rate=r["vat_rate"],
            total=r["approved"],
        )
        for r in await tx.fetch(sql.sold_lines, [environment], [sale_id])
    ]


async def moved(tx: Tx, cancellations: Sequence[SaleKey]) -> dict[SaleKey, Record]:
    """Those of these cancellations that corrections made, with sale and destination."""
    if not cancellations:
        return {}
    rows = await tx.fetch(sql.moved_sales, *columns(cancellations))
    return {(r["environment"], r["cancellation_id"]): r for r in rows}


async def release(tx: Tx, cancellations: Iterable[SaleKey]) -> None:
    """Their sales are no longer held."""
    await tx.execute(sql.release, *columns(sorted(cancellations)))


async def take_off(
    tx: Tx, environment: int, moves: Sequence[tuple[str, str, str | None, str | None]]
) -> None:
    """Hold sales until their cancellation came back.

    `moves` are (cancellation_id, sale_id, new_sale_id, to_account); the last two None: left out.
    """
    if moves:
        cancellations, sale_ids, new_ids, accounts = map(list, zip(*moves, strict=True))
        await tx.execute(sql.add_moved, environment, cancellations, sale_ids, new_ids, accounts)
        await tx.execute(sql.hold, environment, sale_ids, cancellations)


async def terminals(tx: Tx, environment: int, sale_ids: Sequence[str]) -> dict[str, str]:
    """Where these sales were made."""
    rows = await tx.fetch(sql.terminals, environment, list(sale_ids))
    return {r["sale_id"]: r["terminal"] for r in rows}
