"""Of an erased customer what need not be kept goes, and what was issued stays.

Method: every table of the invoicer's schema is searched for the guest's name and address.
"""

import asyncio
import json

import asyncpg
import pytest

from runtime.work import Work
from services.invoicer.handlers import commands, registry
from services.invoicer.jobs.delivery import Delivery
from services.invoicer.jobs.forget import ACCOUNTS_A_STEP, FORGET, MOST_LEFT
from services.invoicer.jobs.statements import Statements
from services.invoicer.store import documents
from tests.services.invoicer.erasing import (
    Meanwhile,
    drafted,
    erase,
    files,
    gone,
    held,
    places,
    swallow,
)
from tests.services.invoicer.test_crashes import FailingDatabase
from tests.services.invoicer.test_documents import joined
from tests.services.invoicer.test_documents import request as document
from tests.services.invoicer.test_drafts import approve, delete
from tests.services.invoicer.test_statements import request as statement
from tests.services.invoicer.world import (
    ENV,
    World,
    account,
    customer,
    new_id,
    reversal,
    said,
    sale,
    types,
)
from tests.support.databases import Database
from tests.support.mails import MailServer


async def test_statements_of_an_erased_customer_go_with_the_addresses_they_went_to(
    world: World, smtp: MailServer
) -> None:
    """Answered, mailed to the holder, to another address, refused by the mail server."""
    one = await held(world, "A1", "A2")
    smtp.answers["zwaluw@typo.example"] = "550 5.1.1 no zwaluw here"
    asked = [
        statement(to=to) for to in (None, "holder", "zwaluw@work.example", "zwaluw@typo.example")
    ]
    await world.command(*asked, statement(account="A2"))
    await world.jobs()
    assert await places(world, "zwaluw") == ["customer", "job", "mail", "statement"]
    await erase(world, one, "A1", "A2")
    assert await world.jobs() == []
    assert (await places(world, "zwaluw"), await files(world)) == ([], 0)
    assert len(smtp.mails) == 2
    again = [await world.command(each) for each in asked]
    assert [types(told) for told in again] == [["command.applied"]] * 4
    assert await world.jobs() == []


async def test_who_was_a_viewer_once_is_forgotten_too_and_so_is_who_held_it_before(
    world: World, smtp: MailServer
) -> None:
    one, eye, other = await held(world, "A1"), new_id(), new_id()
    viewed = account("A1", one, version=2).model_copy(update={"viewers": (eye,)})
    await world.registry(
        customer(eye, first_name="Merel", email="merel@club.example"),
        customer(other, first_name="Vink", email="vink@club.example"),
        viewed,
    )
    await world.command(statement(to="viewers"))
    await world.jobs()
    await world.registry(account("A1", other, version=3))
    await world.command(statement(to="holder"))
    await world.jobs()
    assert await places(world, "merel") == ["customer", "job", "mail"]
    await world.registry(gone(eye))
    await world.jobs()
    assert await places(world, "merel") == []
    await world.registry(gone(one))
    await world.jobs()
    assert await places(world, "zwaluw") == []
    assert await places(world, "vink") == ["customer"]  # its statements were of the account too


async def test_what_was_issued_stays_with_its_files_and_whom_it_was_mailed_to(
    world: World,
) -> None:
    one = await held(world, "A1", "A2")
    draft = await drafted(world, accounts=("A1",), send=False)
    await world.command(document(invoice_id=draft))
    await world.jobs()
    await world.command(approve(draft))
    await world.run(run_id="rest")
    (credited,) = await world.fetch("SELECT invoice_id::text FROM invoice WHERE account = 'A2'")
    await world.command(delete(credited["invoice_id"]))
    await world.jobs()
    rows = "SELECT * FROM document WHERE NOT draft ORDER BY document_id, format"
    kept, mails = await world.fetch(rows), await world.fetch("SELECT * FROM mail ORDER BY mail_id")
    assert (len(kept), await files(world)) == (9, 12)
    await erase(world, one, "A1", "A2")
    await world.jobs()
    assert (await world.fetch(rows), await files(world)) == (kept, 9)
    assert await world.fetch("SELECT * FROM mail ORDER BY mail_id") == mails
    assert await places(world, "zwaluw") == ["invoice", "mail"]
    assert joined(await world.command(document(invoice_id=draft))).startswith(b"%PDF")


