"""Files and functions stay of a size that one can take in, and no SQL statement lies unused.

Decisions are found by their index, and what the docs link to is there.
"""

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


def test_each_decision_stands_once_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"^- \[(\d+)\]\((\S+)\)\. \S", index, re.MULTILINE)
    assert sorted(file for _, file in links) == sorted(
        file.name for file in folder.glob("*.md") if file.name != "README.md"
    )
    assert [file for number, file in links if int(number) != int(file[:4])] == []


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.strip().lower()).replace(" ", "-") for head in heads}


def test_what_the_docs_link_to_is_there() -> None:
    broken = []
    for page in PAGES:
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            file, _, anchor = link.partition("#")
            to = page.parent / file if file else page
            if "://" not in link and not (to.exists() and (not anchor or anchor in anchors(to))):
                broken.append(f"{shown(page)}: {link}")
    assert not broken


def test_the_files_that_the_walk_of_a_sale_names_are_there() -> None:
    walk = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    steps = re.findall(r"^\| \d+ \| (.*?) \| ", walk, re.MULTILINE)
    assert len(steps) == 13
    missing = []
    for step in steps:
        first, *others = re.findall(r"`([\w./]+)`", step)
        near = (ROOT, (ROOT / first).parent, (ROOT / first).parent.parent)
        there = [any((at / name).exists() for at in near) for name in others]
        missing += [name for name, is_there in zip(others, there, strict=True) if not is_there]
        missing += [] if (ROOT / first).exists() else [first]
    assert not missing
