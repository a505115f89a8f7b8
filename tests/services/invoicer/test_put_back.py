"""A store put back to before a job's steps: no number is given twice, and nothing is mailed again.

Steps move no position of what the invoicer is asked; what it told does (decision 107).
"""

import asyncio

from cli.stack.postgres import Postgres
from runtime import topics
from tests.runtime.rig import until
from tests.runtime.test_put_back import copied, put_back
from tests.services.invoicer.test_worker import events, send, working
from tests.services.invoicer.world import BEER, account, asked, customer, environment, new_id, sale
from tests.support import databases
from tests.support.mails import MailServer
from tests.support.servers import Server

NOWHERE = "127.0.0.1:1"


async def test_what_jobs_told_after_the_copy_stops_the_invoicer_that_forgot_it(
    own_kafka: Server, own_postgres: Server, smtp: MailServer
) -> None:
    """Mails wait for their server when the copy is made, and go out after it: nothing is asked in
    between. With the copy back they would all go out a second time."""
    kafka, component = own_kafka.address, own_postgres.component
    assert isinstance(component, Postgres)
    await topics.apply({"bootstrap_servers": kafka})
    dsn = (await databases.copy_template(component)).dsn("invoicer")
    names = {f"B{n}": new_id() for n in range(3)}
    await send(kafka, "pos.decisions", *(sale(name, BEER) for name in names))
    people = [customer(one) for one in names.values()]
    accounts = [account(name, one) for name, one in names.items()]
    await send(kafka, "registry.state", environment(), *people, *accounts)
    await send(kafka, "invoices.commands", asked())
    async with working(kafka, dsn, NOWHERE) as worker:
        await events(kafka, "invoices.events", "run.completed", 1)
        await until(lambda: told(worker) >= 4, "it has read what it told: issued, completed")
    await own_postgres.stop()
    early = component.folder / "early"
    copied(component.data, early)
    await own_postgres.start()

    async with working(kafka, dsn, smtp.address) as worker:
        assert len(await events(kafka, "invoices.events", "invoice.sent", 3)) == 3
        await until(lambda: told(worker) >= 7, "it has read what it told: sent")
    await put_back(own_postgres, early, keep="newest")
    async with working(kafka, dsn, smtp.address) as worker:
        said = "PostgreSQL knows topic invoices.events partition "
        await until(lambda: said in str(worker.status.unready()), "it says so")
        await asyncio.sleep(2)
        assert worker.status.dead() == []
    assert len(smtp.mails) == 3


def told(worker: object) -> int:
    """How much of invoices.events is decided, as the worker knows."""
    positions = worker._guard.positions()  # type: ignore[attr-defined]
    return sum(at for place, at in positions.items() if place[0] == "invoices.events")
