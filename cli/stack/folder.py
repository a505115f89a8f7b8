"""What a stack keeps in its folder D, so that it is found again: by `down`, and the next `up`.

lock            held while an `up` runs; holds its pid and start time
stack.json      addresses and processes, while it serves
processes.json  what was started, with start times, to end what a killed `up` leaves
ports.json      the ports of the time before       secrets.json  passwords (both kept)
logs/           one file for each process          mails/        what was mailed
kafka/ postgres/  their data
"""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from cli.stack.ports import free_port, is_free
from cli.stack.postgres import new_password
from cli.stack.process import Mark
from cli.trouble import Trouble

UP = "stack up"


@dataclass(slots=True, kw_only=True)
class Folder:
    """The folder D of one stack."""

    path: Path
    _lock: IO[str] | None = None
    _marks: dict[str, Mark] = field(default_factory=dict)
    _ports: dict[str, int] = field(default_factory=dict)

    @property
    def stack_file(self) -> Path:
        """Where it is told how to reach the stack."""
        return self.path / "stack.json"

    @property
    def mails(self) -> Path:
        """Where the mail catcher keeps its mails."""
        return self.path / "mails"

    def log(self, name: str) -> Path:
        """The log file of one process."""
        return self.path / "logs" / f"{name}.log"

    def try_lock(self) -> bool:
        """Take the folder for this process; False when another has it. Makes the folder."""
        self.path.mkdir(parents=True, exist_ok=True)
        file = (self.path / "lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._lock = file
        return True

    def sign(self) -> None:
        """Write into the lock who has it."""
        if self._lock is not None:
            self._lock.truncate(0)
            me = psutil.Process()
            json.dump(asdict(Mark(name=UP, pid=me.pid, started=me.create_time())), self._lock)
            self._lock.flush()

    def unlock(self) -> None:
        """Let others have the folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def holder(self) -> Mark | None:
        """Who signed the lock last."""
        found = _read(self.path / "lock")
        return Mark(**found) if found else None

    def note(self, mark: Mark) -> None:
        """Write down a process before it does anything."""
        self._marks[mark.name] = mark
        _write(self.path / "processes.json", [asdict(one) for one in self._marks.values()])

    def marks(self) -> list[Mark]:
        """What was started here and not yet seen to end."""
        return [Mark(**one) for one in _read(self.path / "processes.json") or []]

    def forget(self) -> None:
        """Nothing runs here any more."""
        self._marks.clear()
        self.stack_file.unlink(missing_ok=True)
        (self.path / "processes.json").unlink(missing_ok=True)

    def port(self, name: str, wanted: int | None = None) -> int:
        """The port of one server: the wanted one, else the one it had before, else a free one.

        Raises Trouble when a wanted one is in use.
        """
        file = self.path / "ports.json"
        if not self._ports:
            self._ports.update(_read(file) or {})
        port = wanted or self._ports.get(name)
        if wanted and not is_free(wanted):
            raise Trouble(
                f"Port {wanted} on 127.0.0.1, asked for as {name}'s, is in use; end what listens "
                "there, or choose another port, or none to get a free one."
            )
        others = {used for other, used in self._ports.items() if other != name}
        if port is None or port in others or not is_free(port):
            port = free_port(taken=others)
        self._ports[name] = port
        _write(file, self._ports)
        return port

    def password(self, role: str) -> str:
        """A role's password, made at the first time of asking."""
        file = self.path / "secrets.json"
        kept: dict[str, str] = _read(file) or {}
        if role not in kept:
            kept[role] = new_password()
            _write(file, kept)
        return kept[role]

    def publish(self, content: Mapping[str, Any]) -> None:
        """Tell how to reach the stack."""
        _write(self.stack_file, content)


def _write(file: Path, content: object) -> None:
    """Replace a file at once by a new one, which only its owner can read: it may hold passwords."""
    part = file.with_name(f".{file.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(content, out, indent=2)
        out.write("\n")
    part.replace(file)


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
