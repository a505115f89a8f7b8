"""The commands that README.md and docs/ show exist, and have the options that are shown.

Method: each `onaccount ...` of a code block or between backquotes is parsed as the command line
parses it, and not run; of one without arguments the name must exist. The decision records are left
out: they tell of their day.
"""

import re
import shlex
from pathlib import Path

import pytest

from cli.app import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
INLINE = re.compile(r"`(onaccount [^`]+)`")
PLACEHOLDERS = {"ENVIRONMENT": "2890", "...": ""}


def shown(text: str) -> set[str]:
    """The command lines of a page, each as one line."""
    whole = re.sub(r"\\\n\s*", " ", text)
    lines = [line.strip() for line in whole.splitlines() if re.match(r"(    |\s*)onaccount ", line)]
    inline = [" ".join(line.split()) for line in INLINE.findall(whole)]
    return {line.partition("  #")[0].strip() for line in (*lines, *inline)}


def words_of(line: str) -> list[str]:
    """The words of a command line, after `onaccount`."""
    for name, value in PLACEHOLDERS.items():
        line = line.replace(name, value)
    return shlex.split(re.sub(r'"\$\(.*?\)"', "2026-10", line))[1:]


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_each_command_of_a_page_is_understood(page: Path) -> None:
    for line in sorted(shown(page.read_text(encoding="utf-8"))):
        words = words_of(line)
        named, _, given = app.parse_commands(words)
        assert named, line
        if given:
            app.parse_args(words, print_error=False, exit_on_error=False)


def test_a_command_that_goes_on_below_is_one_and_a_remark_is_none_of_it() -> None:
    page = """
    onaccount env configure 2890 --name x \\
        --city Houten    # where it is
    Say `onaccount env
    show 2890`.
"""
    assert shown(page) == {
        "onaccount env configure 2890 --name x  --city Houten",
        "onaccount env show 2890",
    }
