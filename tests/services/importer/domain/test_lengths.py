"""A text that is too long is refused where it is read, in its column, and with what is allowed."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from schemas.steps import Step
from services.importer.domain.bundles import worded
from services.importer.domain.cells import Odd
from services.importer.domain.fields import SYNONYMS, Field
from services.importer.domain.lengths import AT_MOST, LONGEST, too_long
from services.importer.domain.messages import brief
from services.importer.domain.planning import RowPlan
from tests.services.importer.domain.test_planning import book, messages, planned

STEP: TypeAdapter[Step] = TypeAdapter(Step)
FILLERS = {
    # No mail server takes more than 64 characters before the @, nor 63 between two points.
    "email": lambda size: f"{'a' * 64}@{('club' * 12 + '.') * 5}"[: size - len(".nl")] + ".nl",
    "peppol_id": lambda size: "0106:" + "1" * (size - len("0106:")),
}
CHECKED_OTHERWISE = {"postcode", "vat_number", "chamber_number"}
"""What has a form by its country: nothing so long can have it."""


def filled(field: Field, size: int) -> RowPlan:
    """A row whose cell for `field` has so many characters, beside a company and an account."""
    text = FILLERS.get(field, lambda n: "x" * n)(size)
    row = {"company": "De Kraan", "account": "28900001", "country": "BE", field: text}
    if field in ("first_name", "last_name", "infix", "name"):
        del row["company"]
        row.setdefault("last_name", "Kraan")
    if field == "name":
        del row["last_name"]
    headers = [SYNONYMS[name][0] for name in row]  # type: ignore[index]
    (plan,) = planned(book(), headers, list(row.values()))
    return plan


@pytest.mark.parametrize("field", [f for f in AT_MOST if f not in CHECKED_OTHERWISE])
def test_what_just_fits_is_sent_and_the_registry_can_read_it(field: Field) -> None:
    size = AT_MOST[field] if field != "peppol_id" else len("0106:") + 50
    plan = filled(field, size)
    assert messages(plan) == []
    assert plan.commands
    for command in plan.commands:
        STEP.validate_json(f'{{"step":0,{worded(command)}')


@pytest.mark.parametrize("field", AT_MOST)
def test_one_character_more_is_refused_with_its_column_and_what_is_allowed(field: Field) -> None:
    plan = filled(field, AT_MOST[field] + 1)
    problem = next(p for p in plan.problems if p.column == SYNONYMS[field][0])
    assert f"is too long: at most {AT_MOST[field]} characters" in problem.message
    assert problem.value


def test_an_address_in_three_columns_fits_in_one_line() -> None:
    parts: tuple[Field, ...] = ("street", "house_number", "house_number_suffix")
    headers = ["Bedrijf", *(SYNONYMS[part][0] for part in parts)]
    (plan,) = planned(book(), headers, ["De Kraan", *("x" * AT_MOST[part] for part in parts)])
    assert len(plan.commands[0].body["street"]) == LONGEST["street"]
    assert too_long(plan.commands[0].body) == []


def test_a_part_of_a_full_name_is_named_with_the_column_that_it_stands_in() -> None:
    (plan,) = planned(book(), ["Naam"], ["Jan " + "van de " * 7 + "Vries"])
    (problem,) = plan.problems
    assert problem.column == "Naam"
    assert problem.message.startswith(
        "'van de van de van de van de van de van…' stands between first and last name and is too"
        " long: at most 40 characters"
    )


@pytest.mark.parametrize(
    ("header", "says"),
    [("Limiet", "is not an amount"), ("Op naam", "is neither yes nor no"),
     ("Land", "not a country"), ("Aantal rekeningen", "is not a number of accounts"),
     ("Omschrijving", "at most 200")],
)  # fmt: skip
def test_a_very_long_text_is_refused_as_what_its_column_is_not(header: str, says: str) -> None:
    long: Any = Odd(kind="long", text="x" * 600)
    (plan,) = planned(book(), ["Bedrijf", header], ["De Kraan", long])
    assert says in messages(plan)[0]


def test_only_the_beginning_of_a_long_text_stands_in_a_sentence() -> None:
    assert brief("x" * 40) == "x" * 40
    assert brief("x" * 41) == "x" * 39 + "…"


@pytest.mark.parametrize(
    ("header", "at_most"), [("Huisnummer", 10), ("Toevoeging", 8), ("Voorletters", 40)]
)
def test_what_is_a_part_of_a_field_has_an_end_of_its_own(header: str, at_most: int) -> None:
    headers = ["Bedrijf", "Straat", header]
    for length, verdict in ((at_most, "create"), (at_most + 1, "refused")):
        (plan,) = planned(book(), headers, ["A", "Kade", "1" * length])
        assert plan.verdict == verdict
