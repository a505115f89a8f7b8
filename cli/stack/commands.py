"""`onaccount stack up` and `onaccount stack down`."""

import asyncio
import contextlib
import logging
import shlex
import shutil
import signal
from pathlib import Path

from cli.stack.folder import Folder
from cli.stack.plan import Wishes, plan
from cli.stack.process import end_leftovers, wait_until
from cli.stack.supervisor import Supervisor
from cli.stack.telling import Teller
from cli.trouble import Trouble, from_os_error

ROOM_NEEDED_MB = 400
UP_ENDS_WITHIN_S = 45.0
INTERRUPTED = 130


def up(directory: Path, wishes: Wishes) -> int:
    """Run a stack in a folder until SIGTERM or Ctrl-C; gives the exit status.

    0 after SIGTERM, 130 after Ctrl-C. Raises Trouble when it can't be started.
    """
    try:
        return _up(directory, wishes)
    except OSError as fault:
        raise from_os_error(fault) from fault
    except BaseExceptionGroup as group:
        raise _first_trouble(group) from group


def _up(directory: Path, wishes: Wishes) -> int:
    folder = Folder(path=directory)
    teller = Teller()
    if not folder.try_lock():
        holder = folder.holder()
        raise Trouble(
            f"A stack runs in {directory} already"
            f"{f' (process {holder.pid})' if holder else ''}; end it with `onaccount stack down "
            f"--dir {shlex.quote(str(directory))}`, or choose another folder with --dir."
        )
    try:
        folder.sign()
        if left := end_leftovers(folder.marks()):
            names = ", ".join(mark.name for mark in left)
            teller.say(f"ended what a killed stack left in {directory}: {names}")
        folder.forget()
        see_to_room(directory)
        supervisor = Supervisor(folder=folder, plan=plan(folder, wishes), teller=teller)
        return asyncio.run(_until_told(supervisor))
    finally:
        folder.unlock()


def see_to_room(directory: Path, needed_mb: int = ROOM_NEEDED_MB) -> None:
    """Raise Trouble when there is too little room for a stack's data on that disk."""
    room_mb = shutil.disk_usage(directory).free // 2**20
    if room_mb < needed_mb:
        raise Trouble(
            f"There is too little room on the disk of {directory.resolve()}: {room_mb} MB are "
            f"free, {needed_mb} MB are needed; free some, or choose another folder with --dir."
        )


async def _until_told(supervisor: Supervisor) -> int:
    """Run until a signal comes; the exit status says which."""
    # What these say while a server starts is no news to anybody.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    came: list[signal.Signals] = []
    work = asyncio.create_task(supervisor.run())

    def told(number: signal.Signals) -> None:
        if came:
            supervisor.hurry()
        came.append(number)
        work.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN or number is signal.SIGINT:  # nohup
            loop.add_signal_handler(number, told, number)
    try:
        await work
    except asyncio.CancelledError:
        if not came:
            raise
    supervisor.teller.say("all of the stack has ended")
    return INTERRUPTED if came[0] is signal.SIGINT else 0


def down(directory: Path) -> int:
    """End the stack of a folder, whoever runs it, and whatever a killed one left; gives 0."""
    teller = Teller()
    try:
        if not directory.is_dir():
            teller.say(f"no stack runs in {directory}")
            return 0
        folder = Folder(path=directory)
        if folder.try_lock():
            left = end_leftovers(folder.marks())
            folder.forget()
            folder.unlock()
            names = ", ".join(mark.name for mark in left)
            teller.say(
                f"ended what a killed stack left in {directory}: {names}"
                if left
                else f"no stack runs in {directory}"
            )
            return 0
        with teller.waiting(f"ending the stack in {directory} ..."):
            _end_up(folder)
        teller.say(f"the stack in {directory} has ended")
    except OSError as fault:
        raise from_os_error(fault) from fault
    return 0


def _end_up(folder: Folder) -> None:
    """Ask the `stack up` that holds the folder to end; kill it when it does not."""
    holder = folder.holder()
    process = holder.process() if holder else None
    if process is not None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        if not wait_until(folder.try_lock, within_s=UP_ENDS_WITHIN_S):
            process.kill()
    if folder._lock is None and not wait_until(folder.try_lock, within_s=5):
        raise Trouble(
            f"Something holds {folder.path / 'lock'}, but it is not known what; end the program "
            "that has that file open."
        )
    end_leftovers(folder.marks())
    folder.forget()
    folder.unlock()


def _first_trouble(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong first; the rest are consequences."""
    for fault in group.exceptions:
        if isinstance(fault, BaseExceptionGroup):
            return _first_trouble(fault)
        if isinstance(fault, Trouble):
            return fault
        if isinstance(fault, OSError):
            return from_os_error(fault)
    return group.exceptions[0]
