"""A list as somebody keeps it: the preview tells what is wrong, in the environment's language."""

import io
import uuid

from schemas.registry import EnvironmentState
from services.importer.domain.planning import Planned, RowPlan
from services.importer.jobs.rows import as_sent
from tests.services.importer.venue import (
    completed_of,
    parts,
    preview_of,
    report_of,
    venue,
)
from tests.support.article_workbook import sheet_workbook
from tests.support.databases import Database

JOB = str(uuid.UUID(int=21))
HEADERS = ["Naam", "E-mail", "Rekening", "Limiet", "Postcode"]


async def test_the_preview_of_a_messy_list_is_what_the_import_does(postgres: Database) -> None:
    content = sheet_workbook(
        HEADERS,
        ["Piet van Dijk", "piet@dijk.nl", 28900105, "veel", None],
        ["Bakkerij Morgenrood", "info@morgenrood.nl", 28900105, 100, None],
        ["Ans Bos", "ans@bos.nl", 28900106, "onbeperkt", "3991 A8"],
        ["Jan Smit", "jan@smit.nl", 28900107, "geen limiet", "3991 AB"],
        ["Kees Smit", "kees@smit.nl", 28900108, None, "3991 AB"],
        ["Totaal", None, None, 100, None],
    )
    async with venue(postgres) as place:
        await place.open(language="nl")
        await place.say(*parts(content, job_id=JOB))
        preview = preview_of(await place.settle())
        assert [(p.row, p.column, p.message) for p in preview.problems] == [
            (2, "Limiet",
             "'veel' is geen bedrag; schrijf een getal zoals 12,50, of 'geen' voor geen limiet"),
            (3, "Rekening",
             "rekening 28900105 staat ook in rij 2, bij iemand anders; geef een van beide een ander"
             " nummer"),
            (4, "Postcode",
             "'3991 A8' is geen postcode van NL; schrijf haar zoals 1234 AB"
             ", of het juiste land in een kolom Land"),
        ]  # fmt: skip
        told = [(w.row, w.message) for w in preview.warnings]
        assert [message.partition(";")[0] for _, message in told[:2]] == [
            "nieuwe rekeningen die nog niet op naam mogen kopen: 2",
            "nieuwe rekeningen waarvoor geen limiet is gegeven: 1",
        ]
        assert any(
            r == 7 and m.startswith("'Totaal' is een totaal en van niemand") for r, m in told
        )
        await place.say(place.confirm(JOB))
        events = await place.settle()
        done = completed_of(events)
        assert (done.created, done.changed, done.unchanged, done.refused) == (
            preview.creates, preview.changes, preview.unchanged, preview.rows - preview.valid,
        ) == (2, 0, 1, 3)  # fmt: skip
        assert report_of(events)["F5"].value.startswith("aangemaakt: rekening 28900107; ")
    accounts = place.registry.accounts
    assert sorted(accounts) == ["28900107", "28900108"]
    assert accounts["28900107"]["limit"] is None


async def test_a_preview_shows_what_changes_limits_first(postgres: Database) -> None:
    before = sheet_workbook(
        ["Naam", "Rekening", "Limiet", "Plaats"], ["Bakkerij A", 28900001, 100, "Houten"],
        ["Bakkerij B", 28900002, 100, "Houten"],
    )  # fmt: skip
    after = sheet_workbook(
        ["Naam", "Rekening", "Limiet", "Plaats", "Actief"],
        ["Bakkerij A", 28900001, 100, "Utrecht", "nee"],
        ["Bakkerij B", 28900002, "geen", "Houten", "ja"],
    )
    async with venue(postgres) as place:
        await place.open(language="nl")
        await place.imported(before)
        await place.say(*parts(after))
        differences = preview_of(await place.settle()).differences or ()
    shown = [(d.row, d.account, d.column, d.field, d.old, d.new) for d in differences]
    assert shown == [
        (3, "28900002", "Limiet", "limit", "100,00", "geen limiet"),
        (2, None, "Plaats", "city", "Houten", "Utrecht"),
        (2, "28900001", "Actief", "status", "actief", "inactief"),
    ]


