"""PostgreSQL's time, told without asking: never ahead, not for long, and never set back."""

from datetime import UTC, datetime, timedelta

from runtime.haste import FOR_S, NEAR_S, SHY_S, Haste

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


class Hand:
    """A clock that is moved by hand; seconds."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def passed(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_time_goes_on_from_when_it_was_told_and_is_asked_anew_after_a_second() -> None:
    clock = Hand()
    haste = Haste(clock)
    assert haste.now(few=True) is None
    haste.told(NOON, haste.asks())
    clock.at += FOR_S
    assert haste.now(few=True) == passed(FOR_S)
    clock.at += 0.001
    assert haste.now(few=True) is None


def test_an_answer_that_waited_for_a_lock_tells_no_time() -> None:
    clock = Hand()
    haste = Haste(clock)
    asked = haste.asks()
    clock.at = asked + NEAR_S + 0.01
    haste.told(NOON, asked)
    assert haste.now(few=True) is None
    clock.at = 0.0
    asked = haste.asks()
    clock.at = NEAR_S  # as long as it may take
    haste.told(NOON, asked)
    assert haste.now(few=True) == NOON


def test_an_answer_that_came_late_sets_nothing_back() -> None:
    clock = Hand()
    haste = Haste(clock)
    slow = haste.asks()
    clock.at += 0.04
    haste.told(passed(0.04), haste.asks())
    clock.at += 0.05
    haste.told(passed(0.01), slow)
    assert haste.now(few=True) == passed(0.09)
    haste.told(passed(0.095), haste.asks())  # PostgreSQL's clock is what counts
    assert haste.now(few=True) == passed(0.095)
    haste.failed()  # many are not tried for a while; few still go by this time
    haste.told(passed(0.01), slow)
    assert haste.now(few=True) == passed(0.095)


def test_many_are_not_tried_for_a_second_after_a_failure_and_few_are() -> None:
    clock = Hand()
    haste = Haste(clock)
    haste.failed()
    clock.at += SHY_S - 0.5
    haste.told(NOON, haste.asks())
    assert haste.now(few=False) is None
    assert haste.now(few=True) == NOON
    clock.at += 0.5
    assert haste.now(few=False) == passed(0.5)
