"""Files that are asked for: the same bytes each time, drafts too."""

import asyncio
import base64
import io
from hashlib import sha256
from typing import Any

import asyncpg
import pypdf

from runtime.answers import Answer
from runtime.jobs import JobKind
from schemas.invoices import DocumentRequest
from services.invoicer.jobs.delivery import Delivery
from services.invoicer.jobs.documents import Documents
from services.invoicer.rendering import Rendering
from tests.services.invoicer.test_drafts import approve, delete
from tests.services.invoicer.world import ENV, World, new_id, nth, said, sale, types
from tests.support.databases import Database


def request(**changes: Any) -> DocumentRequest:
    values: dict[str, Any] = {"request_id": new_id(), "environment": ENV, "format": "pdf"}
    return DocumentRequest(**{**values, **changes})


def joined(told: list[Any]) -> bytes:
    parts = said(told, "document.part")
    content = b"".join(base64.b64decode(p["content"]) for p in parts)
    assert [p["part"] for p in parts] == list(range(1, parts[0]["parts"] + 1))
    assert sha256(content).hexdigest() == parts[0]["sha256"]
    return content


async def test_an_invoices_files_are_kept_and_answered_the_same(world: World) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    (issued,) = said(await world.run(send=False), "invoice.issued")
    ask = request(invoice_id=issued["invoice_id"])
    told = await world.command(ask)
    assert joined(told).startswith(b"%PDF")
    assert said(told)[0]["file_name"] == f"{nth(1)}.pdf"
    assert await world.command(ask) == told
    for kind, head in (("xlsx", b"PK"), ("ubl", b"<?xml")):
        told = await world.command(request(invoice_id=issued["invoice_id"], format=kind))
        assert joined(told).startswith(head)


async def test_a_file_that_is_not_made_yet_is_answered_when_it_is(world: World) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    (issued,) = said(await world.run("run", send=False), "invoice.issued")
    ask = request(invoice_id=issued["invoice_id"])
    assert await world.command(ask) == []
    told = [a for a in await world.jobs() if a.type == "document.part"]
    assert joined(told).startswith(b"%PDF")
    assert await world.command(ask) == told


async def test_a_file_whose_own_job_is_late_is_made_once_by_that_and_then_answered(
    world: World, postgres: Database
) -> None:
    """However late: a run of a few hundred takes longer than anybody's patience."""
    await world.guests("A1")
    await world.sell(sale("A1"))
    (issued,) = said(await world.run("run", send=False), "invoice.issued")
    note = said(await world.command(delete(issued["invoice_id"])))[0]["credit_note_id"]
    asks = request(invoice_id=issued["invoice_id"]), request(credit_note_id=note)
    assert await world.command(*asks) == []
    await an_hour_later(postgres)
    assert await world.jobs("delivery") == []
    assert await world.fetch("SELECT FROM document") == []
    waits = await world.fetch(
        "SELECT extract(epoch FROM due_at - now()) AS s FROM job "
        "WHERE kind = 'delivery' AND state = 'open'"
    )
    assert [20 < r["s"] <= 30 for r in waits] == [True, True]  # not each second for an hour
    await world.jobs("document")
    await world.bench.make_due("delivery")
    told = await world.jobs("delivery")
    assert len(said(told, "document.part")) == 2
    assert await world.command(*asks) == told


async def an_hour_later(postgres: Database) -> None:
    """Than whatever was asked for."""
    admin = await asyncpg.connect(postgres.admin)
    await admin.execute("UPDATE invoicer.request SET asked_at = asked_at - interval '1 hour'")
    await admin.close()


async def test_a_file_whose_own_job_went_without_it_is_made_on_asking_in_its_turn(
    world: World,
) -> None:
    """Others' documents that are made one after another are not joined by this one."""
    await world.guests("A1")
    await world.sell(sale("A1"))
    (issued,) = said(await world.run("run", send=False), "invoice.issued")
    await world.fetch("DELETE FROM job WHERE kind = 'document'")
    assert await world.command(request(invoice_id=issued["invoice_id"])) == []
    delivery = Delivery(rendering=Rendering(0))
    async with delivery.rendering.turn:
        making = asyncio.create_task(world.bench.run_jobs([delivery.kind()]))
        await asyncio.sleep(0.5)
        assert await world.fetch("SELECT FROM document") == []
    assert joined(await making).startswith(b"%PDF")


async def test_a_drafts_file_is_made_on_asking_and_stays_that_drafts(world: World) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    (draft,) = said(await world.run(mode="draft"), "invoice.drafted")
    ask = request(invoice_id=draft["invoice_id"])
    assert await world.command(ask) == []
    told = await world.jobs()
    assert said(told)[0]["file_name"].startswith("draft-")
    await world.command(approve(draft["invoice_id"]))
    await world.jobs()
    assert await world.command(ask) == told
    told = await world.command(request(invoice_id=draft["invoice_id"]))
    assert said(told)[0]["file_name"] == f"{nth(1)}.pdf"


async def test_a_credit_notes_file_names_its_invoice(world: World) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    (issued,) = said(await world.run(send=False), "invoice.issued")
    note = said(await world.command(delete(issued["invoice_id"])))[0]
    await world.jobs()
    told = await world.command(request(credit_note_id=note["credit_note_id"], format="ubl"))
    assert nth(1).encode() in joined(told)
    assert b"CreditNote" in joined(told)
    assert note["reason"] == "deleted"  # a code, for machines: a guest reads it in words
    assert b"deleted" not in joined(told)
    assert b"<cbc:Note>de factuur is ingetrokken</cbc:Note>" in joined(told)
    told = await world.command(request(credit_note_id=note["credit_note_id"]))
    pages = pypdf.PdfReader(io.BytesIO(joined(told))).pages
    assert "Reden: de factuur is ingetrokken" in " ".join(page.extract_text() for page in pages)


async def test_a_file_whose_own_job_was_given_up_is_made_on_asking_or_refused_the_same_for_ever(
    world: World,
) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    (issued,) = said(await world.run("run", send=False), "invoice.issued")
    async with world.bench.database.connection() as connection:
        await connection.execute("UPDATE sale_line SET quantity = 'odd'")
    await three_times(world, Documents(rendering=Rendering(0)).kind(1))
    delivery = Delivery(rendering=Rendering(0)).kind()
    asks = [request(invoice_id=issued["invoice_id"]) for _ in range(2)]
    assert await world.command(asks[0]) == []
    (told,) = await three_times(world, delivery)
    (refused,) = said([told])
    assert (refused["command_id"], refused["reason"]) == (asks[0].request_id, "document_failed")
    async with world.bench.database.connection() as connection:
        await connection.execute("UPDATE sale_line SET quantity = '2'")
    assert await world.command(asks[0]) == [told]
    assert await world.command(asks[1]) == []
    assert joined(await world.bench.run_jobs([delivery])).startswith(b"%PDF")


async def three_times(world: World, kind: JobKind) -> list[Answer]:
    told = []
    for _ in range(3):
        told += await world.bench.run_jobs([kind])
        await world.bench.make_due(kind.kind)
    return told


async def test_what_is_not_there_is_refused(world: World) -> None:
    for asked in (request(invoice_id=new_id()), request(credit_note_id=new_id())):
        told = await world.command(asked)
        assert types(told) == ["command.refused"]
        assert await world.command(asked) == told
