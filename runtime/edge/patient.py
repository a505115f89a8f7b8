"""A consumer that waits out what can't be fetched and loses nothing that was."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import ConsumerStoppedError, KafkaError
from aiokafka.structs import TopicPartition

from runtime.edge.backoff import Backoff
from runtime.edge.connections import tell_closed_ones
from runtime.edge.unpacking import Unreadable, bound
from runtime.faults import describe
from runtime.status import Status

log = structlog.get_logger()
bound()
tell_closed_ones()

POLL_MS = 1_000
MOST_AT_ONCE = 10_000
FEW = 256
"""Records of a batch during which nothing is fetched ahead; beyond it there is a backlog, and what
is fetched while one batch is decided is another."""

SILENCE_WAIT_MS = 500
"""How long Kafka may keep a fetch once nothing has come for POLL_MS. What comes is given at once
all the same; an idle consumer asks a fifth as often."""


class BatchDropped(Exception):
    """FastStream did not hand a fetched batch to its lane: the next commit would skip it."""


class GaveUp(Exception):
    """aiokafka met what it does not know, and does nothing for this consumer any more."""


class PatientConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """Returns from `getmany` only with records, so that FastStream never sleeps in between.

    It waits out what can't be fetched, which FastStream would pass over in silence; puts back
    what aiokafka took up and lost when it stumbled over another partition; and ends the process
    where a batch that it gave was never taken, since FastStream swallows what goes wrong on the
    way to the handler, or where aiokafka has given up. Without a `status` nobody is told.
    """

    def __init__(self, *args: Any, status: Status | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._status = status
        waits = None if status is None else status.waits
        # An event that is never set: closing cancels the loop that waits.
        self._backoff = Backoff(f"{kwargs.get('group_id')}: fetching", asyncio.Event(), waits)
        self.untaken: Any = None
        self._given: dict[TopicPartition, int] = {}
        self._given_of: Any = None
        self._wait_ms: int = self._fetch_max_wait_ms

    async def getmany(
        self, *partitions: Any, timeout_ms: int = 0, max_records: int | None = None
    ) -> Any:
        if self.untaken is not None and self._status is not None:
            self._status.broken("a fetched batch was dropped before it was decided")
            raise BatchDropped
        self.fetch_ahead()
        while True:
            try:
                found = await super().getmany(
                    *partitions, timeout_ms=POLL_MS, max_records=max_records
                )
            except ConsumerStoppedError:
                raise
            except Exception as error:
                self._still_at_work(error)
                stumbled = self._stumbled()
                await self._put_back()
                if stumbled is None or isinstance(error, KafkaError):
                    await self._backoff.pause(error)
                    continue
                found = await self._step_over(stumbled)
            self._backoff.over()
            # After so long a silence no partition is left out of a fetch: no record waits for it. A
            # question about a log's ends may, for Kafka answers a connection in order.
            self._keep_fetches_ms(self._wait_ms if found else SILENCE_WAIT_MS)
            if not found:
                self._still_at_work()
            else:
                self._note(found)
                self.untaken = found
                if sum(map(len, found.values())) <= FEW:
                    self._hold()
                return found

    def _hold(self) -> None:
        """Fetch nothing more for now.

        By itself aiokafka fetches ahead as soon as a batch is taken: it gets the first record that
        comes, and nothing more of any partition until that one is taken too. What comes while a
        batch is decided would mostly wait for two.
        """
        self.pause(*self.assignment())

    def fetch_ahead(self) -> None:
        """Fetch what has come meanwhile: the batch in hand is nearly done."""
        if held := self.paused():
            self.resume(*held)

    def whence(self) -> tuple[object, ...]:
        """The assignment, and the connections over which it is read: a log that lost its end did so
        while one was lost."""
        return self.assignment(), *self._client._conns.values()

    def _keep_fetches_ms(self, wait_ms: int) -> None:
        """Kafka may keep the next fetches that find nothing for so long, or the lane's time."""
        self._fetcher._fetch_max_wait_ms = max(self._wait_ms, wait_ms)

    # -- what aiokafka 0.14 does not do ---------------------------------------------------------

    def _assignment(self) -> Any:
        subscription = self._subscription.subscription
        return None if subscription is None else subscription.assignment

    def _note(self, found: dict[TopicPartition, list[Any]]) -> None:
        """How far this consumer gave records out, by partition, since they were assigned."""
        if self._given_of is not self._assignment():
            self._given, self._given_of = {}, self._assignment()
        self._given |= {tp: records[-1].offset + 1 for tp, records in found.items()}

    async def _put_back(self) -> None:
        """Records of other partitions were taken up and lost with the exception: read them again.

        From where they were given out to or, where none was, from what is committed.
        """
        while True:
            assignment = self._assignment()
            given = self._given if assignment is self._given_of else {}
            try:
                for tp in () if assignment is None else assignment.tps:
                    at = given.get(tp)
                    if at is None:
                        at = await self.committed(tp)
                    if at is None:
                        await self.seek_to_beginning(tp)
                    else:
                        self.seek(tp, at)
            except ConsumerStoppedError:
                raise
            except Exception as error:
                await self._backoff.pause(error)
            else:
                if assignment is self._assignment():
                    return

    def _still_at_work(self, error: Exception | None = None) -> None:
        """Ends the process where aiokafka has ended what fetches for this consumer, or keeps it in
        its group: neither begins again, and `getmany` gives nothing, or the same error, for ever.

        Raises GaveUp.
        """
        if self._status is None:
            return
        tasks = [self._fetcher._fetch_task, getattr(self._coordinator, "_coordination_task", None)]
        for task in filter(None, tasks):
            why = task.exception() if task.done() and not task.cancelled() else None
            if why is not None:  # closing cancels them
                self._status.broken(f"reads nothing any more: {describe(why)}")
                raise GaveUp from error

    def _stumbled(self) -> TopicPartition | None:
        """The partition at whose records the iteration broke off."""
        for tp, fetched in self._fetcher._records.items():
            records = getattr(fetched, "_partition_records", None)
            iterator = getattr(records, "_records_iterator", None)
            if iterator is not None and iterator.gi_frame is None:
                return TopicPartition(*tp)
        return None

    async def _step_over(self, tp: TopicPartition) -> dict[Any, list[Any]]:
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
