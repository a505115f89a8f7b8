"""Lists as PostgreSQL's arrays: what asyncpg is told of them changes nothing but the time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from runtime import database
from tests.support.databases import Database

ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
TEXTS = ["", "NULL", 'with "quotes", a comma and a \\', "{braces}", "é🍺", None]


@pytest.mark.parametrize(
    ("kind", "given", "got"),
    [
        ("int[]", [1, None, -5], [1, None, -5]),
        ("bigint[]", (2**62, 0), [2**62, 0]),
        ("text[]", TEXTS, TEXTS),
        ("bool[]", [True, False, None], [True, False, None]),
        ("uuid[]", [ID, None], [UUID(ID), None]),
        ("bytea[]", [b"", b"\0a"], [b"", b"\0a"]),
        ("jsonb[]", ['{"a": [1]}'], ['{"a": [1]}']),
        ("timestamptz[]", [datetime(2026, 11, 1, tzinfo=UTC)], [datetime(2026, 11, 1, tzinfo=UTC)]),
        ("int[]", [], []),
        ("int[]", [[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ("text[]", [["a"], ["b"]], [["a"], ["b"]]),
    ],
)
async def test_a_list_arrives_as_it_was_given(
    postgres: Database, kind: str, given: Sequence[Any], got: Sequence[Any]
) -> None:
    its = database.Database(postgres.dsn("ledger"))
    try:
        assert (await its.fetch(f"SELECT $1::{kind} AS found", given))[0]["found"] == got
    finally:
        await its.close()


@pytest.mark.parametrize("given", ["abc", b"abc", {"a": 1}, 5, [[1], 2]])
async def test_what_is_no_list_of_one_kind_is_refused(postgres: Database, given: Any) -> None:
    its = database.Database(postgres.dsn("ledger"))
    try:
        with pytest.raises((asyncpg.DataError, ValueError)):
            await its.fetch("SELECT $1::int[]", given)
    finally:
        await its.close()


def test_asyncpg_tells_lists_by_what_it_was_told() -> None:
    """Where a newer asyncpg has another way, this says so: then docs/decisions/0087 is to be looked
    at again, and nothing else is wrong."""
    database._know_lists()
    told = vars(asyncpg.protocol.protocol)["IterableABC"]
    assert told == (list, tuple)
    source = Path(asyncpg.__file__).parent / "protocol" / "codecs" / "array.pyx"
    assert "isinstance(obj, IterableABC)" in source.read_text()
