"""What a command prints: tables and sentences for people, a JSON value a line for machines."""

from __future__ import annotations

import codecs
import contextlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.messages import Json

# All control characters but tab and newline, and what turns the order of letters round: a name
# that holds it turns the amounts beside it round too.
STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
MOST_LISTED = 20  # changes or warnings of one command; of more the numbers are told
WIDTH_OF_A_FILE = 200  # without a terminal a row is to be one line, for grep and its like
LONGEST_WHOLE = 20
LEAST_FOLDED = 14  # a name is read no more where it is folded narrower than this
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SETTING = re.compile(r"ONACCOUNT_\w+")
SPARSE_STEP = 0.25  # without a terminal: a line for each quarter that is done


TO_DO = {
    "environment_unknown": "To begin it: onaccount env configure {} --name NAME",
    "gdpr_not_accepted": "To accept them: onaccount env accept-gdpr {} --accepted-by NAME "
    "--document DOCUMENT",
    "account_exists": "To change it: onaccount account change {} NUMBER",
    "customer_exists": "To change it: onaccount customer change {} CUSTOMER",
    "holder_exists": "To take the holder off: onaccount account unlink {} NUMBER CUSTOMER",
    "open_amounts": "To invoice it: onaccount invoices run {} YYYY-MM --issue",
}
"""What a person can do about a refusal, by its reason; the braces are the environment."""


class Gauge(Protocol):
    """Shows how far something is."""

    def __call__(self, done: int, total: int) -> None:
        """`done` of `total` are through."""
        ...


class Screen:
    """With `as_json` only JSON goes to standard output, and nothing else is said."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.by_words = False  # whether long sentences are folded between words
        # No markup: what is shown comes from others, and "[red]" is a name like any other.
        self.console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
        if not self.console.is_terminal:
            self.console.width = max(self.console.width, WIDTH_OF_A_FILE)

    def data(self, content: object) -> None:
        """Print one JSON value on a line of its own; only with --json."""
        if self.as_json:  # what an output can't print is written out in its way, which JSON is not
            ascii_ = codecs.lookup(sys.stdout.encoding or "utf-8").name != "utf-8"
            text = json.dumps(content, ensure_ascii=ascii_, default=str)
            # JSON escapes of these only the first, and a terminal follows the others here too.
            print(STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text), flush=True)

    def say(self, text: str, style: str | None = None) -> None:
        """Print a sentence for people."""
        if not self.as_json:
            # What holds a command is left to the terminal, to be copied in one piece.
            folded = self.by_words and "onaccount " not in text
            self.console.print(harmless(text), style=style, soft_wrap=not folded)

    def good(self, text: str) -> None:
        """Say that something succeeded."""
        self.say(f"✓ {text}", "green")

    def bad(self, text: str) -> None:
        """Say that something was refused or is wrong."""
        self.say(f"✗ {text}", "red")

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        title: str | None = None,
        right: Iterable[str] = (),
    ) -> None:
        """Print a table, none of no rows; columns named in `right` hold numbers.

        Where the terminal is too narrow names are folded, but no number, date, amount or id; then
        columns are left out in which nothing stands; and where it is too narrow for that, each row
        is shown line by line.
        """
        if self.as_json:
            return
        cells = [[plain(cell) for cell in row] for row in rows]
        if not cells:
            return
        numbers = set(right)
        wholes = [
            column in numbers or all(_in_one_piece(row[place]) for row in cells)
            for place, column in enumerate(columns)
        ]
        if _least_width(columns, cells, wholes) > self.console.width:
            filled = [place for place in range(len(columns)) if any(row[place] for row in cells)]
            if len(filled) == len(columns):
                self._line_by_line(columns, cells, title)
                return
            fewer = [[row[place] for place in filled] for row in cells]
            self.table([columns[place] for place in filled], fewer, title=title, right=numbers)
            return
        grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
        grid.padding = (0, 1, 0, 0)
        for column, whole in zip(columns, wholes, strict=True):
            side = "right" if column in numbers else "left"
            grid.add_column(column, justify=side, overflow="fold", no_wrap=whole)  # type: ignore[arg-type]
        for row in cells:
            grid.add_row(*row)
        self.console.print(grid)

    def _line_by_line(
        self, columns: Sequence[str], cells: Sequence[Sequence[str]], title: str | None
    ) -> None:
        if title is not None:
            self.say(title, "bold")
        for row in cells:
            grid = Table.grid(padding=(0, 2))
            grid.add_column(no_wrap=True)
            grid.add_column(overflow="fold")
            for column, cell in zip(columns, row, strict=True):
                if cell:
                    grid.add_row(column or "#", cell)
            self.console.print(grid)
            self.console.print()

    def fields(self, content: Mapping[str, Any], *, title: str | None = None) -> None:
        """Print one thing as name and value, line by line; what is empty is left out."""
        if self.as_json:
            return
        grid = Table.grid(padding=(0, 3))
        for name, value in content.items():
            if value not in (None, "", [], {}):
                grid.add_row(name.replace("_", " "), plain(value))
        if title is not None:
            self.say(title, "bold")
        self.console.print(grid)

    @contextlib.contextmanager
    def progress(self, what: str) -> Iterator[Gauge]:
        """A bar on a terminal; elsewhere a line now and then."""
        if self.as_json:
            yield lambda done, total: None
        elif self.console.is_terminal:
            with Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[far]}"),  # nothing until it is known of how many
                TimeElapsedColumn(),
                console=self.console,
                transient=True,
            ) as bar:
                task = bar.add_task(what, total=None, far="")
                yield lambda done, total: bar.update(
                    task, completed=done, total=total, far=f"{done:,} of {total:,}"
                )
        else:
            yield self._sparse(what)

    def _sparse(self, what: str) -> Gauge:
        told = -1.0

        def gauge(done: int, total: int) -> None:
            nonlocal told
            if not total:
                return
            share = done / total
            if share >= told + SPARSE_STEP or (done == total and told < 1.0):
                told = share
                self.say(f"  {what}: {done:,} of {total:,}")

        return gauge

    @contextlib.contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """A spinner on a terminal; nothing elsewhere."""
        if self.as_json or not self.console.is_terminal:
            yield
        else:
            with self.console.status(what):
                yield


def _in_one_piece(cell: str) -> bool:
    """Whether a cell is not to be folded: a word, a time, an id or a setting that is copied."""
    if len(cell) <= LONGEST_WHOLE and " " not in cell:
        return True
    return any(kind.fullmatch(cell) for kind in (UUID, MOMENT, SETTING))


def _least_width(
    columns: Sequence[str], cells: Sequence[Sequence[str]], wholes: Sequence[bool]
) -> int:
    """How wide a table must be for all that is not folded, and for names that can be read."""
    width = 1
    for place, (column, whole) in enumerate(zip(columns, wholes, strict=True)):
        widest = max(cell_len(text) for text in (column, *(row[place] for row in cells)))
        width += 2 + (widest if whole else min(widest, LEAST_FOLDED))
    return width


def plain(value: object) -> str:
    """A value as people read it in a table."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(plain(one) for one in value)
        case dict():
            return ", ".join(f"{key} {plain(one)}" for key, one in value.items())
        case _:
            return harmless(str(value))