async def test_a_draft_that_nobody_can_approve_any_more_goes_and_the_new_holders_stays(
    world: World,
) -> None:
    """A sale that was taken back after it was drafted is nothing that is left to invoice."""
    one, other = await held(world, "A1", "A2", "A3"), new_id()
    await drafted_of_all(world)
    await world.registry(customer(other), *(account(x, other, version=2) for x in ("A2", "A3")))
    again = await drafted(world, run_id="again", accounts=("A3",))
    await world.command(document(invoice_id=again))
    await world.jobs("delivery")
    await world.registry(account("A1", None, version=2), gone(one))
    told = await world.jobs()
    assert [x["account"] for x in said(told, "invoice.deleted")] == ["A1"]
    assert await places(world, "zwaluw") == []
    left = await world.fetch("SELECT account FROM invoice WHERE status = 'draft' ORDER BY account")
    assert ([r["account"] for r in left], await files(world)) == (["A2", "A3"], 3)


@pytest.mark.parametrize("issued", [False, True])
async def test_a_drafts_file_that_was_being_made_is_not_kept_for_its_buyer_of_before(
    world: World, issued: bool
) -> None:
    one, other = await held(world, "A1"), new_id()
    await world.registry(customer(other))
    draft = await drafted(world, send=False)
    await world.command(document(invoice_id=draft, format="ubl"))

    async def erased() -> None:
        if issued:
            await world.command(approve(draft))
        await world.registry(account("A1", other, version=9), gone(one))
        await world.jobs(FORGET.kind)

    told = await world.bench.run_jobs([Delivery(rendering=Meanwhile(erased)).kind()])
    await world.bench.make_due("delivery")
    told += await world.jobs()
    assert (b"Zwaluw" in joined(told)) is issued
    assert await world.fetch("SELECT FROM document WHERE draft AND content LIKE '%Zwaluw%'") == []


@pytest.mark.parametrize("given_up", [False, True])
async def test_a_drafts_files_go_too_where_it_was_issued_a_moment_before(
    world: World, given_up: bool
) -> None:
    """They are needed until it has its own; where these could not be made nobody waits for them."""
    one = await held(world, "A1")
    draft = await drafted(world, send=False)
    asked = document(invoice_id=draft)
    await world.command(asked)
    told = await world.jobs()
    await world.command(approve(draft))
    await erase(world, one, "A1")
    await world.jobs(FORGET.kind)
    assert (await files(world), await world.command(asked)) == (3, told)
    if given_up:
        await world.bench.database.execute(
            "UPDATE job SET state = 'failed', ended_at = now() WHERE kind = 'document'"
        )
    await world.jobs("document")
    await world.bench.make_due(FORGET.kind)
    await world.jobs(FORGET.kind)
    assert await world.fetch("SELECT FROM document WHERE draft") == []
    assert await world.fetch("SELECT FROM job WHERE state = 'open'") == []
    assert await files(world) == (0 if given_up else 3)


async def drafted_of_all(world: World) -> None:
    gone_again = sale("A1")
    await world.sell(gone_again)
    await world.run(mode="draft")
    await world.sell(reversal(gone_again))


@pytest.mark.parametrize("first", ["erased", "untied"])
async def test_in_whatever_order_it_is_heard_of_it_ends_alike(world: World, first: str) -> None:
    one = await held(world, "A1")
    await drafted(world)
    await world.command(statement(to="holder"))
    await world.jobs()
    states = [gone(one), account("A1", None, version=9)]
    for state in states if first == "erased" else reversed(states):
        await world.registry(state)
        await world.jobs()
    assert await places(world, "zwaluw") == []
    # An older state after it, and all of it again.
    await world.registry(swallow(one, version=8), account("A1", one, version=8), *states)
    await world.command(statement(to=None))
    await world.run(mode="draft")
    await world.jobs()
    assert await places(world, "zwaluw") == []


async def test_a_job_of_many_accounts_goes_step_by_step_and_is_taken_up_where_it_was_killed(
    world: World,
) -> None:
    names = [f"A{n:02}" for n in range(2 * ACCOUNTS_A_STEP + 1)]
    one = await held(world, *names)
    await world.command(*(statement(account=name) for name in names))
    await world.jobs()
    await erase(world, one, *names)
    left = []
    while True:
        work = await world.bench.runner([FORGET]).claim(FORGET)
        if work is None:
            break
        await FORGET.run(work)  # one step; then its worker is no more
        await world.bench.make_due(FORGET.kind)
        left.append(await files(world))
    assert left == [41, 21, 1, 0, 0]
    assert await places(world, "zwaluw") == []


async def test_a_mail_that_is_on_its_way_is_waited_for(world: World, smtp: MailServer) -> None:
    more = [f"B{n:02}" for n in range(ACCOUNTS_A_STEP)]  # for steps in which nothing waits
    one = await held(world, "A1", *more)
    smtp.answers["zwaluw@club.example"] = "450 4.2.0 zwaluw is full"
    await world.command(statement(to="holder"), statement())
    await world.jobs()
    await erase(world, one, "A1", *more)
    await world.jobs()
    assert await files(world) == 1  # the answered one's went at once
    smtp.answers.clear()
    await world.bench.make_due("mail")
    await world.jobs("mail")
    assert len(smtp.mails) == 1
    await world.bench.make_due(FORGET.kind)
    await world.jobs()
    assert (await places(world, "zwaluw"), await files(world)) == ([], 0)


