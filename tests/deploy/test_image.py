"""The image, as far as it can be tried without a container engine.

What the Dockerfile copies is copied, what it installs is installed into an empty environment, and
what it starts is started there.
"""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.health import HealthServer
from runtime.settings import SERVICES
from runtime.status import Status
from tests.deploy.files import DEPLOY, ROOT, copied, instructions, pins

LOCKS = (DEPLOY / "requirements.lock", DEPLOY / "build.lock")


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command that knows nothing of this machine's ONACCOUNT_* settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("ONACCOUNT_")}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**own, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An environment made as the Dockerfile makes it, from what it copies alone."""
    folder = tmp_path_factory.mktemp("image")
    source, python = folder / "src", folder / "onaccount" / "bin" / "python"
    for names, destination in copied():
        for name in names:
            origin, target = ROOT / name, source / destination
            if origin.is_dir():
                shutil.copytree(origin, target, ignore=shutil.ignore_patterns("__pycache__"))
            elif not destination.startswith("/"):
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(origin, target)
    uv = Path(sys.executable).with_name("uv")
    steps: list[list[str | Path]] = [
        [uv, "--no-config", "venv", "--python", sys.executable, folder / "onaccount"],
        [uv, "--no-config", "pip", "install", "--python", python, "--no-deps", "--require-hashes",
         "--only-binary", ":all:", "--requirement", "deploy/requirements.lock"],
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"],
    ]  # fmt: skip
    for step in steps:
        done = run(*step, cwd=source)
        assert done.returncode == 0, done.stderr
    wheels = list((source / "dist").glob("*.whl"))
    done = run(
        uv, "--no-config", "pip", "install", "--python", python, "--no-deps", *wheels, cwd=source
    )
    assert done.returncode == 0, done.stderr
    shutil.copy(DEPLOY / "probe.py", folder / "onaccount" / "probe.py")
    yield python
    shutil.rmtree(folder)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_the_images_locks_say_what_the_tested_lock_says(lock: Path) -> None:
    tested = pins(ROOT / "requirements.lock")
    own = pins(lock)
    assert own == {name: tested.get(name) for name in own}
    assert all(hashes for _, hashes in own.values())
    assert "://" not in lock.read_text(encoding="ascii")


def test_the_images_lock_holds_all_that_the_workers_need_and_nothing_of_the_tests() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    def names(entries: list[str]) -> set[str]:
        return {re.split(r"[\[<>=]", entry)[0].lower().replace("_", "-") for entry in entries}

    extras = project["optional-dependencies"]
    own = set(pins(LOCKS[0]))
    assert names(project["dependencies"]) <= own
    assert not own & (names(extras["stack"]) | names(extras["dev"]))


def test_all_that_is_copied_is_there_and_reaches_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[1] == "*"
    let_through = [line[1:] for line in ignored if line.startswith("!")]
    sources = [name for names, _ in copied() for name in names]
    assert [name for name in sources if not (ROOT / name).exists()] == []
    missing = [n for n in sources if not any(fnmatch.fnmatch(n, one) for one in let_through)]
    assert missing == []
    assert [one for one in let_through if one not in sources] == []


def test_the_last_stage_has_no_build_tools_and_no_root() -> None:
    every = instructions()
    start = max(place for place, (word, _) in enumerate(every) if word == "FROM")
    last = every[start:]
    words = [word for word, _ in last]
    assert words.count("USER") == 1
    assert dict(last)["USER"] == "10001:10001"
    assert not re.search(r"apt-get|gcc|pip install", " ".join(rest for _, rest in last))
    assert "pip uninstall" in dict(last)["RUN"]
    assert dict(last)["ENTRYPOINT"] == '["python", "-m"]'
    assert "probe.py" in dict(last)["HEALTHCHECK"]
    base = dict(every[: every.index(("FROM", "${BASE} AS build"))])["ARG"]
    assert re.fullmatch(r"BASE=python:\d+\.\d+-slim-\w+", base)