def when(text: str) -> str:
    """A message's time for people: the local one, to the second, with its zone.

    Of the year 1, which a clock that was never set says, as it stands: there is no local one.
    """
    moment = datetime.fromisoformat(text)
    try:
        moment = moment.astimezone()
    except (OverflowError, ValueError):
        return harmless(text)
    return moment.strftime("%Y-%m-%d %H:%M:%S %Z")


def harmless(text: str) -> str:
    """Text without what would steer a terminal, which is written out."""
    return STEERING.sub(lambda found: repr(found[0])[1:-1], text)


def outcome(screen: Screen, message: Json) -> int:
    """Show a command.applied or command.refused; gives the exit status."""
    screen.data(message)
    if message.get("type") == "command.refused":
        where = f" (field {message['field']})" if message.get("field") else ""
        why = message.get("message") or str(message.get("reason")).replace("_", " ")
        screen.bad(f"refused, {message.get('reason')}{where}: {why}")
        if hint := TO_DO.get(str(message.get("reason"))):
            screen.say(f"  {hint.format(message.get('environment'))}")
        return 1
    changes = message.get("changes", ())
    if len(changes) > MOST_LISTED:
        counts = Counter((one.get("kind"), one.get("change")) for one in changes)
        for (kind, change), count in counts.items():
            screen.good(f"{count:,} {kind}s {change}")
    else:
        for one in changes:
            screen.good(f"{one.get('kind')} {one.get('id')} {one.get('change')}")
    if not changes:
        screen.good("done")
    warnings = message.get("warnings", ())
    for warning in warnings[:MOST_LISTED]:
        where = f", {warning['field']}" if warning.get("field") else ""
        screen.say(
            f"! {warning.get('kind')} {warning.get('id')}{where}: {warning.get('message')}",
            "yellow",
        )
    if len(warnings) > MOST_LISTED:
        screen.say(f"! and {len(warnings) - MOST_LISTED:,} more; --json has them all", "yellow")
    return 0