async def test_a_statement_that_is_being_made_is_waited_for(world: World) -> None:
    one = await held(world, "A1")
    await world.command(statement())

    async def erased() -> None:
        await erase(world, one, "A1")
        await world.jobs(FORGET.kind)

    await world.bench.run_jobs([Statements(rendering=Meanwhile(erased)).kind()])
    assert await places(world, "zwaluw") == ["statement"]  # it was read before
    await world.bench.make_due(FORGET.kind)
    await world.jobs()
    assert (await places(world, "zwaluw"), await files(world)) == ([], 0)


async def test_a_statement_that_is_asked_for_at_the_same_moment_is_not_missed(
    world: World, smtp: MailServer
) -> None:
    """Its holder was read before, and its job is committed after, the erasure was heard of."""
    one = await held(world, "A1")
    asked = world.bench.incoming(statement(to="holder"))
    async with world.bench.transaction() as tx:
        await commands.handle([asked], tx)
        await world.registry(gone(one))
        forgetting = asyncio.create_task(world.jobs(FORGET.kind))
        await asyncio.sleep(0.3)
        assert not forgetting.done()
    await forgetting
    await world.jobs()
    assert len(smtp.mails) == 1
    await world.bench.make_due(FORGET.kind)
    await world.jobs()
    assert (await places(world, "zwaluw"), await files(world)) == ([], 0)


async def test_where_a_job_was_given_up_the_same_state_again_adds_another(world: World) -> None:
    one = await held(world, "A1")
    await world.command(statement(to="holder"))
    await world.jobs()
    await erase(world, one, "A1")
    async with world.bench.database.connection() as connection:
        await connection.execute(
            "UPDATE job SET state = 'failed', ended_at = now() WHERE kind = 'forget'"
        )
    assert await world.jobs() == []
    assert "statement" in await places(world, "zwaluw")
    await world.registry(gone(one))
    await world.jobs()
    assert await places(world, "zwaluw") == []


async def test_who_comes_again_with_others_behind_is_forgotten_with_them(world: World) -> None:
    """As where a worker was killed after its commit: the batch comes again, and may be longer."""
    one, two = await held(world, "A1"), await held(world, "B1")
    await world.command(statement(account="A1"), statement(account="B1"))
    await world.jobs()
    await world.registry(*(account(name, None, version=9) for name in ("A1", "B1")))
    told = [world.bench.incoming(gone(x), topic="registry.state") for x in (one, two)]
    for batch in (told[:1], told):
        async with world.bench.transaction() as tx:
            await registry.handle(batch, tx)
    await world.jobs()
    assert (await places(world, "zwaluw"), await files(world)) == ([], 0)


async def test_a_viewers_erasure_leaves_the_holders_draft_to_be_approved(world: World) -> None:
    one, eye = await held(world, "A1"), new_id()
    seen = account("A1", one, version=2).model_copy(update={"viewers": (eye,)})
    await world.registry(customer(eye, first_name="Merel"), seen)
    draft = await drafted(world)
    await world.registry(swallow(one, version=5, email="new@club.example"), gone(eye))
    assert "invoice.deleted" not in types(await world.jobs())
    assert "invoice.issued" in types(await world.command(approve(draft)))


async def test_what_an_older_worker_keeps_of_a_deleted_draft_goes(world: World) -> None:
    one = await held(world, "A1")
    draft = await drafted(world)
    await world.command(delete(draft))
    file = documents.File(
        format="pdf", file_name="x", media_type="application/pdf", content=b"Zwaluw"
    )
    async with world.bench.transaction() as tx:
        await documents.keep(tx, ENV, draft, draft=True, files=[file])
    await erase(world, one, "A1")
    await world.jobs()
    assert await files(world) == 0


async def test_a_statement_that_is_called_as_an_invoice_takes_no_file_of_it(world: World) -> None:
    one = await held(world, "A1", "A2")
    issued, *_ = said(await world.run(send=False), "invoice.issued")
    await world.jobs()
    kept = await files(world)
    called = statement(statement_id=issued["invoice_id"], format="xlsx")
    await world.command(called, statement(account="A2"))
    await world.jobs()
    await erase(world, one, "A1", "A2")
    await world.jobs()
    assert await world.fetch("SELECT FROM statement WHERE holder <> ''") == []
    assert await files(world) == kept