async def test_a_new_holder_of_an_account_is_shown_by_name(postgres: Database) -> None:
    async with venue(postgres) as place:
        await place.imported(sheet_workbook(["Bedrijf"], ["Bakkerij A"]))
        await place.imported(sheet_workbook(["Rekening"], [28900001]))
        await place.say(*parts(sheet_workbook(["Bedrijf", "Rekening"], ["Bakkerij A", 28900001])))
        (holder,) = preview_of(await place.settle()).differences or ()
    assert (holder.account, holder.field, holder.old, holder.new) == (
        "28900001", "holder", None, "Bakkerij A",
    )  # fmt: skip


async def test_what_the_registry_says_comes_after_a_word_of_whose_it_is_and_once(
    postgres: Database,
) -> None:
    async with venue(postgres) as place:
        await place.open(language="nl")
        place.registry.refuse["A"] = "The registry does not like A."
        content = sheet_workbook(["Bedrijf", "Rekening"], ["A", 28900001], ["A", 28900002])
        sheet = report_of(await place.imported(content))
    assert sheet["C2"].value == "geweigerd: het systeem meldt: The registry does not like A."
    assert sheet["C3"].value == "geweigerd: rij 2, waar deze rij op voortbouwt, is geweigerd"


async def test_the_report_of_a_report_tells_its_results_from_the_earlier_ones(
    postgres: Database,
) -> None:
    rows = ["A", 28900001, "1OO"], ["B", 28900002, 50]
    async with venue(postgres) as place:
        await place.open(language="nl")
        first = report_of(
            await place.imported(sheet_workbook(["Bedrijf", "Rekening", "Limiet"], *rows))
        )
        first["C2"] = 100
        file = io.BytesIO()
        first.parent.save(file)
        again = report_of(await place.imported(file.getvalue()))
    assert [c.value for c in first[1]][:4] == ["Bedrijf", "Rekening", "Limiet", "Resultaat"]
    assert [c.value for c in again[1]][3:6] == ["Resultaat", first["E1"].value, "Resultaat 2"]
    assert again["D2"].value.startswith("geweigerd: Limiet: '1OO' is geen bedrag")
    assert again["F2"].value.startswith("aangemaakt: rekening 28900001")
    assert again["F3"].value == "ongewijzigd"


async def test_the_environments_own_country_and_limit_count(postgres: Database) -> None:
    content = sheet_workbook(["Bedrijf", "Rekening", "Postcode"], ["A", 28900001, "1000"])
    async with venue(postgres) as place:
        state = place.registry.environment_state()
        belgian = EnvironmentState.model_validate(
            {**state.model_dump(), "country": "BE", "default_limit": 5000}
        )
        await place.tell([belgian])
        await place.say(*parts(content))
        preview = preview_of(await place.settle())
    assert (preview.creates, preview.problem_count) == (1, 0)
    assert [w for w in preview.warnings if "0.00" in w.message] == []


async def test_limits_are_taken_in_the_environments_own_currency_only(postgres: Database) -> None:
    content = sheet_workbook(
        ["Bedrijf", "Rekening", "Limiet"],
        ["A", 28900001, "$ 50"],
        ["B", 28900002, "€ 50"],
        ["C", 28900003, 50],
        ["D", 28900004, 50],
        formats={"C4": "[$$-409]#,##0.00", "C5": "[$€-413] #,##0.00"},
    )
    euros = sheet_workbook(["Bedrijf", "Rekening", "Limiet (EUR)"], ["E", 28900005, 50])
    async with venue(postgres) as place:
        state = place.registry.environment_state()
        american = EnvironmentState.model_validate({**state.model_dump(), "currency": "USD"})
        await place.tell([american])
        await place.say(*parts(content))
        preview = preview_of(await place.settle())
        assert [(p.row, p.message.partition(";")[0]) for p in preview.problems] == [
            (3, "'€ 50' is not in USD, in which limits are kept here"),
            (5, "'€ 50' is not in USD, in which limits are kept here"),
        ]
        assert preview.creates == 2
        await place.say(*parts(euros, job_id=JOB))
        preview = preview_of(await place.settle())
        assert [(p.row, p.column, p.value) for p in preview.problems] == [(2, "Limiet (EUR)", "50")]


