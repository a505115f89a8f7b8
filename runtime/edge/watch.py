"""Looks at Kafka from beside the group: which topics exist, where logs end, what was committed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError, for_code
from aiokafka.protocol.group import LeaveGroupRequest
from aiokafka.structs import TopicPartition

from runtime.edge.guard import Logs, Place, Read
from runtime.faults import Said, describe
from runtime.reachable import split

TIMEOUT_S = 10.0
REQUEST_MS = 5_000
KAFKA_PORT = 9092


class MissingTopics(Said):
    """Topics that this worker reads or writes are not there."""


class Watch:
    """A connection of its own, opened when first used, opened anew after a fault."""

    def __init__(self, client: dict[str, Any], group: str) -> None:
        self._client = client
        self._group = group
        self._admin: AIOKafkaAdminClient | None = None
        self._reader: AIOKafkaConsumer | None = None
        self._lock = asyncio.Lock()

    async def topics(self) -> set[str]:
        """The names of all topics. Raises KafkaError, OSError or TimeoutError."""
        async with self._lock, self._fresh_on_fault():
            return set(await asyncio.wait_for((await self._admins()).list_topics(), TIMEOUT_S))

    async def find(self, topics: Collection[str]) -> None:
        """Return where all of these topics are there. Raises MissingTopics, and as `topics`."""
        missing = set(topics) - await self.topics()
        if missing:
            raise MissingTopics(
                f"missing on {self._client['bootstrap_servers']}: {', '.join(sorted(missing))}; "
                "create what is missing with `onaccount topics apply`"
            )

    async def ends(self, topics: Iterable[str]) -> dict[str, dict[int, int]]:
        """topic -> partition -> end offset, of partitions that hold at least one record.

        Raises KafkaError, OSError or TimeoutError.
        """
        async with self._lock, self._fresh_on_fault():
            places = await self._places(topics)
            reader = await self._readers()
            ends = await asyncio.wait_for(reader.end_offsets(places), TIMEOUT_S)
            begins = await asyncio.wait_for(reader.beginning_offsets(places), TIMEOUT_S)
        found: dict[str, dict[int, int]] = {t: {} for t in topics}
        for tp, end in ends.items():
            if end > begins[tp]:
                found[tp.topic][tp.partition] = end
        return found

    async def logs(self, topics: Iterable[str]) -> Logs:
        """Where every partition of these topics begins and ends."""
        async with self._lock, self._fresh_on_fault():
            places = await self._places(topics)
            reader = await self._readers()
            begins = await asyncio.wait_for(reader.beginning_offsets(places), TIMEOUT_S)
            ends = await asyncio.wait_for(reader.end_offsets(places), TIMEOUT_S)
            return Logs(begins, ends)

    async def cut(self, read: Mapping[Place, Read]) -> list[Place]:
        """Those whose log has another record there than the one that was read, or none.

        A log's times only grow, so mostly the first record of that time or later says so. What is
        in doubt is fetched: a topic may once have had its senders' times.
        Raises KafkaError, OSError or TimeoutError.
        """
        asked = {TopicPartition(*place): known for place, known in read.items()}
        async with self._lock, self._fresh_on_fault():
            reader = await self._readers()
            first = await asyncio.wait_for(
                reader.offsets_for_times({tp: known.at for tp, known in asked.items()}), TIMEOUT_S
            )
            return [
                Place(*tp)
                for tp, known in asked.items()
                if getattr(first[tp], "timestamp", None) != known.at
                and not await _stands(reader, tp, known)
            ]

    async def committed(self) -> dict[TopicPartition, int]:
        """All offsets that the group has committed."""
        async with self._lock, self._fresh_on_fault():
            admin = await self._admins()
            found = await asyncio.wait_for(
                admin.list_consumer_group_offsets(self._group), TIMEOUT_S
            )
            return {tp: max(0, at.offset) for tp, at in found.items()}

    async def take_out(self, name: str) -> int:
        """Take out of the group what a killed worker of this name left there; gives how many
        members that were. Kafka lets nobody of the group read until it has missed them, which
        takes a session's time-out (decision 139). One that lives all the same joins again.

        Raises KafkaError, OSError or TimeoutError.
        """
        async with self._lock, self._fresh_on_fault(), asyncio.timeout(TIMEOUT_S):
            admin = await self._admins()
            coordinator = await admin.find_coordinator(self._group)
            (found,) = await admin.describe_consumer_groups([self._group], coordinator)
            ((error, _, _, _, _, members, *_),) = found.groups
            if error:
                raise for_code(error)(self._group)
            left = [member for member, its_name, *_ in members if its_name == name]
            for member in left:
                request = LeaveGroupRequest(self._group, member)
                await admin._send_request(request, coordinator)
            return len(left)

    async def _places(self, topics: Iterable[str]) -> list[TopicPartition]:
        described = await asyncio.wait_for(
            (await self._admins()).describe_topics(sorted(topics)), TIMEOUT_S
        )
        for topic in described:
            # A topic that can't be asked for now is not an empty one: a barrier without it lies.
            if topic["error_code"]:
                raise for_code(topic["error_code"])(topic["topic"])
        return [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in described
            for partition in topic["partitions"]
        ]

    async def _admins(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            admin = AIOKafkaAdminClient(**self._client, request_timeout_ms=REQUEST_MS)
            try:
                await asyncio.wait_for(admin.start(), TIMEOUT_S)
            except BaseException as error:
                with contextlib.suppress(Exception):
                    await admin.close()
                if isinstance(error, KafkaConnectionError):
                    raise await _told_why(self._client, error) from error
                raise
            self._admin = admin
        return self._admin

    async def _readers(self) -> AIOKafkaConsumer:
        if self._reader is None:
            reader = AIOKafkaConsumer(
                **self._client, enable_auto_commit=False, request_timeout_ms=9_000
            )
            try:
                await asyncio.wait_for(reader.start(), TIMEOUT_S)
            except BaseException:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(reader.stop(), 1)
                raise
            self._reader = reader
        return self._reader

    @contextlib.asynccontextmanager
    async def _fresh_on_fault(self) -> Any:
        try:
            yield
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        admin, self._admin = self._admin, None
        reader, self._reader = self._reader, None
        with contextlib.suppress(Exception):
            if admin is not None:
                await asyncio.wait_for(admin.close(), 1)
        with contextlib.suppress(Exception):
            if reader is not None:
                await asyncio.wait_for(reader.stop(), 1)


async def _stands(reader: AIOKafkaConsumer, tp: TopicPartition, read: Read) -> bool:
    """Whether there is a record at this offset that was appended then."""
    reader.assign([tp])
    try:
        reader.seek(tp, read.offset)
        found = await reader.getmany(tp, timeout_ms=REQUEST_MS, max_records=1)
    finally:
        reader.unsubscribe()
    return any(r.offset == read.offset and r.timestamp == read.at for r in found.get(tp, ()))


async def _told_why(client: dict[str, Any], error: KafkaConnectionError) -> KafkaConnectionError:
    """The same with a cause: of a wrong password, a certificate that is not trusted and a broker
    that is away aiokafka says one thing, that it is "unable to bootstrap", and logs the rest."""
    places = [place.strip() for place in client["bootstrap_servers"].split(",")]
    login = {k: v for k, v in client.items() if k.startswith(("security", "ssl", "sasl"))}
    causes = await asyncio.gather(*(_refusal(place, login) for place in places))
    if None in causes:
        return error  # it is back
    told = (f"{place} ({why})" for place, why in zip(places, causes, strict=True))
    return KafkaConnectionError("can't be spoken to: " + ", ".join(told))


async def _refusal(place: str, login: dict[str, Any]) -> str | None:
    """Why no connection comes about; None where one does."""
    host, port = split(place)
    asked = {"host": host, "port": int(port or KAFKA_PORT), "request_timeout_ms": REQUEST_MS}
    try:
        (await asyncio.wait_for(create_conn(**asked, **login), TIMEOUT_S)).close()
    except Exception as refusal:
        return describe(refusal)
    return None
