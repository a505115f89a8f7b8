"""A consumer that waits out what can't be fetched and loses nothing that was."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import ConsumerStoppedError, KafkaError
from aiokafka.structs import TopicPartition

from runtime.edge.backoff import Backoff
from runtime.faults import describe
from runtime.status import Status

log = structlog.get_logger()

POLL_MS = 1_000
MOST_AT_ONCE = 10_000


class BatchDropped(Exception):
    """FastStream did not hand a fetched batch to its lane: the next commit would skip it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Stands for a record whose bytes aiokafka can't take apart (a header's name that is no text).

    It has a record's fields, and nothing in them; the bytes stand where it came from.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    cause: str
    key: None = None
    value: None = None
    headers: tuple[()] = ()


class PatientConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """Returns from `getmany` only with records, so that FastStream never sleeps in between.

    It waits out what can't be fetched, which FastStream would pass over in silence; puts back
    what aiokafka took up and lost when it stumbled over another partition; and ends the process
    where a batch that it gave was never taken, since FastStream swallows what goes wrong on the
    way to the handler. Without a `status` nobody is told.
    """

    def __init__(self, *args: Any, status: Status | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._status = status
        waits = None if status is None else status.waits
        # An event that is never set: closing cancels the loop that waits.
        self._backoff = Backoff(f"{kwargs.get('group_id')}: fetching", asyncio.Event(), waits)
        self.untaken: Any = None

    async def getmany(
        self, *partitions: Any, timeout_ms: int = 0, max_records: int | None = None
    ) -> Any:
        if self.untaken is not None and self._status is not None:
            self._status.broken("a fetched batch was dropped before it was decided")
            raise BatchDropped
        while True:
            stood = self._positions()
            try:
                found = await super().getmany(
                    *partitions, timeout_ms=POLL_MS, max_records=max_records
                )
            except ConsumerStoppedError:
                raise
            except Exception as error:
                stumbled = self._stumbled()
                self._put_back(stood)
                if stumbled is None or isinstance(error, KafkaError):
                    await self._backoff.pause(error)
                    continue
                found = await self._step_over(stumbled, error)
            self._backoff.over()
            if found:
                self.untaken = found
                return found

    # -- what aiokafka 0.14 does not do ---------------------------------------------------------

    def _positions(self) -> tuple[Any, dict[TopicPartition, int]]:
        subscription = self._subscription.subscription
        assignment = None if subscription is None else subscription.assignment
        if assignment is None:
            return None, {}
        states = ((tp, assignment.state_value(tp)) for tp in assignment.tps)
        return assignment, {tp: s.position for tp, s in states if s.has_valid_position}

    def _put_back(self, stood: tuple[Any, dict[TopicPartition, int]]) -> None:
        """Records of other partitions were taken up and lost with the exception: read them again.

        Where the assignment changed meanwhile nobody knows what was lost: the process ends.
        """
        assignment, before = stood
        now, positions = self._positions()
        if now is not assignment:
            if now is not None and assignment is not None and self._status is not None:
                self._status.broken("fetching failed within a rebalance")
            return
        for tp, position in before.items():
            if positions.get(tp) != position:
                self.seek(tp, position)

    def _stumbled(self) -> TopicPartition | None:
        """The partition at whose records the iteration broke off."""
        for tp, fetched in self._fetcher._records.items():
            records = getattr(fetched, "_partition_records", None)
            iterator = getattr(records, "_records_iterator", None)
            if iterator is not None and iterator.gi_frame is None:
                return TopicPartition(*tp)
        return None

    async def _step_over(self, tp: TopicPartition, error: Exception) -> dict[Any, list[Any]]:
        """Records of this partition one by one, up to the one that can't be read, and past it."""
        self.seek(tp, await self.position(tp))  # drops what was fetched: it is fetched anew
        found: list[Any] = []
        while len(found) < MOST_AT_ONCE:
            at = await self.position(tp)
            try:
                one = await super().getmany(tp, timeout_ms=POLL_MS, max_records=1)
            except KafkaError:
                self.seek(tp, at)
                break
            except Exception as again:
                log.error("unreadable record", topic=tp.topic, partition=tp.partition, offset=at)
                self.seek(tp, at + 1)
                found.append(
                    Unreadable(
                        topic=tp.topic,
                        partition=tp.partition,
                        offset=at,
                        timestamp=int(time.time() * 1000),
                        cause=describe(again),
                    )
                )
                break
            if not one:
                break  # it was something else, or the partition is ours no more
            found += one[tp]
        return {tp: found} if found else {}
