"""An exception at each await of the edge: nothing is lost, nothing counted twice, all goes on.

Method: one worker, and a plan that raises at the first, second, third ... point that a batch
passes, until a batch passes all of them. Points lie before and after each await, so that "it was
not done" and "it was done but we did not hear" both happen everywhere, the commit included.
"""

from dataclasses import replace
from typing import Any

import pytest

from tests.runtime.faulty import FailingProducer, Plan, failing_database, failing_lane
from tests.runtime.rig import Rig, once_each, sale, until


@pytest.mark.parametrize("way", ["a batch", "in pieces", "at once"])
async def test_an_exception_at_each_await_loses_nothing_and_counts_nothing_twice(
    rig: Rig, way: str
) -> None:
    account, plan, seen = f"each-await-{way}", Plan(), list[str]()
    sent: list[str] = []
    failing = failing_lane(plan)

    class InPieces(failing):  # type: ignore[misc,valid-type]
        """A record a transaction, the next decided while the one before is published."""

        def __init__(self, **given: Any) -> None:
            super().__init__(**{**given, "lane": replace(given["lane"], max_bytes=1)})

    worker = rig.worker(
        barrier=("pos.decisions",),
        lane_type=InPieces if way == "in pieces" else failing,
        at_once=way == "at once",
        in_hand=4 if way == "in pieces" else 1,
        database_type=failing_database(plan),
        producer=lambda client: FailingProducer(plan, client),
    )
    async with rig.wire() as wire, worker as running:
        await until(lambda: not running.status.unready(), "it is ready")
        lane = running.lanes[0]
        for point in range(1, 200):
            batch = [sale(account), sale(account)]
            plan.arm(point)
            await wire.send(*batch, batch[0])
            sent += [s["sale_id"] for s in batch]
            await wire.answered(s["sale_id"] for s in batch)
            await lane.idle()
            if plan.fired is None:
                break
            seen.append(plan.fired)
        else:
            raise AssertionError("there is no end of points")
        assert running.status.unready() == []
    of_a_transaction = () if way == "at once" else ("begin", "execute", "commit")
    for name in (*of_a_transaction, "fetch", "send", "committed", "end_offsets"):
        assert f"before {name}" in seen
        assert f"after {name}" in seen
    assert "acknowledged" in seen
    assert await rig.counted(account) == (len(sent), 500 * len(sent))
    found = await rig.answers(account)
    assert set(found) == set(sent)
    once_each(found)
