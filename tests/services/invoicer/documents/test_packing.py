"""The zip file around a workbook's parts, held against Python's own."""

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.invoicer.documents.packing import zipped

NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20)
TEXTS = st.text(max_size=200)


def by_zipfile(files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            packed.writestr(entry, content, compresslevel=1)
    return out.getvalue()


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(NAMES, TEXTS, max_size=8), st.sets(NAMES, max_size=4))
def test_it_is_what_zipfile_writes_of_the_same(files: dict[str, str], alike: set[str]) -> None:
    assert zipped(files, {*alike, *list(files)[::2]}) == by_zipfile(files)


def test_what_is_remembered_goes_by_its_content_and_not_by_its_name() -> None:
    for content in ("one", "two", "one" * 100_000, "one"):
        files = {"xl/styles.xml": content, "xl/a.xml": content * 2}
        made = zipped(files, {"xl/styles.xml"})
        assert made == by_zipfile(files)
        with zipfile.ZipFile(io.BytesIO(made)) as read:
            assert read.testzip() is None
            assert {name: read.read(name).decode() for name in read.namelist()} == files


def test_a_name_that_would_need_another_flag_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        zipped({"é.xml": ""}, ())
