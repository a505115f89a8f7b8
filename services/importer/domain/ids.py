"""Ids that are made from the job and the row, and so are the same in every run of the job."""

from __future__ import annotations

import uuid
from functools import lru_cache
from hashlib import sha1

_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


@lru_cache(maxsize=16)
def _space(job_id: str) -> bytes:
    """The job's id as the space that ids are made in."""
    return uuid.UUID(job_id).bytes


def _made(job_id: str, name: str) -> str:
    """A UUID of version 5 (RFC 9562), as `uuid.uuid5` makes it in four times the time."""
    digits = sha1(_space(job_id) + name.encode(), usedforsecurity=False).hexdigest()
    last = f"{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:32]}"
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{last}"


def customer_id(job_id: str, environment: int, row: int) -> str:
    """The id of the customer that a row makes: the same in every run of the job."""
    return _made(job_id, f"{environment}/customer/{row}")


def bundle_id(job_id: str, environment: int, number: int) -> str:
    """The id of the command that asks for a bundle: the same in every run of the job."""
    return _made(job_id, f"{environment}/bundle/{number}")


def undo_id(job_id: str, environment: int, kind: str, ident: str, act: str) -> str:
    """The id of a command that takes something of a job back."""
    return _made(job_id, f"{environment}/undo/{kind}/{ident}/{act}")
