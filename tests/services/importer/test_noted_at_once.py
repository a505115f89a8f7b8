"""What the registry tells is noted by thousands in one transaction, as it is by hundreds.

Method: two thousand states, older ones among them and out of order, are handed to the handler at
once, as an importer takes them that is behind (docs/decisions/0127).
"""

import uuid
from collections.abc import Sequence
from typing import Any

from schemas.registry import AccountState, CustomerState
from services.importer.handlers.registry import hear_state
from services.importer.settings import Settings
from tests.services.importer.venue import Venue

MANY = 1_000
VENUE = 2890


def states(version: int, company: str) -> list[Any]:
    """A customer and its account, a thousand times."""
    found: list[Any] = []
    for number in range(MANY):
        who = str(uuid.uuid5(uuid.NAMESPACE_URL, str(number)))
        found += [
            CustomerState(
                environment=VENUE, customer_id=who, version=version, erased=False,
                company=f"{company} {number}",
            ),
            AccountState(
                environment=VENUE, account=f"{VENUE}{number:05}", version=version,
                description=company, status="active", limit=version, on_account=True,
                in_overview=True, holder=who, viewers=(),
            ),
        ]  # fmt: skip
    return found


async def noted(venue: Venue) -> tuple[Sequence[Any], Sequence[Any], int]:
    """Customers, accounts, and how many changes were counted."""
    rows = venue.bench.database.fetch
    return (
        await rows(
            "SELECT DISTINCT version, split_part(fields ->> 'company', ' ', 1) FROM customer"
        ),
        await rows("SELECT DISTINCT version, fields ->> 'description' FROM account"),
        (await rows("SELECT changes FROM heard"))[0]["changes"],
    )


async def test_thousands_of_states_are_noted_in_one_transaction(module_venue: Venue) -> None:
    before = (await noted(module_venue))[2]
    assert len(states(1, "Oud")) == 4 * Settings(postgres="postgresql://unused").batch_records
    await module_venue.bench.handle(hear_state, states(1, "Oud"))
    customers, accounts, changes = await noted(module_venue)
    assert [tuple(r) for r in customers] == [tuple(r) for r in accounts] == [(1, "Oud")]
    assert changes - before == 2 * MANY
    # The newest of each stays, wherever it stands among older ones; what is old changes nothing.
    await module_venue.bench.handle(hear_state, [*states(3, "Nieuw"), *states(2, "Later")])
    await module_venue.bench.handle(hear_state, states(1, "Oud"))
    customers, accounts, after = await noted(module_venue)
    assert [tuple(r) for r in customers] == [tuple(r) for r in accounts] == [(3, "Nieuw")]
    assert after - changes == 2 * MANY
    counts = await module_venue.bench.database.fetch(
        "SELECT (SELECT count(*) FROM customer), (SELECT count(*) FROM account)"
    )
    assert tuple(counts[0]) == (MANY, MANY)
