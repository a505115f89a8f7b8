"""Two to four workers at once, statement by statement, in schedules that hypothesis chooses.

`make prove-interleavings` tries thousands; what is run here is a sample.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.proof import moves
from tests.proof.moves import Move, uid
from tests.proof.rig import Rig
from tests.proof.schedules import Schedule
from tests.proof.serial import Batch, Done, Family, find_order
from tests.services.authorizer.support import said
from tests.support.databases import Database
from tests.support.handlers import HandlerBench

pytestmark = pytest.mark.timeout(900)
EXAMPLES = int(os.environ.get("ONACCOUNT_SCHEDULES", "25"))
SETTINGS = settings(
    max_examples=EXAMPLES, deadline=None, derandomize="ONACCOUNT_SCHEDULES" not in os.environ,
    database=None, suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
)  # fmt: skip

Drawn = tuple[Family, Sequence[Any]]
READY: Sequence[Move] = (
    ("configure", {"language": "en"}), ("switch", "accept_gdpr"), ("switch", "activate"),
    ("open", 0, {"limit": 1_000, "on_account": True}),
    ("open", 1, {"limit": None, "on_account": True}),
)  # fmt: skip

few = st.integers(0, 2)  # ids, so that workers meet
sold = st.tuples(
    st.just("sale"), st.booleans(), few, st.sampled_from((0, 0, 1)), st.integers(0, 4),
    st.sampled_from((None,) * 8 + ("total", "currency")), st.just(0),
    st.just(moves.TOLD_AGO[0]), st.none(), st.sampled_from((None, None, None, 0, 1)),
)  # fmt: skip
taken_back = st.tuples(
    st.just("cancel"), few, few, st.one_of(st.none(), st.integers(1, 900)),
    st.sampled_from((0, 0, 1)), st.none(), st.just("returned"),
)  # fmt: skip
tills = st.tuples(
    st.just("tills"), st.lists(st.one_of(sold, sold, taken_back), min_size=1, max_size=3)
)
administrators = st.tuples(
    st.just("administrators"),
    st.lists(
        st.one_of(moves.configure_moves, moves.switch_moves, moves.open_moves, moves.change_moves),
        min_size=1, max_size=2,
    ),
)  # fmt: skip
finance = st.tuples(st.just("finance"), moves.finance_moves)
batches = st.one_of(tills, tills, tills, administrators, finance)
choices = st.lists(st.integers(0, 3), max_size=60)


@pytest.fixture(scope="module")
def rig(module_postgres: Database) -> Iterator[Rig]:
    made = Rig(module_postgres)
    yield made
    made.close()


@pytest.fixture(scope="module")
def workers(rig: Rig, module_postgres: Database) -> Iterator[HandlerBench]:
    bench = HandlerBench(module_postgres.dsn("authorizer"), size=6)
    rig.run(bench.__aenter__())
    yield bench
    rig.run(bench.__aexit__())


def made(environment: int, drawn: Drawn, number: int) -> Batch:
    """What was drawn, as the messages of one batch."""
    family, some = drawn
    names = [f"{environment}01", f"{environment}02", "x3"]
    now = datetime.now(UTC)
    messages = []
    for n, move in enumerate(some):
        if family == "administrators":
            id_ = uid(environment, "command", number, n)
            message = {**moves.command_message(environment, names, move), "command_id": id_}
        elif family == "finance":
            message = moves.finance_message(environment, names[move[2]], move)
            # One id, one content, whoever says it.
            message[f"{move[0]}_id"] = uid(environment, number, n)
        elif move[0] == "sale":
            message, _ = moves.sale_message(environment, names[move[3]], move, now)
        else:
            message = moves.cancel_message(environment, names[move[4]], move)
        messages.append(message)
    return Batch(family, messages, now)


def one_after_another(rig: Rig, some: Sequence[Batch]) -> list[Done]:
    done: list[Done] = []
    for batch in some:
        if batch.family == "tills":
            done.append((batch, rig.sell([(message, batch.time) for message in batch.messages])))
        elif batch.family == "administrators":
            done.append((batch, rig.order(batch.messages)))
        else:
            rig.account_for(batch.messages)
            done.append((batch, []))
    return done


@SETTINGS
@given(
    before=st.lists(batches, max_size=2),
    at_once=st.lists(batches, min_size=2, max_size=4),
    schedule=choices,
)
def test_batches_at_once_end_as_if_they_had_come_one_after_another(
    rig: Rig, workers: HandlerBench, before: list[Drawn], at_once: list[Drawn], schedule: list[int]
) -> None:
    environment = rig.new_environment()
    drawn: list[Drawn] = [("administrators", READY), *before]
    done = one_after_another(rig, [made(environment, one, n) for n, one in enumerate(drawn)])
    side_by_side = [made(environment, one, 10 + n) for n, one in enumerate(at_once)]
    scheduled = Schedule(workers, iter(schedule))
    answers = rig.run(scheduled.run([batch.work(rig.recent) for batch in side_by_side]))
    find_order(rig, environment, done, list(zip(side_by_side, answers, strict=True)))


@pytest.mark.parametrize("count", [2, 4])
@SETTINGS
@given(sizes=st.lists(st.integers(1, 4), min_size=4, max_size=4), room=st.integers(0, 9),
       schedule=choices)  # fmt: skip
def test_on_a_hot_account_exactly_as_many_sales_are_approved_as_there_is_room_for(
    rig: Rig,
    workers: HandlerBench,
    count: int,
    sizes: list[int],
    room: int,
    schedule: list[int],
) -> None:
    """n sales of 3.00 each at two or four workers, and room for k: exactly min(k, n) stand."""
    environment = rig.new_environment()
    limit = ("change", [0], {"limit": room * 300 + 299})
    one_after_another(rig, [made(environment, ("administrators", [*READY, limit]), 0)])
    now = datetime.now(UTC)
    work = []
    for worker, size in enumerate(sizes[:count]):
        sale = ("sale", False, 0, 0, 0, None, 0, moves.TOLD_AGO[0], None, None)
        message, _ = moves.sale_message(environment, f"{environment}01", sale, now)
        some = [{**message, "sale_id": uid(environment, worker, n)} for n in range(size)]
        work.append(Batch("tills", some, now).work(rig.recent))
    answers = rig.run(Schedule(workers, iter(schedule)).run(work))
    approved = [said(a) for some in answers for a in some if a.type == "sale.approved"]
    assert len(approved) == min(room, sum(sizes[:count]))
    assert sorted(one["used"] for one in approved) == [300 * n for n in range(1, len(approved) + 1)]
    accounts, _, _ = rig.standing(environment)
    (account,) = [one for one in accounts if one[0] == f"{environment}01"]
    assert 300 * len(approved) in account


@pytest.mark.parametrize("first", range(4))
def test_a_sale_is_decided_on_one_state_of_environment_and_account(
    rig: Rig, workers: HandlerBench, first: int
) -> None:
    """One command batch makes invoices no longer release the limit, and raises the limit. Before
    it the sale is over the limit, and after it too: with one of the two it would go through."""
    environment = rig.new_environment()
    bought = ("sale", False, 0, 0, 6, None, 0, moves.TOLD_AGO[0], None, None)  # 50.00
    done = one_after_another(
        rig,
        [
            made(environment, ("administrators", [*READY, ("change", [0], {"limit": 5_000})]), 0),
            made(environment, ("tills", [bought]), 1),
            made(environment, ("finance", [("invoice", 0, 0, [("21", 5_000)])]), 2),
            made(environment, ("administrators", [("change", [0], {"limit": 0})]), 3),
        ],
    )
    both = [("configure", {"limit_release": "paid"}), ("change", [0], {"limit": 5_000})]
    asked = ("sale", False, 1, 0, 0, None, 0, moves.TOLD_AGO[0], None, None)
    at_once = [
        made(environment, ("tills", [asked]), 10), made(environment, ("administrators", both), 11)
    ]  # fmt: skip
    schedule = [0] * first + [1] * 40
    work = [one.work(rig.recent) for one in at_once]
    answers = rig.run(Schedule(workers, iter(schedule)).run(work))
    find_order(rig, environment, done, list(zip(at_once, answers, strict=True)))
    assert said(answers[0][0])["reason"] == "over_limit"


def test_a_part_of_a_sale_that_another_worker_has_in_hand_may_be_unknown_and_nothing_more(
    rig: Rig, workers: HandlerBench
) -> None:
    """Found by a drawn schedule. The second worker looked for sales before the first had told of
    any, and for cancellations after it: of its two messages one came before, and one after."""
    environment = rig.new_environment()
    done = one_after_another(rig, [made(environment, ("administrators", READY), 0)])
    sale = ("sale", True, 1, 1, 0, None, 0, moves.TOLD_AGO[0], None, None)
    off, other = (("cancel", 1, 0, None, account, None, "returned") for account in (1, 0))
    part = ("cancel", 0, 1, 1, 0, None, "returned")
    at_once = [
        made(environment, ("tills", [sale, off]), 10),
        made(environment, ("tills", [other, part]), 11),
    ]
    work = [one.work(rig.recent) for one in at_once]
    answers = rig.run(Schedule(workers, iter([1, 1])).run(work))
    assert [said(answer)["reason"] for answer in answers[1]] == [
        "cancellation_id_reused", "sale_unknown",
    ]  # fmt: skip
    find_order(rig, environment, done, list(zip(at_once, answers, strict=True)))
    (again,) = rig.sell([(at_once[1].messages[1], at_once[1].time)])
    assert said(again)["reason"] == "not_this_account"