async def test_the_currency_of_an_environment_is_told_again_with_its_state(
    postgres: Database,
) -> None:
    """As after the migration that brought it: a repetition of the same version is enough."""
    async with venue(postgres) as place:
        state = place.registry.environment_state()
        american = EnvironmentState.model_validate({**state.model_dump(), "currency": "USD"})
        await place.tell([american])
        database = place.bench.database
        await database.fetch("UPDATE environment SET currency = 'EUR', told = false")
        await place.tell([american])
        [row] = await database.fetch("SELECT currency FROM environment")
        assert row["currency"] == "USD"


def test_what_no_message_can_hold_is_refused_after_all_with_what_builds_on_it() -> None:
    """No cell that is read leads here: it is the last wall, for what reading may not know of."""
    left_out: set[int] = set()
    infix = "van der " * 6
    register = Planned(
        step=0, type="customer.register", after=None,
        body={"customer_id": JOB, "last_name": "Berg", "infix": infix},
    )  # fmt: skip
    opened = Planned(step=0, type="account.open", body={"account": "1"}, after=(3, 0))
    rows = [RowPlan(row=3, commands=(register,)), RowPlan(row=5, commands=(opened,))]
    (first, texts), (second, none) = [as_sent(r, {"infix": "Tv"}, "nl", left_out) for r in rows]
    assert (texts, none) == ([], [])
    assert [(p.column, p.value, p.message) for p in first.problems] == [
        ("Tv", infix, "het systeem kan dit niet bewaren; schrijf het korter of zonder bijzondere"
         " tekens"),
    ]  # fmt: skip
    assert second.problems[0].message == "rij 3, waar deze rij op voortbouwt, is geweigerd"


async def test_rows_of_somebody_whom_the_registry_cannot_hold_are_refused_and_no_other(
    postgres: Database,
) -> None:
    jan = "Jan " + "van der " * 6 + "Berg"
    content = sheet_workbook(
        ["Naam", "E-mail", "Rekening"],
        ["Anna Prins", "anna@prins.nl", 28900101],
        [jan, "jan@berg.nl", 28900102],
        ["Bea Smit", "bea@smit.nl", 28900103],
        [jan, "jan@berg.nl", 28900104],
    )
    async with venue(postgres) as place:
        await place.open(language="nl")
        await place.say(*parts(content, job_id=JOB))
        preview = preview_of(await place.settle())
        assert [p.row for p in preview.problems] == [3, 5]
        assert "ten hoogste 40 tekens" in preview.problems[1].message
        await place.say(place.confirm(JOB))
        done = completed_of(await place.settle())
        assert (done.created, done.refused) == (2, 2)
    assert sorted(place.registry.accounts) == ["28900101", "28900103"]


async def test_whose_names_differ_in_a_mark_that_is_a_letter_are_two_customers(
    postgres: Database,
) -> None:
    """Found by their names also in the next list, as others are, with an accent more or less."""
    async with venue(postgres) as place:
        content = sheet_workbook(["Bedrijf", "Rekening"], ["राम", 1], ["रमा", 2], ["Zoë", 3])
        assert completed_of(await place.imported(content)).created == 3
        assert len({a["holder"] for a in place.registry.accounts.values()}) == 3
        content = sheet_workbook(["Bedrijf", "Plaats"], ["रमा", "Houten"], ["ZOE", "Houten"])
        done = completed_of(await place.imported(content))
        assert (done.created, done.changed, done.refused) == (0, 2, 0)
    assert [c.get("city") for c in place.registry.customers.values()] == [None, "Houten", "Houten"]
