"""Of a draft that is deleted nothing is kept of whom it was made out to, and none of its files."""

from services.invoicer.jobs.delivery import Delivery
from services.invoicer.verify import audit
from tests.services.invoicer.erasing import Meanwhile, drafted, files, held, places
from tests.services.invoicer.test_documents import joined
from tests.services.invoicer.test_documents import request as document
from tests.services.invoicer.test_drafts import approve, delete
from tests.services.invoicer.world import World, environment, said, sale, types
from tests.support.mails import MailServer


async def test_a_draft_that_is_deleted_keeps_nothing_of_whom_it_was_made_out_to(
    world: World,
) -> None:
    await held(world, "A1")
    draft = await drafted(world)
    await world.command(document(invoice_id=draft))
    await world.jobs()
    assert (await places(world, "zwaluw"), await files(world)) == (["customer", "invoice"], 3)
    await world.command(delete(draft))
    assert (await places(world, "zwaluw"), await files(world)) == (["customer"], 0)


async def test_a_draft_that_a_run_replaces_keeps_nothing_either_nor_one_that_has_changed(
    world: World,
) -> None:
    await held(world, "A1")
    first = await drafted(world)
    second = await drafted(world, run_id="again")
    await world.sell(sale("A1"))
    assert types(await world.command(approve(second)))[-1] == "command.refused"
    named = await world.fetch(
        "SELECT status, invoice_id::text AS id FROM invoice WHERE buyer::text LIKE '%Zwaluw%'"
    )
    assert [row["status"] for row in named] == ["draft"]
    assert named[0]["id"] not in (first, second)


async def test_a_deleted_drafts_file_is_refused_and_so_it_is_where_it_was_told_before(
    world: World,
) -> None:
    await held(world, "A1")
    draft = await drafted(world)
    told = document(invoice_id=draft)
    await world.command(told)
    assert joined(await world.jobs()).startswith(b"%PDF")
    await world.command(delete(draft))
    for asked in (told, document(invoice_id=draft)):
        (refused,) = await world.command(asked)
        assert (said([refused])[0]["command_id"], said([refused])[0]["reason"]) == (
            asked.request_id,
            "invoice_deleted",
        )
        assert await world.command(asked) == [refused]
    assert await world.jobs() == []
    again = await drafted(world, run_id="again")
    waiting = document(invoice_id=again)
    assert await world.command(waiting) == []
    await world.command(delete(again))
    (late,) = await world.jobs()
    assert said([late])[0]["reason"] == "invoice_deleted"
    assert await world.command(waiting) == [late]
    assert await files(world) == 0


async def test_of_a_draft_that_is_deleted_while_its_files_are_made_none_is_kept(
    world: World,
) -> None:
    await held(world, "A1")
    draft = await drafted(world)
    asked = document(invoice_id=draft)
    await world.command(asked)

    async def deleted() -> None:
        await world.command(delete(draft))

    told = await world.bench.run_jobs([Delivery(rendering=Meanwhile(deleted)).kind()])
    (refused,) = (answer for answer in told if answer.type == "command.refused")
    assert said([refused])[0]["reason"] == "invoice_deleted"
    assert (await files(world), await world.command(asked)) == (0, [refused])


async def test_a_run_report_and_the_audit_read_deleted_drafts(
    world: World, smtp: MailServer
) -> None:
    await held(world, "A1")
    await world.registry(environment(version=2, finance_copy="report"))
    told = await world.run("run", mode="draft")
    (draft,) = said(told, "invoice.drafted")
    await world.command(delete(draft["invoice_id"]))
    await world.jobs()
    assert [mail["To"] for mail in smtp.mails] == ["finance@club.example"]
    async with world.bench.database.connection() as connection:
        assert (await audit(connection))["problems"] == []  # type: ignore[arg-type]
