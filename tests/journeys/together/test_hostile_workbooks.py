"""One importer, the real one, is given hostile files and a good one, all at once.

Each is answered, the good one is previewed, the worker is the same process as before and has
grown by less than what any of the files would have unpacked to.
"""

import base64
import hashlib
import uuid
from pathlib import Path

from tests.outside.wire import Json, Wire, new_id, now
from tests.services.importer.corpus import all_samples
from tests.support.stacks import Stack

ENV = 2893
FILES = (
    "a shared string table that explodes", "a billion laughs", "cut in half",
    "tags in tags in tags", "a directory of a hundred thousand entries", "an entity from outside",
    "a workbook with a password", "10,000 sheets", "a good file",
)  # fmt: skip
PART = 700_000
ENDS = ("import.previewed", "import.failed")


async def open_venue(wire: Wire) -> None:
    asked = [
        {"type": "environment.configure", "name": "Bar", "language": "nl"},
        {"type": "environment.accept_gdpr", "accepted_by": "M. de Vries", "document": "v3"},
        {"type": "environment.activate"},
    ]
    for command in asked:
        common = {"command_id": new_id(), "environment": ENV, "at": now(), "by": "test"}
        await wire.say("registry.commands", {**common, **command})
    await wire.flush()
    await wire.wait(lambda e: bool(e.get("gdpr")), type="environment.state", environment=ENV)


async def upload(wire: Wire, content: bytes) -> str:
    job = str(uuid.uuid4())
    pieces = [content[i : i + PART] for i in range(0, len(content), PART)] or [b""]
    for number, piece in enumerate(pieces, start=1):
        message: Json = {
            "type": "import.uploaded", "job_id": job, "environment": ENV, "mode": "preview",
            "file_name": "leden.xlsx", "sha256": hashlib.sha256(content).hexdigest(), "by": "test",
            "part": number, "parts": len(pieces), "content": base64.b64encode(piece).decode(),
        }  # fmt: skip
        await wire.say("imports.uploads", message)
    return job


def resident(pid: int) -> int:
    """What a process has in memory, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(x for x in status.splitlines() if x.startswith("VmRSS")).split()[1]) * 1024


async def test_a_worker_refuses_them_and_serves_the_next(stack: Stack) -> None:
    made = all_samples()
    pid = stack.pid("importer-1")
    assert pid is not None
    async with Wire(stack.info["kafka"]) as wire:
        await open_venue(wire)
        before = resident(pid)
        jobs = {name: await upload(wire, made[name].make()) for name in FILES}
        await wire.flush()
        for name, job in jobs.items():
            (answer, *_) = await wire.wait(
                lambda e: e.get("type") in ENDS, job_id=job, within_s=120
            )
            assert answer.body.get("reason", "preview") == made[name].ends
            assert answer.body["type"] == "import.previewed" or answer.body["message"]
        assert stack.pid("importer-1") == pid
        assert resident(pid) - before < 96 * 2**20
        assert not [one for one in wire.seen if one.topic == "importer.dead-letters"]
