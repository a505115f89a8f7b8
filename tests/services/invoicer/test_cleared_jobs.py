"""Jobs that are gone from the table: what was asked of them is known all the same."""

from tests.services.invoicer.test_documents import request as document
from tests.services.invoicer.test_drafts import approve
from tests.services.invoicer.test_mail import send
from tests.services.invoicer.test_pending import pending
from tests.services.invoicer.test_statements import request as statement
from tests.services.invoicer.test_told_again import again as republished
from tests.services.invoicer.world import World, asked, said, sale
from tests.support.mails import MailServer


async def test_what_was_asked_long_ago_is_answered_alike_and_not_done_again(
    world: World, smtp: MailServer
) -> None:
    """Goal: no job's row is needed to know a repetition. Method: all kinds of jobs are done, and
    cleared; then every message comes once more."""
    await world.guests("A1", "A2", email="anna@club.nl")
    await world.sell(sale("A1"), sale("A2"))
    first = [
        asked(run_id="d", mode="draft", accounts=("A1",)),
        asked(run_id="i", accounts=("A2",), send=True),
    ]
    told = [*await world.command(*first), *await world.jobs()]
    (draft,) = said(told, "invoice.drafted")
    (invoice,) = said(told, "invoice.issued")
    rest = [
        approve(draft["invoice_id"]), send(invoice["invoice_id"], to="bo@club.nl"), pending(),
        document(invoice_id=invoice["invoice_id"]), document(invoice_id=draft["invoice_id"]),
        statement(), statement(to="holder"), republished(),
    ]  # fmt: skip
    for message in rest:
        await world.command(message)
        await world.jobs()
    mails = len(smtp.mails)
    before = [await world.command(message) for message in (*first, *rest)]
    kinds = {row["kind"] for row in await world.fetch("SELECT DISTINCT kind FROM job")}
    assert kinds >= {"run", "document", "mail", "statement", "pending", "republish"}
    assert await world.bench.clear_jobs(world.kinds) > 8
    assert await world.fetch("SELECT FROM job") == []
    assert [await world.command(message) for message in (*first, *rest)] == before
    assert await world.jobs() == []
    assert await world.fetch("SELECT FROM job") == []
    assert len(smtp.mails) == mails
