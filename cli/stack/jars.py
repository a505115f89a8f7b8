"""Kafka's jars: fetched once from Maven Central by jgo, and each checked against its sha256.

The committed list `kafka.sha256` is what was resolved (`python -m cli.stack.jars --resolve` makes
it again), as `sha256sum` writes it, with the path of each jar in a Maven repository. So nothing is
resolved at run time: what the list names is fetched, several at a time, into the Maven cache that
jgo itself uses ($M2_REPO, else ~/.m2/repository), and a jar with another content is never run.
"""

import asyncio
import contextlib
import errno
import hashlib
import os
import shutil
import ssl
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.stack.process import run
from cli.trouble import Trouble, from_os_error

ENDPOINT = "org.apache.kafka:kafka_2.13:4.3.1+org.slf4j:slf4j-simple:1.7.36"
LIST = Path(__file__).with_name("kafka.sha256")
ATTEMPTS = 4
TIMEOUT_S = 30
AT_ONCE = 16
BESIDE = "onaccount-jars-"
FORGOTTEN_S = 3600  # no download takes as long


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One jar of the list: where it lies in a Maven repository, and what it must hold."""

    path: str
    sha256: str

    @property
    def coordinate(self) -> tuple[str, str, str]:
        """Group, artifact and version."""
        *group, artifact, version, _ = self.path.split("/")
        return ".".join(group), artifact, version


def listed(file: Path = LIST) -> list[Jar]:
    """The jars of the committed list."""
    lines = file.read_text(encoding="ascii").splitlines()
    pairs = (line.split("  ", 1) for line in lines if line and not line.startswith("#"))
    return [Jar(path=path, sha256=sha256) for sha256, path in pairs]


def repository() -> Path:
    """The Maven cache that jgo uses; without a home that can be written, one beside the project."""
    given = os.environ.get("M2_REPO")
    usual = Path(os.path.expanduser(given or "~/.m2/repository"))  # noqa: PTH111 - it never raises
    nearest = usual.absolute()
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if given or (usual.is_absolute() and os.access(nearest, os.W_OK)):
        return usual
    return Path(__file__).resolve().parents[2] / "var" / "cache" / "maven"


def missing(jars: Sequence[Jar], folder: Path) -> list[Jar]:
    """Those of the jars that are not there; raises Trouble for one that is another than listed."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(_sha256, (folder / jar.path for jar in jars))
    absent = []
    for jar, actual in zip(jars, found, strict=True):
        if actual is None:
            absent.append(jar)
        elif actual != jar.sha256:
            raise Trouble(
                f"The jar {folder / jar.path} is not the one that was checked: its sha256 is "
                f"{actual}, expected is {jar.sha256}; delete that file and try again, and if it "
                "comes back the same, don't trust where it is downloaded from."
            )
    return absent


def class_path(folder: Path) -> str:
    """What java is given as its class path."""
    return os.pathsep.join(str(folder / jar.path) for jar in listed())


async def ensure() -> Path:
    """The repository folder with all jars in it and checked; downloads what is missing.

    The download runs in a process of its own: importing jgo is slow, and is needed only once, and
    a download can then be ended at any moment.
    """
    folder, jars = repository(), listed()
    if await asyncio.to_thread(missing, jars, folder):
        status, printed = await run([sys.executable, "-m", "cli.stack.jars"])
        if status != 0:
            raise Trouble(printed[-1] if printed else "Kafka's jars could not be downloaded.")
    return folder


