"""How much a compressed batch of records may unpack to.

A topic's limit counts compressed bytes: of zeros 256 KiB unpack to gigabytes, and a worker that
takes them all in is killed for its memory, comes back, and fetches the same batch (decision 149).
"""

from __future__ import annotations

import gzip
import io
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import cramjam
import structlog
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch

from runtime.faults import Said

log = structlog.get_logger()

MIB = 1024 * 1024
MOST_OF_A_BATCH = 16 * MIB
"""Eight times the largest record of any topic: no batch of real messages comes near. What eight
partitions hold at once has room in a worker."""
ENOUGH_BYTES = 8 * MIB
"""Of one partition no more is taken up at once than what reaches this, however few records."""
_USUAL = 16
"""JSON is seldom packed tighter: so much room is tried first."""


class TooGreat(Said):
    """A batch unpacks to more than it may."""

    def __init__(self) -> None:
        super().__init__(f"its batch unpacks to more than {MOST_OF_A_BATCH // MIB} MiB")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Stands for a record whose bytes aiokafka can't take apart (a header's name that is no text),
    or for a batch that unpacks to too much; then its offset is that of the batch's last.

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


def _into(decompress: Callable[[Any, bytearray], int]) -> Callable[[Any], bytes]:
    def unpack(payload: Any) -> bytes:
        for room in (_USUAL * len(payload) + 4096, MOST_OF_A_BATCH):
            place = bytearray(min(room, MOST_OF_A_BATCH))
            try:
                length = decompress(payload, place)
            except cramjam.DecompressionError:
                continue  # of a batch that Kafka took: there was not room enough
            return bytes(memoryview(place)[:length])
        raise TooGreat

    return unpack


def _gunzip(payload: Any) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(payload)) as packed:
        content = packed.read(MOST_OF_A_BATCH + 1)
    if len(content) > MOST_OF_A_BATCH:
        raise TooGreat
    return content


class _Fetched(fetcher.FetchResult):  # type: ignore[misc]
    """What was fetched of a partition, given out until it is enough."""

    _partition_records: Any

    def getall(self, max_records: int | None = None) -> list[Any]:
        """As aiokafka's, which counts records alone."""
        if not self.check_assignment(self._topic_partition) or not self.has_more():
            return []
        found: list[Any] = []
        size = 0
        more = True
        try:
            for record in self._partition_records:
                found.append(record)
                size += len(record.value or b"") + len(record.key or b"")
                if record.headers:
                    size += sum(len(name) + len(value or b"") for name, value in record.headers)
                if size >= ENOUGH_BYTES or len(found) == max_records:
                    break
            else:
                more = False
        except TooGreat as fault:  # enough, too: it took as long, and as much memory
            found.append(self._step_over(_end_of(fault.__traceback__)))
        self._update_position()
        if not more:
            self._partition_records = None
        return found

    def _step_over(self, end: int) -> Unreadable:
        """What stands for the batch that ends before this offset; the next one is gone on with,
        for that one was taken out before it was unpacked."""
        records = self._partition_records
        records.next_fetch_offset = end
        records._records_iterator = records._unpack_records()
        tp = self._topic_partition
        log.error("unreadable batch", topic=tp.topic, partition=tp.partition, offset=end - 1)
        return Unreadable(
            topic=tp.topic,
            partition=tp.partition,
            offset=end - 1,
            timestamp=int(time.time() * 1000),
            cause=str(TooGreat()),
        )


def _end_of(trace: TracebackType | None) -> int:
    """The offset after the batch that is not unpacked: aiokafka raises from the loop that holds
    it, and holds it nowhere else."""
    while trace is not None:
        batch = trace.tb_frame.f_locals.get("next_batch")
        if batch is not None:
            return int(batch.next_offset)
        trace = trace.tb_next
    raise LookupError("aiokafka unpacks in another way")


def bound() -> None:
    """Give aiokafka, which has no bounds, these ones. Snappy packs no tighter than 1 to 21."""
    packing: Any = sys.modules[DefaultRecordBatch.__module__]
    packing.gzip_decode = _gunzip
    packing.lz4_decode = _into(cramjam.lz4.decompress_into)
    packing.zstd_decode = _into(cramjam.zstd.decompress_into)
    fetcher.FetchResult = _Fetched
