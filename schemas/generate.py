"""Writes the contract out: `python -m schemas.generate`.

(nothing)   write schemas/json/*.json and schemas/asyncapi.json
--check     write nothing; exit 1 if a committed file differs from the models, or if the
            models break what was released
--release   make the present contract the released one, unless it breaks the last
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from schemas import asyncapi, compatibility
from schemas.jsonschema import message_schemas

HERE: Final = Path(__file__).parent
RELEASED: Final = HERE / "released" / "contract.json"


def files() -> dict[Path, str]:
    """Every generated file with what it must hold."""
    made = {
        HERE / "json" / f"{kind}.json": _text(schema) for kind, schema in message_schemas().items()
    }
    return made | {HERE / "asyncapi.json": _text(asyncapi.document())}


def stale() -> list[str]:
    """The generated files that are not as the models have them, by their place in schemas/."""
    made = files()
    there = {*(HERE / "json").glob("*.json"), HERE / "asyncapi.json"}
    return sorted(
        path.relative_to(HERE).as_posix()
        for path in there | set(made)
        if not path.exists() or path.read_text(encoding="utf-8") != made.get(path)
    )


def broken() -> list[str]:
    """What the models break of the released contract."""
    return compatibility.breaks(
        json.loads(RELEASED.read_text(encoding="utf-8")), compatibility.contract()
    )


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _write() -> int:
    made = files()
    for name in stale():
        path = HERE / name
        if path in made:
            path.parent.mkdir(exist_ok=True)
            path.write_text(made[path], encoding="utf-8")
        else:
            path.unlink()
        sys.stdout.write(f"schemas/{name}\n")
    return 0


def _check() -> int:
    differing, breaking = stale(), broken()
    for name in differing:
        sys.stderr.write(
            f"schemas/{name} differs from the models: run `python -m schemas.generate`\n"
        )
    for sentence in breaking:
        sys.stderr.write(f"breaks the released contract: {sentence}\n")
    return 1 if differing or breaking else 0


def _release() -> int:
    breaking = broken() if RELEASED.exists() else []
    for sentence in breaking:
        sys.stderr.write(f"breaks the released contract: {sentence}\n")
    if breaking:
        return 1
    RELEASED.parent.mkdir(exist_ok=True)
    RELEASED.write_text(_text(compatibility.contract()), encoding="utf-8")
    return 0


def main(arguments: list[str]) -> int:
    match arguments:
        case []:
            return _write()
        case ["--check"]:
            return _check()
        case ["--release"]:
            return _release()
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
