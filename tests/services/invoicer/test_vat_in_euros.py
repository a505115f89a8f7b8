"""A Dutch venue that bills in another currency says its VAT in euros too, at a rate set for it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from lxml import etree

from schemas.exchange import ExchangeRateSet
from services.invoicer.verify import audit
from tests.services.invoicer.test_corrections import correct
from tests.services.invoicer.test_documents import joined, request
from tests.services.invoicer.test_drafts import approve
from tests.services.invoicer.world import (
    BEER,
    ENV,
    JULY,
    LUNCH,
    World,
    account,
    customer,
    environment,
    new_id,
    said,
    sale,
    types,
)

TODAY = datetime.now(UTC).date()


def rate(value: str, first: date = TODAY - timedelta(days=3), **changes: Any) -> ExchangeRateSet:
    values = {"command_id": new_id(), "environment": ENV, "at": JULY, "by": "f", "currency": "USD"}
    return ExchangeRateSet.model_validate({**values, "rate": value, "from": first, **changes})


async def venue(world: World, **changes: Any) -> None:
    guest = new_id()
    await world.registry(
        environment(**{"currency": "USD", **changes}), customer(guest), account("A1", guest)
    )
    await world.sell(sale("A1", BEER, LUNCH).model_copy(update={"currency": "USD"}))


async def euros(world: World, document: str, **which: Any) -> list[tuple[str | None, str | None]]:
    """A document's tax currency, and each TaxTotal's amount with its currency, in its UBL."""
    told = await world.command(request(format="ubl", **{document: which["id"]}))
    root = etree.fromstring(joined(told or await world.jobs()))
    totals = root.findall("{*}TaxTotal/{*}TaxAmount")
    return [("tax currency", root.findtext("{*}TaxCurrencyCode"))] + [
        (each.get("currencyID"), each.text) for each in totals
    ]


async def test_it_is_said_at_the_rate_of_the_day_of_issue_and_taken_back_at_the_same(
    world: World,
) -> None:
    await venue(world)
    await world.command(
        rate("0.5", TODAY - timedelta(days=9)), rate("0.9215"), rate("3", TODAY + timedelta(days=2))
    )
    (issued,) = said(await world.run("run", send=False), "invoice.issued")
    vat = sum(row["vat"] for row in issued["vat"])
    assert vat == 121 + 103
    expected = [("tax currency", "EUR"), ("USD", "2.24"), ("EUR", "2.06")]
    assert await euros(world, "invoice_id", id=issued["invoice_id"]) == expected
    await world.command(rate("0.8", TODAY))
    told = said(await world.command(correct(issued["invoice_id"])))
    assert await euros(world, "credit_note_id", id=told[0]["credit_note_id"]) == expected
    assert (await euros(world, "invoice_id", id=told[1]["invoice_id"]))[2] == ("EUR", "1.79")
    async with world.bench.database.connection() as connection:
        assert (await audit(connection))["ok"]  # type: ignore[arg-type]


async def test_a_draft_shows_it_at_the_rate_of_its_day_and_the_invoice_at_that_of_its_own(
    world: World,
) -> None:
    await venue(world)
    (early,) = said(await world.run(run_id="early", mode="draft", send=False), "invoice.drafted")
    assert await euros(world, "invoice_id", id=early["invoice_id"]) == [
        ("tax currency", None),
        ("USD", "2.24"),
    ]
    await world.command(rate("0.9215"))
    told = await world.run(run_id="late", mode="draft", send=False)  # a new draft
    (drafted,) = said(told, "invoice.drafted")
    at_draft = [("tax currency", "EUR"), ("USD", "2.24"), ("EUR", "2.06")]
    assert await euros(world, "invoice_id", id=drafted["invoice_id"]) == at_draft
    await world.command(rate("0.8", TODAY))
    assert await euros(world, "invoice_id", id=drafted["invoice_id"]) == at_draft  # as it was made
    await world.command(approve(drafted["invoice_id"]))
    assert (await euros(world, "invoice_id", id=drafted["invoice_id"]))[2] == ("EUR", "1.79")


async def test_without_a_rate_nothing_is_issued_and_the_refusal_says_what_to_do(
    world: World,
) -> None:
    await venue(world)
    await world.command(rate("0.9", TODAY + timedelta(days=2)))
    (refused,) = said(await world.run("run", send=False), "command.refused")
    assert (refused["reason"], refused["field"]) == ("exchange_rate_missing", "currency")
    assert "invoices rate" in refused["message"]
    assert len(await world.fetch("SELECT FROM number")) == 0


async def test_who_bills_in_euros_or_from_elsewhere_needs_none(world: World) -> None:
    await venue(world, country="BE")
    (issued,) = said(await world.run("run", send=False), "invoice.issued")
    assert await euros(world, "invoice_id", id=issued["invoice_id"]) == [
        ("tax currency", None),
        ("USD", "2.24"),
    ]


async def test_a_venue_of_no_country_is_dutch_unless_its_vat_number_is_not(world: World) -> None:
    await venue(world, country=None)
    (refused,) = said(await world.run("run", send=False), "command.refused")
    assert refused["reason"] == "exchange_rate_missing"
    await world.registry(environment(version=3, currency="USD", country=None,
                                     vat_number="BE0403170701"))  # fmt: skip
    (refused,) = said(await world.run("run", send=False), "command.refused")
    assert (refused["reason"], refused["field"]) == ("environment_incomplete", "country")


async def test_a_rate_of_another_currency_or_of_the_euro_is_refused(world: World) -> None:
    await venue(world)
    good = rate("0.9")
    told = await world.command(good, good)
    assert types(told) == ["exchange_rate.recorded", "command.applied"] * 2
    assert told[:2] == told[2:]
    for wrong, reason in (
        (rate("0.9", currency="GBP"), "currency_mismatch"),
        (rate("0.9", environment=7), "environment_unknown"),
    ):
        (refused,) = said(await world.command(wrong))
        assert refused["reason"] == reason
    await world.registry(environment(version=2))
    (refused,) = said(await world.command(rate("0.9", currency="EUR")))
    assert refused["reason"] == "currency_mismatch"


async def test_the_audit_works_it_out_again(world: World) -> None:
    await venue(world)
    await world.command(rate("0.9"))
    await world.run("run", send=False)
    await world.fetch("UPDATE invoice SET vat_euro = vat_euro + 1")
    async with world.bench.database.connection() as connection:
        (problem,) = (await audit(connection))["problems"]  # type: ignore[arg-type]
    assert "VAT in euros" in problem["problem"]
