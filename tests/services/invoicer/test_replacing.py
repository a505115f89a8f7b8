"""An invoice says which credited ones it replaces: in its event, its files and its mail."""

import io
import re
from typing import Any

import pypdf
from lxml import etree

from schemas.invoices import InvoiceDelete
from tests.services.invoicer.test_corrections import correct
from tests.services.invoicer.test_documents import joined, request
from tests.services.invoicer.test_drafts import approve
from tests.services.invoicer.world import (
    ENV,
    JULY,
    LUNCH,
    World,
    new_id,
    nth,
    reversal,
    said,
    sale,
)


def delete(invoice_id: str) -> InvoiceDelete:
    return InvoiceDelete(
        command_id=new_id(), environment=ENV, invoice_id=invoice_id, at=JULY, by="f"
    )


async def issued(world: World, run_id: str, **changes: Any) -> dict[str, Any]:
    (found,) = said(await world.run("run", run_id=run_id, send=False, **changes), "invoice.issued")
    return found


def replaced(event: dict[str, Any]) -> list[str]:
    return [one["number"] for one in event.get("replaces", ())]


async def ubl_names(world: World, invoice_id: str) -> list[str | None]:
    """The preceding invoices (BG-3) in the file as it is kept, a draft's too."""
    told = await world.command(request(invoice_id=invoice_id, format="ubl"))
    root = etree.fromstring(joined(told or await world.jobs()))
    return [each.text for each in root.findall("{*}BillingReference/*/{*}ID")]


async def test_a_corrected_invoice_names_the_one_it_replaces_wherever_it_is_seen(
    world: World,
) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    old = await issued(world, "a")
    assert "replaces" not in old
    (new,) = said(await world.command(correct(old["invoice_id"])), "invoice.issued")
    assert [(r["number"], r["invoice_id"]) for r in new["replaces"]] == [
        (nth(1), old["invoice_id"])
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", new["replaces"][0]["issued_on"])
    await world.jobs()
    assert await ubl_names(world, new["invoice_id"]) == [nth(1)]
    assert await ubl_names(world, old["invoice_id"]) == []


async def test_an_invoice_made_anew_after_a_deletion_names_it_beside_what_is_new(
    world: World,
) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    old = await issued(world, "a")
    await world.command(delete(old["invoice_id"]))
    await world.sell(sale("A1", LUNCH))
    new = await issued(world, "b")
    assert (new["total"], replaced(new)) == (1950, [nth(1)])


async def test_only_what_came_in_later_is_called_so_not_what_stood_on_an_invoice_before(
    world: World,
) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    first = await issued(world, "a")
    await world.sell(sale("A1", LUNCH))
    late = await issued(world, "b")
    await world.command(delete(first["invoice_id"]))
    anew = await issued(world, "c")
    await world.jobs()
    later = {x["number"]: "verkopen die later" in await paper(world, x) for x in (late, anew)}
    assert later == {late["number"]: True, anew["number"]: False}
    assert "komt in de plaats van" in await paper(world, anew)


async def paper(world: World, event: dict[str, Any]) -> str:
    told = await world.command(request(invoice_id=event["invoice_id"]))
    pages = pypdf.PdfReader(io.BytesIO(joined(told))).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


async def test_of_a_chain_each_names_the_one_before_it_even_when_made_in_one_batch(
    world: World,
) -> None:
    """Commands of one batch share their moment: the numbers tell which came first. The files are
    made after all of them, and still name the one before alone."""
    await world.guests("A1")
    await world.sell(sale("A1"))
    one = await issued(world, "a")
    (two,) = said(await world.command(correct(one["invoice_id"])), "invoice.issued")
    (three,) = said(
        await world.command(correct(one["invoice_id"]), correct(two["invoice_id"])),
        "invoice.issued",
    )
    assert (replaced(two), replaced(three)) == ([one["number"]], [two["number"]])
    await world.jobs()
    assert await ubl_names(world, two["invoice_id"]) == [one["number"]]
    assert await ubl_names(world, three["invoice_id"]) == [two["number"]]
    assert await ubl_names(world, one["invoice_id"]) == []


async def test_a_draft_over_sales_of_deleted_invoices_names_them_all_and_so_does_its_invoice(
    world: World,
) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    one = await issued(world, "a")
    await world.sell(sale("A1", LUNCH))
    two = await issued(world, "b")
    await world.command(delete(one["invoice_id"]), delete(two["invoice_id"]))
    (draft,) = said(await world.run("run", run_id="c", mode="draft"), "invoice.drafted")
    assert await ubl_names(world, draft["invoice_id"]) == [one["number"], two["number"]]
    (new,) = said(await world.command(approve(draft["invoice_id"])), "invoice.issued")
    assert replaced(new) == [one["number"], two["number"]]


async def test_what_was_taken_back_and_moved_replaces_nothing(world: World) -> None:
    """A part credited after a return leaves the invoice standing; another guest's invoice of a
    moved sale is the first of that sale."""
    await world.guests("A1", "A2")
    half, moved = sale("A1", LUNCH), sale("A1")
    await world.sell(half, moved)
    old = await issued(world, "a")
    await world.sell(reversal(half, 250), sale("A1"))
    new = await issued(world, "b")
    assert (new["total"], "replaces" in new) == (700, False)
    told = await world.command(
        correct(old["invoice_id"], account="A2", exclude_sales=(moved.sale_id,))
    )
    assert replaced(said(told, "invoice.issued")[0]) == [nth(1)]


async def test_a_correction_says_why(world: World) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    old = await issued(world, "a")
    for reason in ("", "  ", "\n \u00a0"):
        command = correct(old["invoice_id"], reason=reason)
        told = await world.command(command)
        (refused,) = said(told)
        assert (refused["reason"], refused["field"]) == ("reason_missing", "reason")
        assert await world.command(command) == told
    assert len(await world.fetch("SELECT FROM credit_note")) == 0
