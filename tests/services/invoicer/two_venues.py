"""Two venues with the same accounts, ids and numbers, and what changes in them."""

import json
from typing import Any

from tests.services.invoicer.world import (
    BEER,
    ENV,
    LUNCH,
    World,
    account,
    customer,
    environment,
    new_id,
    said,
    sale,
)

OTHER = ENV + 1
KEYS = {
    "sale": ("sale_id",),
    "sale_line": ("sale_id", "line"),
    "reversal": ("cancellation_id",),
    "invoice": ("invoice_id",),
    "invoice_line": ("invoice_id", "position"),
    "credit_note": ("credit_note_id",),
    "payment": ("payment_id",),
    "number": ("number",),
    "series": ("series", "year"),
    "run": ("run_id",),
    "run_item": ("run_id", "account"),
}
EVERYTHING = "\nUNION ALL ".join(
    f"SELECT '{table}', to_jsonb(t)::text FROM {table} AS t" for table in KEYS
)
Changed = set[tuple[Any, ...]]


async def rows(world: World) -> dict[tuple[Any, ...], str]:
    found = {}
    for table, text in await world.fetch(EVERYTHING):
        row = json.loads(text)
        row.pop("changed_at", None)
        key = (table, row["environment"], *(row[name] for name in KEYS[table]))
        found[key] = json.dumps(row, sort_keys=True)
    return found


async def changed(world: World, before: dict[tuple[Any, ...], str]) -> Changed:
    """What was there before and is no more as it was."""
    after = await rows(world)
    return {key for key, text in before.items() if after.get(key) != text}


def of_venue(found: Changed, table: str) -> set[Any]:
    assert all(key[1] == ENV for key in found)
    return {key[2] if len(key) == 3 else key[2:] for key in found if key[0] == table}


async def two_venues(world: World) -> dict[str, Any]:
    """In both venues three accounts, each with two sales of two lines, under the same ids."""
    people = {name: new_id() for name in ("A1", "A2", "A3")}
    sold = {f"{name}/{i}": new_id() for name in people for i in (1, 2)}
    for number in (ENV, OTHER):
        await world.registry(
            environment(number, credit_note_format="C{year}-{seq:03}"),
            *(customer(one, number) for one in people.values()),
            *(account(name, one, number) for name, one in people.items()),
        )
        await world.sell(
            *(
                sale(key[:2], BEER, LUNCH, number=number, sale_id=one).model_copy(
                    update={"terminal": f"till-{number}"}
                )
                for key, one in sold.items()
            )
        )
    return sold


async def issued(world: World, **changes: Any) -> dict[tuple[int, str], dict[str, Any]]:
    told = said(await world.run("run", send=False, **changes), "invoice.issued")
    return {(one["environment"], one["account"]): one for one in told}


async def mail(
    world: World, state: str, ref: str, *, number: int = ENV, to: str = "a", **changes: Any
) -> None:
    """Note that one was sent, failed or waits."""
    values = {"kind": "invoice", "copy": False, **changes}
    await world.fetch(
        "INSERT INTO mail (environment, mail_id, kind, ref, recipient, copy, state, message_id,"
        " ended_at) VALUES ($1, gen_random_uuid(), $2, $3, $6, $4, $5, 'm',"
        " CASE WHEN $5 <> 'pending' THEN now() END)",
        number, values["kind"], ref, values["copy"], state, to,
    )  # fmt: skip
