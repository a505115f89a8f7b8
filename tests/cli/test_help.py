"""The help of every command: as wide as a terminal, whole sentences, nothing left unsaid."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from cyclopts import App
from cyclopts.help import HelpPanel
from rich.console import Console
from rich.text import Text

from cli.app import app
from cli.help import Joined, joined

WIDTH = 80


def every(group: App, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command and group of commands."""
    yield path
    for name in group:
        if not name.startswith("-"):
            yield from every(group[name], (*path, name))


EVERY = list(every(app))


class Looking(Joined):
    """Lays out help as always, and keeps what has no words."""

    def __init__(self) -> None:
        super().__init__()
        self.silent: list[object] = []

    def __call__(self, console: Any, options: Any, panel: HelpPanel) -> None:
        """Print the panel, and look at what each of its lines says."""
        super().__call__(console, options, panel)
        for entry in panel.entries:
            text = getattr(entry.description, "primary_renderable", None)
            if isinstance(text, Text) and not text.plain:
                self.silent.append(entry.positional_label or entry.positive_names)


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_help_fits_a_terminal_breaks_no_line_by_itself_and_says_what_each_parameter_is(
    words: tuple[str, ...],
) -> None:
    told, looking = io.StringIO(), Looking()
    before, app.help_formatter = app.help_formatter, looking
    try:
        app.help_print(list(words), console=Console(file=told, width=WIDTH))
    finally:
        app.help_formatter = before
    assert looking.silent == []
    assert all(len(line.rstrip()) <= WIDTH for line in told.getvalue().splitlines())
    # An example that does not fit goes on at the margin.
    _, found, after = told.getvalue().partition("Examples:\n\n")
    examples = after.partition("\n\n")[0].splitlines()
    assert all(line.startswith("    ") for line in examples)
    assert bool(examples) == bool(found)


def test_a_paragraph_is_one_line_and_two_paragraphs_stay_two() -> None:
    class Description:
        primary_renderable = Text("Of a role that\n    may become an owner.\n\nOr not.")

    assert joined(Description()).primary_renderable.plain == (
        "Of a role that may become an owner.\n\nOr not."
    )


@pytest.mark.parametrize(
    ("words", "says", "choice"),
    [
        ("invoices list", "Only those that stand so.", "issued"),
        ("account open", "The account's status; only an active one can be bought on.", "blocked"),
        ("account change", "The account's status; only an active one can be bought on.", "blocked"),
        ("import", "The new accounts' status; only an active one can be bought on.", "blocked"),
    ],
)
def test_a_status_is_of_what_the_command_is_about(words: str, says: str, choice: str) -> None:
    told = io.StringIO()
    app.help_print(words.split(), console=Console(file=told, width=300))
    (line,) = (line for line in told.getvalue().splitlines() if "--status CHOICE" in line)
    assert says in line
    assert choice in line
