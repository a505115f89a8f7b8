"""Files that were just made reach the mails that wait for them without being read back."""

from dataclasses import replace

import pytest

from services.invoicer.fresh import MOST_BYTES, MOST_DOCUMENTS, Fresh, Made
from services.invoicer.jobs.documents import Documents, render
from services.invoicer.jobs.mail import Mailing
from services.invoicer.rendering import Rendering
from services.invoicer.store.documents import File
from tests.services.invoicer.documents.samples import invoice
from tests.services.invoicer.world import World, said, sale
from tests.support.mails import MailServer

FILES = {"pdf": File(format="pdf", file_name="1.pdf", media_type="application/pdf", content=b"1")}
MADE = Made(document=replace(invoice(), lines=()), files=FILES)


def test_only_the_last_documents_are_held() -> None:
    fresh = Fresh()
    for number in range(MOST_DOCUMENTS + 1):
        fresh.put(1, str(number), MADE)
    assert fresh.get(1, "0") is None
    assert fresh.get(1, "1") == MADE
    assert fresh.get(2, "1") is None


def test_large_ones_are_held_for_less_long() -> None:
    fresh = Fresh()
    half = replace(FILES["pdf"], content=bytes(MOST_BYTES // 2))
    for number in (1, 2, 3, 3):
        fresh.put(1, str(number), replace(MADE, files={"pdf": half}))
    assert [fresh.get(1, str(number)) is not None for number in (1, 2, 3)] == [False, True, True]


def test_a_document_of_no_lines_is_not_made() -> None:
    """A mail reads its document without them; a page that did would say a total of nothing."""
    with pytest.raises(ValueError, match="no lines"):
        render(replace(invoice(), lines=()))


@pytest.mark.parametrize("shared", [True, False])
async def test_a_mail_carries_what_is_kept_whether_it_was_read_or_not(
    world: World, smtp: MailServer, shared: bool
) -> None:
    fresh = Fresh()
    documents = Documents(rendering=Rendering(0), fresh=fresh)
    its = fresh if shared else Fresh()
    mailing = Mailing(settings=world.mailing.settings, mailer=world.mailing.mailer, fresh=its)
    await world.guests("A1")
    await world.sell(sale("A1"))
    await world.run("run", mode="issue", send=True)
    told = await world.bench.run_jobs([documents.kind(1), mailing.kind()])
    assert said(told, "invoice.sent")
    rows = await world.fetch("SELECT format, content FROM document ORDER BY format")
    carried = [part.get_content() for part in smtp.mails[0].iter_attachments()]
    kept = {r["format"]: r["content"] for r in rows}
    assert carried == [kept["pdf"], kept["xlsx"], kept["ubl"]]
    whole = smtp.mails[0].get_body(("plain",))
    assert whole is not None
    assert "2026-00001" in whole.get_content()
