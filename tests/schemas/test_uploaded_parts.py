"""A part of an upload at the very edge of what it may hold."""

from base64 import b64encode
from typing import Any

import pytest

from schemas.imports import MAX_PART_BYTES, ImportUploaded
from schemas.malformed import Malformed
from schemas.wire import decode
from tests.schemas.message_strategies import SALE_ID, as_bytes


def uploaded(size: int) -> Any:
    message = {
        "type": "import.uploaded", "job_id": SALE_ID, "environment": 2890, "by": "Ans",
        "file_name": "leden.xlsx", "sha256": "0" * 64, "part": 1, "parts": 1, "mode": "preview",
        "content": b64encode(b"x" * size).decode(),
    }  # fmt: skip
    return decode("imports.uploads", as_bytes(message))


@pytest.mark.parametrize("fewer", [0, 1, 2, 3])
def test_a_part_may_hold_seven_hundred_thousand_bytes(fewer: int) -> None:
    assert MAX_PART_BYTES == 700_000
    assert isinstance(uploaded(MAX_PART_BYTES - fewer), ImportUploaded)


@pytest.mark.parametrize("more", [1, 2, 3, 4])
def test_one_byte_more_is_refused_whatever_base64_has_room_for(more: int) -> None:
    """700,000, 700,001 and 700,002 bytes are as many letters of base64."""
    found = uploaded(MAX_PART_BYTES + more)
    assert isinstance(found, Malformed)
    assert (found.field, found.answered_by) == ("content", "import.failed")
    if more < 3:
        assert found.message == "must be base64 of at most 700,000 bytes"
