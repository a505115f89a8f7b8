"""Named SQL statements out of .sql files."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


class Statements:
    """The statements of one file as attributes: `sql.lock_accounts` is its text."""

    def __init__(self, where: str, texts: dict[str, str]) -> None:
        self._where = where
        self._texts = texts

    def __getattr__(self, name: str) -> str:
        try:
            return self._texts[name]
        except KeyError:
            raise AttributeError(f"{self._where} has no statement named {name}") from None

    def names(self) -> tuple[str, ...]:
        return tuple(self._texts)


@cache
def statements(package: str, path: str) -> Statements:
    """Read `path` inside `package`: blocks that begin with `-- name: NAME`.

    Raises ValueError where a name stands twice or nothing is named.
    """
    where = f"{package}/{path}"
    text = files(package).joinpath(path).read_text(encoding="utf-8")
    marks = list(_NAME.finditer(text))
    if not marks:
        raise ValueError(f"{where} names no statement")
    texts: dict[str, str] = {}
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        name = mark.group(1)
        if name in texts:
            raise ValueError(f"{where} has two statements named {name}")
        texts[name] = text[mark.end() : following.start() if following else None].strip()
    return Statements(where, texts)
