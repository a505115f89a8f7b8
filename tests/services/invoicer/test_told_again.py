"""deploy/postgres/tell-invoices-again.sql: what was told of money is told once more, as it was."""

from collections.abc import Iterable
from pathlib import Path

from runtime.answers import Answer
from schemas.base import Message
from schemas.wire import decode
from tests.services.invoicer.test_corrections import correct
from tests.services.invoicer.test_payments import payment, refund
from tests.services.invoicer.world import BEER, LUNCH, World, reversal, said, sale

SCRIPT = Path(__file__).parents[3] / "deploy" / "postgres" / "tell-invoices-again.sql"
MONEY = {"invoice.issued", "credit_note.issued", "payment.received", "payment.refunded"}


def by_id(answers: Iterable[Answer]) -> dict[str, tuple[str, str, Message]]:
    return {a.id: (a.topic, a.key, decode(a.topic, a.value)) for a in answers if a.type in MONEY}


async def again(world: World) -> list[Answer]:
    """What the script leaves to be published."""
    async with world.bench.database.connection() as connection:
        await connection.execute(SCRIPT.read_text())
        rows = await connection.fetch(
            "SELECT topic, key, ce_id, ce_type, ce_time, value FROM unpublished ORDER BY id"
        )
    return [Answer(*row) for row in rows]


async def test_all_that_moved_money_is_told_again_as_it_was_and_nothing_else(world: World) -> None:
    """A run's invoices and its credit note, which are worded from rows; and what commands made."""
    await world.guests("A1", "A2", "A3")
    returned = sale("A2", BEER, LUNCH)
    await world.sell(sale("A1", BEER, LUNCH), sale("A1", BEER), returned)
    ran = await world.run("run", send=False)
    first = said(ran, "invoice.issued")
    one, two = (next(i for i in first if i["account"] == a) for a in ("A1", "A2"))
    ran += await world.command(
        payment(2000, invoice_id=two["invoice_id"]),
        refund(50, invoice_id=two["invoice_id"]),
        correct(one["invoice_id"], reason='"één" te veel'),
    )
    await world.sell(reversal(returned))
    ran += await world.run("run", run_id="july-2", send=False)
    await world.sell(sale("A3", LUNCH))
    ran += await world.run("run", run_id="july-3", mode="draft", send=False)

    told = by_id(ran)
    kinds = [message.type for _, _, message in told.values()]
    assert sorted(kinds) == sorted([*["invoice.issued"] * 3, *["credit_note.issued"] * 2,
                                    "payment.received", "payment.refunded"])  # fmt: skip
    found = await again(world)
    assert by_id(found) == told
    assert len(found) == len(told)
