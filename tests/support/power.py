"""What a power cut takes: the end of a log, which the kernel had not written yet."""

import struct
from pathlib import Path

HEAD = struct.Struct(">qi")
"""Of a batch of records: its first offset, and how many bytes follow."""
COUNT = struct.Struct(">i")
COUNT_AT = 57


def batches_in(segment: Path) -> tuple[list[tuple[int, int]], int]:
    """Where each batch of a segment begins and how many records it has, and where the last ends."""
    content = segment.read_bytes()
    batches, at = [], 0
    while at + HEAD.size <= len(content) and (length := HEAD.unpack_from(content, at)[1]):
        batches.append((at, COUNT.unpack_from(content, at + COUNT_AT)[0]))
        at += HEAD.size + length
    return batches, at


def records_in(data: Path, topic: str, partition: int) -> int:
    """How many records the newest segment of a log has: what can be lost."""
    segment = max((data / f"{topic}-{partition}").glob("*.log"))
    return sum(count for _, count in batches_in(segment)[0])


def lose_end(data: Path, topic: str, partition: int, records: int) -> int:
    """Take whole batches off the end of a log, `records` or a few more, from the folder of a broker
    that was killed; gives how many. What it knew of the log besides is left to be found again."""
    folder = data / f"{topic}-{partition}"
    segment = max(folder.glob("*.log"))
    batches, end = batches_in(segment)
    lost = 0
    while lost < records:
        end, count = batches.pop()
        lost += count
    with segment.open("rb+") as file:
        file.truncate(end)
    for path in (*folder.glob("*.index"), *folder.glob("*.timeindex"), *folder.glob("*.snapshot")):
        path.unlink()
    for name in ("recovery-point-offset-checkpoint", "replication-offset-checkpoint"):
        (data / name).unlink(missing_ok=True)
    return lost
