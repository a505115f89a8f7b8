"""Rows' commands stand together in bundles of a bounded size, and say what they build on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from schemas.steps import RegistryApply
from services.importer.domain.bundles import ACCOUNTS, BYTES, STEPS, Bundle, Bundler, worded
from services.importer.domain.planning import CommandType, Planned, RowPlan


def command(
    kind: CommandType,
    step: int = 0,
    *,
    after: tuple[int, int] | None = None,
    before: dict[str, Any] | None = None,
    **body: Any,
) -> Planned:
    return Planned(step=step, type=kind, body=body, after=after, before=before or {})


def row(number: int, *commands: Planned) -> RowPlan:
    return RowPlan(row=number, commands=commands)


def opening(number: int, count: int = 1, **body: Any) -> RowPlan:
    """A row of so many accounts that wait for nothing."""
    return row(number, *(command("account.open", n, account=f"{number}", **body)
                         for n in range(count)))  # fmt: skip


def member(number: int) -> RowPlan:
    """A row that registers a customer and opens an account for it."""
    return row(
        number,
        command("customer.register", 0, company=f"C{number}"),
        command("account.open", 1, after=(number, 0), account=f"{number}"),
    )


def bundled(bundler: Bundler, *plans: RowPlan) -> list[Bundle]:
    return bundler.bundled([(plan, [worded(c) for c in plan.commands]) for plan in plans])


def read(bundle: Bundle) -> list[dict[str, Any]]:
    return [json.loads(step) for step in bundle.steps]


def shapes(bundles: Sequence[Bundle]) -> list[tuple[int, list[int]]]:
    return [(bundle.number, bundle.rows) for bundle in bundles]


def test_a_step_says_what_it_is_and_what_it_waits_for() -> None:
    (bundle,) = bundled(Bundler(), member(2), member(3))
    assert read(bundle) == [
        {"step": 0, "type": "customer.register", "company": "C2"},
        {"step": 1, "after": 0, "type": "account.open", "account": "2"},
        {"step": 2, "type": "customer.register", "company": "C3"},
        {"step": 3, "after": 2, "type": "account.open", "account": "3"},
    ]
    assert (bundle.number, bundle.rows, bundle.needs) == (0, [2, 2, 3, 3], [])


def test_a_row_that_does_nothing_stands_in_no_bundle() -> None:
    assert bundled(Bundler(), row(2), row(3)) == []
    assert shapes(bundled(Bundler(), row(2), opening(3))) == [(0, [3])]


def test_rows_are_not_cut_where_the_next_bundle_takes_them_whole() -> None:
    assert STEPS == 200
    found = bundled(Bundler(most=4), opening(2, 3), opening(3, 2), opening(4, 2), opening(5, 1))
    assert shapes(found) == [(0, [2, 2, 2]), (1, [3, 3, 4, 4]), (2, [5])]


def test_a_row_that_is_larger_than_a_bundle_is_cut() -> None:
    found = bundled(Bundler(most=4), opening(2, 1), opening(3, 9), opening(4, 2))
    assert shapes(found) == [(0, [2]), (1, [3] * 4), (2, [3] * 4), (3, [3, 4, 4])]
    whole = bundled(Bundler(), opening(2, STEPS), opening(3, STEPS + 1))
    assert [len(bundle.steps) for bundle in whole] == [STEPS, STEPS, 1]


def test_bundles_are_numbered_on_from_chunk_to_chunk() -> None:
    bundler = Bundler(most=2)
    assert shapes(bundled(bundler, opening(2), opening(3), opening(4))) == [(0, [2, 3]), (1, [4])]
    assert shapes(bundled(bundler, opening(5))) == [(2, [5])]


@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_bundle_has_no_more_bytes_than_a_topic_takes_with_room_to_spare(letter: str) -> None:
    """Counted as they are sent: a letter with an accent is two of them."""
    assert BYTES == 300_000
    wide = opening(2, description=letter * 1_000)
    of_one = len(f'{{"step":0,{worded(wide.commands[0])}'.encode())
    many = [opening(n, description=letter * 1_000) for n in range(1_000, 2_000)]
    found = bundled(Bundler(most=10_000), *many)
    fit = BYTES // (of_one + 6)  # as many digits more as steps and rows have
    for bundle in found:
        told = sum(len(step.encode()) for step in bundle.steps)
        assert bundle.size == told <= BYTES
    assert {len(bundle.steps) >= fit for bundle in found[:-1]} == {True}
    assert sum(len(bundle.steps) for bundle in found) == 1_000


def test_a_bundle_may_be_as_large_as_it_may_be_to_the_byte() -> None:
    def of(size: int, number: int) -> RowPlan:
        """A row whose one command is so many bytes, without its place."""
        empty = len(worded(command("account.open", account=f"{number}", description="")))
        return opening(number, description="x" * (size - empty))

    head = len('{"step":0,')
    for size, bundles in ((BYTES - head - 100, 1), (BYTES - head - 99, 2)):
        found = bundled(Bundler(), of(size, 2), of(100, 3))
        assert len(found) == bundles
    # Cut within a row, each command is counted by itself.
    first = len(worded(opening(3).commands[0]))
    for size, bundles in ((BYTES - head - first, 1), (BYTES - head - first + 1, 2)):
        long = row(2, *of(size, 2).commands, *opening(3).commands)
        assert len(bundled(Bundler(), long)) == bundles


def changing(number: int, count: int) -> RowPlan:
    """A row that changes so many accounts in one step."""
    accounts = [f"{number}{n:04}" for n in range(count)]
    return row(number, command("account.change", accounts=accounts, limit=5))


def test_a_bundle_names_no_more_accounts_than_the_registry_takes_at_once() -> None:
    """Fifteen rows of companies with a thousand accounts each, whose limits change."""
    found = bundled(Bundler(), *(changing(n, 1_000) for n in range(2, 17)))
    assert shapes(found) == [(0, list(range(2, 12))), (1, list(range(12, 17)))]
    for bundle in found:
        asked = {
            "command_id": "00000000-0000-4000-8000-000000000001", "environment": 2890,
            "at": "2026-07-01T10:00:00Z", "by": "Ans", "steps": read(bundle),
        }  # fmt: skip
        RegistryApply.model_validate_json(json.dumps(asked))


def test_a_bundle_may_name_as_many_accounts_as_the_registry_takes_to_the_last_one() -> None:
    assert len(bundled(Bundler(), changing(2, ACCOUNTS - 1), opening(3))) == 1
    assert len(bundled(Bundler(), changing(2, ACCOUNTS), opening(3))) == 2
    # Cut within a row, each step is counted by itself.
    for count, bundles in ((ACCOUNTS - 1, 1), (ACCOUNTS, 2)):
        long = row(2, *changing(2, count).commands, *opening(3).commands)
        assert len(bundled(Bundler(), long)) == bundles


def test_what_builds_on_another_bundle_says_which_and_where() -> None:
    bundler = Bundler(most=3)
    bundled(bundler, opening(2), member(3))
    joins = command("account.open", 0, after=(3, 0), account="9")
    alone = command("account.open", 1, account="10")
    (bundle,) = bundled(bundler, row(4, alone, joins))
    assert bundle.needs == [(1, 0, 1)]
    assert "after" not in read(bundle)[1]
    # Within one bundle it says so itself, whichever row it is.
    first, second = bundled(Bundler(most=5), opening(2, 2), member(3), row(4, joins), member(5))
    assert read(first)[4] == {"step": 4, "after": 2, "type": "account.open", "account": "9"}
    assert (first.needs, second.needs) == ([], [])


def test_the_rest_of_a_row_that_is_cut_needs_the_bundle_of_its_customer() -> None:
    plan = row(
        7,
        command("customer.register", 0, company="A"),
        *(command("account.open", n, after=(7, 0), account=f"{n}") for n in range(1, 4)),
    )
    first, second = bundled(Bundler(most=2), plan)
    assert (first.needs, second.needs) == ([], [(0, 0, 0), (1, 0, 0)])
    assert [step.get("after") for step in read(first)] == [None, 0]


def test_a_row_finds_its_customer_among_many_that_were_registered() -> None:
    bundler = Bundler(most=2)
    bundled(bundler, *(member(n) for n in range(10, 60, 10)))
    for number in (10, 30, 50):
        joins = command("account.open", 0, after=(number, 0), account="x")
        (bundle,) = bundled(bundler, row(99, joins))
        assert bundle.needs == [(0, number // 10 - 1, 0)]


@pytest.mark.parametrize("number", [5, 15, 60])
def test_a_row_that_registers_nobody_is_nobodys_base(number: int) -> None:
    bundler = Bundler()
    bundled(bundler, member(10), opening(15), member(20))
    joins = command("account.open", 0, after=(number, 0), account="x")
    with pytest.raises(LookupError, match=f"row {number} registers nobody"):
        bundled(bundler, row(99, joins))


def test_a_bundle_says_whether_it_changes_what_there_was_and_what_that_was() -> None:
    change = command("customer.change", 1, before={"city": "Houten"}, customer_id="a", city="Zeist")
    (mixed,) = bundled(Bundler(), row(2, *opening(2).commands, change))
    assert (mixed.changing, mixed.before) == (True, {1: {"city": "Houten"}})
    (link,) = bundled(Bundler(), row(2, command("account.link", account="1", customer_id="a")))
    assert (link.changing, link.before) == (True, {})
    (new,) = bundled(Bundler(), member(2))
    assert (new.changing, new.before) == (False, {})


def test_a_command_without_its_words_is_not_left_out_in_silence() -> None:
    plan = member(2)
    with pytest.raises(ValueError, match="zip"):
        Bundler().bundled([(plan, [worded(plan.commands[0])])])
