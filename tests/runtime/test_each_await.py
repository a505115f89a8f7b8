"""An exception at each await of the edge: nothing is lost, nothing counted twice, all goes on.

Method: one worker, and a plan that raises at the first, second, third ... point that a batch
passes, until a batch passes all of them. Points lie before and after each await, so that "it was
not done" and "it was done but we did not hear" both happen everywhere, the commit included.
"""

from tests.runtime.faulty import FailingProducer, Plan, failing_database, failing_lane
from tests.runtime.rig import Rig, once_each, sale, until


async def test_an_exception_at_each_await_loses_nothing_and_counts_nothing_twice(rig: Rig) -> None:
    account, plan, seen = "each-await", Plan(), list[str]()
    sent: list[str] = []
    worker = rig.worker(
        barrier=("pos.decisions",),
        lane_type=failing_lane(plan),
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
    for name in ("begin", "fetch", "execute", "commit", "send", "committed", "end_offsets"):
        assert f"before {name}" in seen
        assert f"after {name}" in seen
    assert "acknowledged" in seen
    assert await rig.counted(account) == (len(sent), 500 * len(sent))
    found = await rig.answers(account)
    assert set(found) == set(sent)
    once_each(found)
