"""Files and functions stay of a size that one can take in, and no SQL statement lies unused."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = ("schemas", "runtime", "services", "cli", "benchmarks")
LONGEST_FILE = 320  # about 300
LONGEST_FUNCTION = 60
STATEMENT = re.compile(r"^-- name: *(\w+)", re.MULTILINE)


def sources() -> list[Path]:
    return sorted(file for part in CODE for file in (ROOT / part).rglob("*.py"))


def sql_files() -> list[Path]:
    return sorted(
        file
        for part in CODE
        for file in (ROOT / part).rglob("*.sql")
        if "migrations" not in file.parts
    )


def shown(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", sources(), ids=shown)
def test_a_file_and_its_functions_are_short_enough(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert not long


@pytest.mark.parametrize("file", sql_files(), ids=shown)
def test_every_named_statement_is_used(file: Path) -> None:
    package = next(ROOT / part for part in CODE if (ROOT / part) in file.parents)
    code = "\n".join(source.read_text(encoding="utf-8") for source in package.rglob("*.py"))
    names = STATEMENT.findall(file.read_text(encoding="utf-8"))
    unused = [name for name in names if not re.search(rf"\.{name}\b", code)]
    assert not unused


def test_every_test_folder_is_a_package() -> None:
    folders = {file.parent for file in (ROOT / "tests").rglob("test_*.py")}
    assert [shown(one) for one in folders if not (one / "__init__.py").exists()] == []
