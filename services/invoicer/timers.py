"""The clock: it only asks for the runs that are due, as anyone could."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from runtime.answers import Answer, answer
from runtime.timers import Timer
from runtime.transaction import Tx
from schemas.invoices import InvoicesRun
from services.invoicer.schedule import due
from services.invoicer.store import registry


async def due_runs(tx: Tx) -> Iterable[Answer]:
    """An invoices.run for each environment whose schedule fell due and was not answered yet.

    Its id is made from what is due, so that it is made once however often it is asked for.
    """
    asked: list[Answer] = []
    for scheduled in await registry.scheduled(tx):
        environment = scheduled.environment
        schedule = environment.schedule
        if schedule is None:
            continue
        found = due(
            environment.environment,
            day=schedule.day,
            hour=schedule.hour,
            zone=ZoneInfo(environment.time_zone),
            now=tx.now,
            since=scheduled.since,
        )
        if found is None or found.run_id in scheduled.runs:
            continue
        run = InvoicesRun(
            run_id=found.run_id,
            environment=environment.environment,
            period=found.period,
            mode=schedule.mode,
            send=schedule.send,
            by="schedule",
        )
        key = str(environment.environment)
        name = f"invoices.run/{key}/{found.run_id}"
        asked.append(answer("invoices.commands", key, run, id=name, time=found.at))
    return asked


SCHEDULE = Timer(name="schedule", every_s=20, due=due_runs)
