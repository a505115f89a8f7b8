"""Documents are made in other processes, which may die, and which never outlive the worker."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from runtime.faults import Fault, fault_of
from services.invoicer.rendering import RendererDied, Rendering, TakesTooLong, memory
from tests.services.invoicer.world import World, said, sale

# What is called is Python's own: of a function here the other process would load all that this
# file needs, which takes it a second.
SMAPS, MAPS = Path("/proc/self/smaps"), Path("/proc/self/maps")


def heap_flags(smaps: str) -> set[str]:
    """What the kernel was told of a process's heap (man 5 proc_pid_smaps)."""
    _, _, heap = smaps.partition("[heap]")
    flags = re.search(r"^VmFlags:(.*)$", heap, re.MULTILINE)
    return set() if flags is None else set(flags[1].split())


async def test_typst_s_memory_is_asked_for_in_huge_pages_where_the_kernel_gives_them() -> None:
    huge = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if "[madvise]" not in (huge.read_text() if huge.exists() else ""):
        pytest.skip("this kernel gives them to all, or to nobody")
    assert "hg" in heap_flags(await Rendering(1, libraries=()).call(Path.read_text, SMAPS))
    assert "hg" not in heap_flags(SMAPS.read_text())


def mapped(maps: str) -> set[str]:
    """The files that a process has in its memory."""
    return set(re.findall(r"(?<= )/.*", maps))


async def test_jemalloc_is_loaded_where_a_folder_of_libraries_has_it(tmp_path: Path) -> None:
    """Any library will do to see that the one of that name is loaded, and first of all."""
    some = next(
        file for file in sorted(mapped(MAPS.read_text())) if re.search(r"/lib(m|z|dl|c)[.-]", file)
    )
    theirs = tmp_path / "lib" / "libjemalloc.so.2"
    theirs.parent.mkdir()
    shutil.copy(some, theirs)
    rendering = Rendering(1, libraries=(tmp_path, theirs.parent))
    assert str(theirs) in mapped(await rendering.call(Path.read_text, MAPS))
    without = Rendering(1, libraries=(tmp_path,))
    assert str(theirs) not in mapped(await without.call(Path.read_text, MAPS))


def test_what_the_operator_says_of_malloc_stands(tmp_path: Path) -> None:
    (tmp_path / "libjemalloc.so.2").touch()
    found = memory({}, (tmp_path,))
    assert found["LD_PRELOAD"] == str(tmp_path / "libjemalloc.so.2")
    assert set(found) == {"LD_PRELOAD", "MALLOC_CONF", "GLIBC_TUNABLES"}
    assert set(memory({}, ())) == {"GLIBC_TUNABLES"}
    said = dict.fromkeys(found, "theirs")
    assert memory({**said, "HOME": "/"}, (tmp_path,)) == {**said, "HOME": "/"}


async def test_a_killed_process_is_a_fault_of_the_surroundings_and_is_replaced() -> None:
    rendering = Rendering(1)
    first = await rendering.call(os.getpid)
    assert first != os.getpid()
    with pytest.raises(RendererDied) as caught:
        await rendering.call(os.kill, first, signal.SIGKILL)
    assert fault_of(caught.value) is Fault.SURROUNDINGS
    assert await rendering.call(os.getpid) not in (first, os.getpid())


async def test_a_document_that_never_ends_is_ended_and_others_are_made() -> None:
    rendering = Rendering(1, limit_s=20)
    first = await rendering.call(os.getpid)
    rendering._limit_s = 1
    with pytest.raises(TakesTooLong) as caught:
        await rendering.call(time.sleep, 600)
    assert fault_of(caught.value) is Fault.OWN  # after three times finance is told
    rendering._limit_s = 20
    assert await rendering.call(os.getpid) not in (first, os.getpid())
    assert not _runs(first)


WORKER = """
import asyncio, os, sys, time
from services.invoicer.rendering import Rendering
async def main():
    print(await Rendering(1).call(os.getpid), flush=True)
    time.sleep(60)
if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_they_end_with_a_worker_that_is_killed(tmp_path: object) -> None:
    script = tmp_path / "worker.py"  # type: ignore[operator]
    script.write_text(WORKER)
    worker = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    other = int(await asyncio.to_thread(worker.stdout.readline))
    assert psutil.pid_exists(other)
    worker.kill()
    worker.wait()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _runs(other):
        await asyncio.sleep(0.05)
    assert not _runs(other)
    worker.stdout.close()


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_document_that_cannot_be_made_is_told_to_finance(world: World) -> None:
    await world.guests("A1")
    await world.sell(sale("A1"))
    await world.run("run")
    async with world.bench.database.connection() as connection:
        await connection.execute("UPDATE sale_line SET quantity = 'odd'")
    for _ in range(3):
        told = await world.jobs("document")
        await world.bench.make_due("document")
    (undeliverable,) = said(told, "invoice.undeliverable")
    assert undeliverable["reason"] == "document_failed"