async def test_while_a_mail_is_waited_for_nothing_is_taken_of_who_came_later(
    world: World, smtp: MailServer
) -> None:
    one, other = await held(world, "A1", "A2"), new_id()
    smtp.answers["zwaluw@club.example"] = "450 4.2.0 full"
    await world.command(statement(to="holder"))
    await world.jobs()
    await erase(world, one, "A1", "A2")
    await world.jobs()
    later = customer(other, first_name="Vink", email="vink@club.example")
    await world.registry(later, account("A2", other, version=19))
    await world.command(statement(account="A2"))
    await world.jobs("statement")
    for _ in range(2):
        await world.bench.make_due(FORGET.kind)
        await world.jobs(FORGET.kind)
    assert [
        r["account"]
        for r in await world.fetch("SELECT account FROM statement WHERE holder LIKE '%Vink%'")
    ] == ["A2"]
    smtp.answers.clear()
    for kind in ("mail", FORGET.kind):
        await world.bench.make_due(kind)
        await world.jobs(kind)
    assert await places(world, "zwaluw") == []


MANY = """
INSERT INTO statement (environment, statement_id, account, holder, language, first, until, currency,
                       total)
SELECT 2890, md5('x' || n)::uuid, 'A' || n % 2, 'Zwaluw', 'nl', '2026-07-01', '2026-08-01', 'EUR', 0
FROM generate_series(1, $1) AS n"""
ON_THEIR_WAY = """
INSERT INTO mail (environment, mail_id, kind, ref, recipient)
SELECT 2890, gen_random_uuid(), 'statement', statement_id::text, 'zwaluw@club.example'
FROM statement"""


async def test_of_many_that_are_on_their_way_no_job_waits_for_more_than_a_portion(
    world: World,
) -> None:
    one, left = await held(world, "A0", "A1", "A2"), 2 * MOST_LEFT + 9
    async with world.bench.database.connection() as connection:
        await connection.execute(MANY, left)
        await connection.execute(ON_THEIR_WAY)
        await erase(world, one, "A0", "A1", "A2")
        await world.jobs()
        jobs = await world.fetch("SELECT payload FROM job WHERE kind = 'forget' AND state = 'open'")
        waiting = [len(json.loads(job["payload"])["statements"]) for job in jobs]
        assert sorted(waiting) == [9, MOST_LEFT, MOST_LEFT]
        await connection.execute("UPDATE mail SET state = 'failed', ended_at = now()")
    await world.bench.make_due(FORGET.kind)
    await world.jobs()
    assert await places(world, "zwaluw") == []


async def test_a_job_cut_at_any_statement_goes_on(world: World, postgres: Database) -> None:
    database = FailingDatabase(postgres.dsn("invoicer"))
    healthy = world.bench.runner([FORGET])
    failing = world.bench.runner([FORGET])
    failing.database = database
    at, cut = 0, True
    while cut:
        name = f"A{at}"
        one = await held(world, name)
        await world.run(run_id=name, mode="draft")
        await world.command(statement(account=name, to="holder"))
        await world.jobs()
        await erase(world, one, name)
        database.left = at
        work = await healthy.claim(FORGET)
        assert work is not None
        mine = Work(work.job, failing, FORGET, work.lease)
        await failing.work(mine, FORGET)
        cut = not mine.ended
        await world.bench.make_due(FORGET.kind)
        await world.jobs()
        await world.bench.runner(()).recover(older_than_s=0)
        assert (await places(world, "zwaluw"), await files(world)) == ([], 0)
        told = said(world.bench.published.answers, "invoice.deleted")
        assert {x["account"] for x in told} == {f"A{n}" for n in range(at + 1)}
        at += 1
    assert at > 15
    await database.close()


ISSUED = (
    "DELETE FROM document WHERE NOT draft",
    "UPDATE invoice SET buyer = '{}' WHERE number IS NOT NULL",
)
DENIED = (
    "DELETE FROM invoice", "DELETE FROM statement", "DELETE FROM mail", "DELETE FROM number",
    "UPDATE document SET content = ''", "UPDATE statement SET total = 0", "DELETE FROM tie",
    "UPDATE tie SET account = 'x'", "TRUNCATE document",
    "ALTER TABLE document DISABLE TRIGGER document_stays",
)  # fmt: skip


async def test_the_database_lets_nothing_go_that_was_issued(
    world: World, postgres: Database
) -> None:
    """Neither for the service, nor for the tables' owner."""
    await held(world, "A1")
    (issued,) = said(await world.run(), "invoice.issued")
    await world.command(delete(issued["invoice_id"]))
    await world.jobs()
    assert await files(world) == 6
    for dsn in (postgres.dsn("invoicer"), postgres.admin):
        connection = await asyncpg.connect(dsn, server_settings={"search_path": "invoicer"})
        for statement_ in ISSUED:
            with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="was issued"):
                await connection.execute(statement_)
        for statement_ in DENIED if dsn != postgres.admin else ():
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement_)
        await connection.close()
    assert await files(world) == 6