def test_jemalloc_is_put_where_a_worker_of_the_image_looks_for_it(
    image: Path, tmp_path: Path
) -> None:
    (step,) = (rest for word, rest in instructions() if word == "RUN" and "jemalloc" in rest)
    to = re.search(r"cp /usr/lib/\*/(libjemalloc\.so\.2) /opt/onaccount/(\S+)/ ", step)
    assert to is not None
    there = image.parents[1] / to[2] / to[1]
    asks = "from services.invoicer.rendering import memory; print(memory({})['LD_PRELOAD'])"
    there.touch()
    try:
        done = run(image, "-c", asks, cwd=tmp_path)
    finally:
        there.unlink()  # an empty one is no library: the tests after this one share the image
    assert (done.stdout.strip(), done.stderr) == (str(there), "")


def test_a_change_of_code_runs_no_apt_again() -> None:
    """A layer is made again where one above it changed; the folder that it copies to is there."""
    steps = [f"{word} {rest}" for word, rest in instructions()]
    (apt,) = (place for place, step in enumerate(steps) if "apt-get install" in step)
    code = min(steps.index(f"COPY {name} {name}") for name in ("schemas", "runtime", "services"))
    (venv,) = (place for place, step in enumerate(steps) if "-m venv" in step)
    assert venv < apt < code


@pytest.mark.parametrize("service", SERVICES)
def test_a_worker_that_misses_its_database_says_so_in_one_sentence(
    image: Path, service: str, tmp_path: Path
) -> None:
    done = run(image, "-m", f"services.{service}", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(f"{service}: ONACCOUNT_POSTGRES_{service.upper()} is not set;")


def test_a_setting_that_cant_be_used_is_named_and_its_value_is_not_shown(
    image: Path, tmp_path: Path
) -> None:
    done = run(
        image, "-m", "services.ledger", cwd=tmp_path,
        ONACCOUNT_POSTGRES_LEDGER="postgresql://x", ONACCOUNT_HEALTH_PORT="hunter2",
    )  # fmt: skip
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert "ONACCOUNT_HEALTH_PORT can't be used" in sentence
    assert "hunter2" not in sentence


def test_the_command_line_works_without_the_local_stacks_packages(
    image: Path, tmp_path: Path
) -> None:
    missing = run(image, "-m", "cli", "migrate", cwd=tmp_path)
    assert missing.returncode == 2
    assert missing.stderr.startswith("onaccount: Set ONACCOUNT_POSTGRES_ADMIN")
    for command in (["topics", "apply"], ["env", "show"], ["dead-letters", "list"]):
        assert run(image, "-m", "cli", *command, "--help", cwd=tmp_path).returncode == 0


def test_the_process_that_opens_workbooks_finds_its_code_when_started_with_i(
    image: Path, tmp_path: Path
) -> None:
    """The importer starts it with -I: neither the working folder nor PYTHONPATH counts."""
    code = "import services.importer.reader, services.importer.workbook.sheets, defusedxml"
    done = run(image, "-I", "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_documents_templates_and_fonts_are_in_the_wheel(image: Path, tmp_path: Path) -> None:
    code = (
        "from services.invoicer.documents import typesetting as t; t._desk(); t._families();"
        "print(len(t._our_fonts().fonts()), len(list(t._templates().glob('*.typ'))))"
    )
    done = run(image, "-c", code, cwd=tmp_path)
    assert (done.returncode, done.stdout.split()) == (0, ["3", "3"]), done.stderr


def test_the_probe_says_what_the_health_port_says(image: Path, tmp_path: Path) -> None:
    status = Status()
    server = HealthServer(status, "127.0.0.1", 0)
    server.start()
    probe = image.parents[1] / "probe.py"

    def ask(what: str) -> subprocess.CompletedProcess[str]:
        port = str(server.port)
        return run(image, "-I", "-S", probe, what, cwd=tmp_path, ONACCOUNT_HEALTH_PORT=port)

    try:
        assert ask("live").returncode == 0
        unready = ask("ready")
        assert unready.returncode == 1
        assert "starting" in unready.stdout
    finally:
        server.stop()
    gone = ask("live")
    assert gone.returncode == 1
    assert gone.stdout.startswith("nothing answers on port")
