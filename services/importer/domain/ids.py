"""Ids that are made from the job and the row, and so are the same in every run of the job."""

from __future__ import annotations

import uuid
from functools import lru_cache

_space = lru_cache(maxsize=16)(uuid.UUID)
"""The job's id as the space that ids are made in."""


def customer_id(job_id: str, environment: int, row: int) -> str:
    """The id of the customer that a row makes: the same in every run of the job."""
    return str(uuid.uuid5(_space(job_id), f"{environment}/customer/{row}"))


def bundle_id(job_id: str, environment: int, number: int) -> str:
    """The id of the command that asks for a bundle: the same in every run of the job."""
    return str(uuid.uuid5(_space(job_id), f"{environment}/bundle/{number}"))


def undo_id(job_id: str, environment: int, kind: str, ident: str, act: str) -> str:
    """The id of a command that takes something of a job back."""
    return str(uuid.uuid5(_space(job_id), f"{environment}/undo/{kind}/{ident}/{act}"))
