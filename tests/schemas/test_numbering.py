"""Whether two number formats could ever write the same number."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.numbering import in_common, pattern
from schemas.values import NUMBER_FORMAT_PATTERN

texts = st.text("0129AC-. ", max_size=3)
seqs = st.sampled_from(["{seq}", "{seq:01}", "{seq:02}", "{seq:03}", "{seq:05}"])
formats = st.builds(
    lambda a, b, c, seq, first: (
        f"{a}{{year}}{b}{seq}{c}" if first else f"{a}{seq}{b}{{year}}{c}"
    ),
    texts, texts, texts, seqs, st.booleans(),
)  # fmt: skip
years = st.integers(1000, 9999)
numbers = st.one_of(st.integers(1, 120), st.integers(1, 2_000_000))


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("{year}-{seq:05}", "C{year}-{seq:05}", None),
        ("{year}-{seq:05}", "{year}-C{seq:05}", None),
        ("{year}-{seq:05}", "{year}.{seq:05}", None),
        ("{year}-{seq:05}", "{year}-{seq:04}", "1000-10000"),  # from the ten thousandth on
        ("{year}-{seq:05}", "{year}-0{seq:04}", "1000-01000"),
        ("{year}-{seq:05}", "{year}-9{seq:04}", "1000-91000"),  # from the ninety thousandth
        ("{year}-{seq}", "{seq}-{year}", "1000-1000"),  # the thousandth of some year
        ("{year}{seq:03}", "{seq:03}{year}", "1001100"),
        ("{year}-{seq:03}A", "{year}-{seq:03}", None),
        ("{year}-{seq:05}", "{year}-{seq:09}", "1000-100000000"),
    ],
)
def test_formats_meet_or_never_do(one: str, other: str, common: str | None) -> None:
    assert in_common(one, other) == common
    assert (in_common(other, one) is None) == (common is None)


@given(formats, years, numbers)
def test_a_format_reads_back_what_it_writes(fmt: str, year: int, seq: int) -> None:
    assert re.fullmatch(NUMBER_FORMAT_PATTERN, fmt)
    expression, year_group, seq_group = pattern(fmt)
    found = re.fullmatch(expression, fmt.format(year=year, seq=seq))
    assert found is not None
    assert (int(found[year_group]), int(found[seq_group])) == (year, seq)


@given(formats, formats)
def test_what_two_formats_have_in_common_both_of_them_write(one: str, other: str) -> None:
    written = in_common(one, other)
    if written is None:
        return
    for fmt in (one, other):
        expression, year_group, seq_group = pattern(fmt)
        found = re.fullmatch(expression, written)
        assert found is not None
        year, seq = int(found[year_group]), int(found[seq_group])
        assert seq >= 1
        assert fmt.format(year=year, seq=seq) == written


@given(formats, formats, years, numbers)
def test_formats_that_never_meet_read_nothing_of_one_another(
    one: str, other: str, year: int, seq: int
) -> None:
    written = one.format(year=year, seq=seq)
    expression, year_group, seq_group = pattern(other)
    found = re.fullmatch(expression, written)
    if found is None or int(found[year_group]) < 1000 or int(found[seq_group]) < 1:
        return
    if other.format(year=int(found[year_group]), seq=int(found[seq_group])) == written:
        assert in_common(one, other) is not None
