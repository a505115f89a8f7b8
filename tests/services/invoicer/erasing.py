"""A guest whose name nobody else has, erased; and where in the database that name stands."""

from collections.abc import Awaitable, Callable
from typing import Any

from schemas.registry import CustomerState
from services.invoicer.rendering import Rendering
from tests.services.invoicer.world import (
    ENV,
    World,
    account,
    customer,
    environment,
    new_id,
    said,
    sale,
)

TABLES = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'invoicer'::regnamespace AND relkind = 'r'"
)


async def places(world: World, word: str) -> list[str]:
    """The tables in which a word stands."""
    found = []
    for row in await world.fetch(TABLES):
        name = row["relname"]
        query = f"SELECT FROM {name} AS t WHERE t::text ILIKE $1 LIMIT 1"
        if name != "migration" and await world.fetch(query, f"%{word}%"):
            found.append(name)
    return sorted(found)


def swallow(customer_id: str, **changes: Any) -> CustomerState:
    """A guest whose name and address nobody else has."""
    fields = {"first_name": "Zwaluw", "last_name": "Zwaluw", "email": "zwaluw@club.example"}
    return customer(customer_id, **{**fields, **changes})


def gone(customer_id: str, version: int = 9) -> CustomerState:
    return CustomerState(environment=ENV, customer_id=customer_id, version=version, erased=True)


async def held(world: World, *names: str) -> str:
    """Accounts of one guest, with something sold on each; gives who it is."""
    one = new_id()
    await world.registry(environment(), swallow(one), *(account(name, one) for name in names))
    await world.sell(*(sale(name) for name in names))
    return one


async def erase(world: World, one: str, *names: str) -> None:
    """As the registry tells it: untied, and then nobody."""
    await world.registry(*(account(name, None, version=9) for name in names), gone(one))


async def files(world: World) -> int:
    return len(await world.fetch("SELECT FROM document"))


async def drafted(world: World, **changes: Any) -> str:
    (draft,) = said(await world.run(mode="draft", **changes), "invoice.drafted")
    return str(draft["invoice_id"])


class Meanwhile(Rendering):
    """Renders, and lets something happen before it is done."""

    def __init__(self, then: Callable[[], Awaitable[None]]) -> None:
        super().__init__(0)
        self.then: Callable[[], Awaitable[None]] | None = then

    async def call(self, function: Callable[..., Any], *args: Any) -> Any:
        made = await super().call(function, *args)
        if self.then is not None:
            then, self.then = self.then, None
            await then()
        return made
