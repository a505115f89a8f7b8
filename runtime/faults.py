"""Whose fault a failure is: the record's, the moment's or the surroundings'.

The distinction guards money. Only what is a record's own fault may become a dead letter; a
deadlock is decided again; everything else is waited out, without end (docs/architecture.md).
"""

from __future__ import annotations

from enum import Enum, auto

import asyncpg
from aiokafka.errors import KafkaError


class Fault(Enum):
    """What a failure calls for."""

    AGAIN = auto()  # a deadlock, a serialization failure, a race for a key: decide once more
    OWN = auto()  # the record's or the handler's own fault
    SURROUNDINGS = auto()  # PostgreSQL, Kafka, the network, disk, grants: wait


class Said(Exception):
    """A failure whose own words are ours, and hold nothing of the data."""


class Stopping(Exception):
    """The worker is told to stop; what is in hand is left to redelivery."""


class StoreWentBack(Said):
    """PostgreSQL or Kafka stands at an earlier moment than what was already answered."""


class RecordsGone(StoreWentBack):
    """Kafka deleted records that nobody had decided."""


class LeaseLost(Said):
    """Another worker has taken over this job."""


# https://www.postgresql.org/docs/current/errcodes-appendix.html
_AGAIN = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "55P03",  # lock_not_available (lock_timeout)
    "23505",  # unique_violation: another worker recorded the same id first
}


def fault_of(error: BaseException) -> Fault:
    """Classify what a batch's transaction raised.

    SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation) and exceptions
    of the handler's own code are `OWN`; a unique violation is `AGAIN` (the caller gives up on
    it, as on `OWN`, when a record alone keeps failing).
    """
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        if state in _AGAIN:
            return Fault.AGAIN
        # in_failed_sql_transaction: the handler's own code went on after a failed statement
        return Fault.OWN if state[:2] in ("22", "23") or state == "25P02" else Fault.SURROUNDINGS
    if isinstance(error, asyncpg.InterfaceError):
        # asyncpg refuses an argument that does not fit its type before it is sent
        return Fault.OWN if isinstance(error, ValueError) else Fault.SURROUNDINGS
    if isinstance(error, asyncpg.InternalClientError):
        return Fault.SURROUNDINGS  # a connection cut within a message
    if isinstance(
        error, (OSError, TimeoutError, KafkaError, MemoryError, StoreWentBack, LeaseLost)
    ):
        return Fault.SURROUNDINGS
    return Fault.OWN


def has_itself_to_blame(error: BaseException) -> bool:
    """Whether a failure counts against what fails alone again and again.

    A unique violation does: it is a race once, for the key stands there at the next try. Deadlocks,
    serialization failures and lock time-outs never do.
    """
    return fault_of(error) is Fault.OWN or isinstance(error, asyncpg.UniqueViolationError)


def describe(error: BaseException) -> str:
    """What an operator needs of a failure, and nothing of the data that caused it.

    PostgreSQL's DETAIL and asyncpg's argument errors quote values, so only class, SQLSTATE and
    the names of table and constraint are given.
    """
    if isinstance(error, asyncpg.PostgresError):
        parts = [type(error).__name__, f"SQLSTATE {error.sqlstate}"]
        parts += [
            f"{name} {value}"
            for name in ("table", "column", "constraint")
            if (value := getattr(error, f"{name}_name", None))
        ]
        return ", ".join(parts)
    if isinstance(error, Said):
        return str(error)
    where = ""
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        where = f" at {code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    if isinstance(error, (OSError, KafkaError)):
        silent = "no answer in time" if isinstance(error, TimeoutError) else "no more is said"
        # Some of aiokafka's words begin with their class, and go on over several lines.
        said = " ".join(str(error).split()).removeprefix(f"{type(error).__name__}: ")
        return f"{type(error).__name__}: {said or silent}"[:300]
    return f"{type(error).__name__}{where}"