def download(
    folder: Path,
    jars: Sequence[Jar],
    repositories: Mapping[str, str] | None = None,
    *,
    attempts: int = ATTEMPTS,
    timeout_s: float = TIMEOUT_S,
    pause_s: float = 1.0,
) -> None:
    """Fetch jars into a Maven repository folder; each appears whole, or not at all.

    From Maven Central and the repositories of jgo's settings, unless others are given. Raises
    Trouble when one can't be fetched, after some attempts, or is not the one of the list.
    """
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext, PythonResolver

    if os.path.expanduser("~") == "~":  # noqa: PTH111 - a user without a name, and no HOME
        os.environ["HOME"] = str(folder)  # jgo fails where it can't look for its settings
    for old in _made(folder).glob(f"{BESIDE}*"):  # of a download that was killed
        if time.time() - old.stat().st_mtime > FORGOTTEN_S:
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=BESIDE, dir=folder) as beside:
        context = MavenContext(
            resolver=PythonResolver(),
            repo_cache=Path(beside),
            remote_repos=dict(repositories) if repositories else None,
            timeout=timeout_s,  # type: ignore[arg-type]  # requests takes fractions
        )
        if not repositories:
            context.remote_repos.update(GlobalSettings.load().repositories)

        def fetch(jar: Jar) -> None:
            _fetch(context, jar, folder, attempts=attempts, pause_s=pause_s)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(fetch, jars))


def _fetch(context: Any, jar: Jar, folder: Path, *, attempts: int, pause_s: float) -> None:
    from requests.exceptions import SSLError

    group, artifact, version = jar.coordinate
    part = context.repo_cache / jar.path
    fault: Exception | None = None
    for attempt in range(attempts):
        if attempt:
            time.sleep(pause_s * 2**attempt)
        part.unlink(missing_ok=True)
        try:
            context.project(group, artifact).at_version(version).artifact().resolve()
        except (OSError, RuntimeError) as one:  # requests' exceptions are OSErrors
            fault = one
            if isinstance(one, SSLError):
                _trust_as_the_machine_does()
            continue
        actual = _sha256(part)
        if actual != jar.sha256:
            raise Trouble(
                f"The download of {jar.path} is not the one that was checked: its sha256 is "
                f"{actual}, expected is {jar.sha256}; try again, and if it comes back the same, "
                "don't trust where it is downloaded from."
            )
        (folder / jar.path).parent.mkdir(parents=True, exist_ok=True)
        part.replace(folder / jar.path)
        return
    if isinstance(fault, OSError) and fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES):
        raise from_os_error(fault)
    raise Trouble(
        f"{jar.path} can't be downloaded from {', '.join(context.remote_repos.values())} "
        f"({type(fault).__name__}, {attempts} attempts); see whether this machine reaches it, "
        "then run the same command again: what has been downloaded is kept."
    )


def _trust_as_the_machine_does() -> None:
    """From here on requests asks the machine's own authorities, of which a company's proxy may be
    one, instead of the list that it brings. What a jar must hold is known besides."""
    paths = ssl.get_default_verify_paths()
    if own := paths.cafile or paths.capath:
        os.environ.setdefault("REQUESTS_CA_BUNDLE", own)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _sha256(file: Path) -> str | None:
    with contextlib.suppress(FileNotFoundError), file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
    return None


def resolve() -> list[Jar]:
    """Resolve the endpoint anew with jgo's Python resolver, for a new list. Takes 20 seconds."""
    from jgo.env import EnvironmentBuilder
    from jgo.maven import MavenContext, PythonResolver

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        context = MavenContext(resolver=PythonResolver(), repo_cache=home / "m2", timeout=TIMEOUT_S)
        environment = EnvironmentBuilder(context, cache_dir=home / "jgo").from_endpoint(ENDPOINT)
        names = {jar.name for jar in environment.path.rglob("*.jar")}
        found = sorted(jar for jar in (home / "m2").rglob("*.jar") if jar.name in names)
        return [
            Jar(path=str(jar.relative_to(home / "m2")), sha256=_sha256(jar) or "") for jar in found
        ]


def main(arguments: Sequence[str]) -> int:
    """Fetch what is missing; or, with --resolve, print a new list."""
    if arguments == ["--resolve"]:
        print("\n".join(f"{jar.sha256}  {jar.path}" for jar in resolve()))
        return 0
    folder, jars = repository(), listed()
    try:
        download(folder, missing(jars, folder))
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
