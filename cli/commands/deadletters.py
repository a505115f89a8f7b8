"""`onaccount dead-letters`: what a group could not process, and giving it to the group again."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from cyclopts import App, Parameter

from cli.amounts import Misuse
from cli.client import Client
from cli.options import DEFAULT, Common
from cli.replies import Reply
from cli.screen import Screen
from runtime import deadletters as names
from runtime.settings import SERVICES

app = App(
    name="dead-letters",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount dead-letters list
    onaccount dead-letters show authorizer 0:17
    onaccount dead-letters retry authorizer 0:17
    onaccount dead-letters retry authorizer all

A dead letter is named by its group and its place there, PARTITION:OFFSET.
Mend the cause first, then retry: only that group gets it again, with its bytes,
origin and first time.
""",
)

Group = Literal["authorizer", "ledger", "importer", "invoicer"]
MANY = 50
ALL = "all"
AT_ONCE = 20  # letters have up to 2 MiB
PLACE = re.compile(r"(\d{1,6}):(\d{1,18})")


def place_of(letter: Reply) -> str:
    """Where a dead letter stands: PARTITION:OFFSET."""
    return f"{letter.partition}:{letter.offset}"


def origin_of(letter: Reply) -> str:
    """Where it came from: TOPIC/PARTITION@OFFSET, by its headers."""
    topic, partition, offset = (
        letter.header(n) or "?"
        for n in (names.ORIGIN_TOPIC, names.ORIGIN_PARTITION, names.ORIGIN_OFFSET)
    )
    return f"{topic}/{partition}@{offset}"


def first_time(letter: Reply) -> str:
    """When the original record came, in the time of this machine, as RFC 3339."""
    stamp = letter.header(names.ORIGIN_TIME)
    if stamp is None or not stamp.isdigit():
        return "?"
    return datetime.fromtimestamp(int(stamp) / 1000, UTC).astimezone().isoformat()


@app.command(name="list")
async def list_(
    group: Group | None = None,
    /,
    *,
    everything: Annotated[bool, Parameter(name="--all", negative="")] = False,
    common: Common = DEFAULT,
) -> int:
    """List the dead letters of one group, or of all; those that were retried are marked.

    Where there are many: how many of each cause, and the last of them.

    Parameters
    ----------
    everything
        Each of them, however many there are.
    """
    groups = [group] if group else list(SERVICES)
    rows = []
    async with common.client() as client:
        for name in groups:
            letters, retried = await _letters(client, name)
            rows += [(name, letter, _was_retried(letter, retried)) for letter in letters]
    screen = common.screen
    screen.data(
        [
            {
                "group": name,
                "place": place_of(letter),
                "origin": origin_of(letter),
                "first_time": first_time(letter),
                "cause": letter.header(names.CAUSE),
                "type": letter.type,
                "bytes": len(letter.value),
                "retried": retried,
            }
            for name, letter, retried in rows
        ]
    )
    many = len(rows) > MANY and not everything
    if many:
        _count(screen, rows)
    if rows:
        _table(screen, rows[-MANY:] if many else rows)
    screen.say(f"{len(rows):,} dead letter{'' if len(rows) == 1 else 's'}")
    return 0


Row = tuple[str, Reply, bool]
"""A group, its letter, and whether that was retried."""


def _count(screen: Screen, rows: Sequence[Row]) -> None:
    counts = Counter(
        (name, letter.header(names.ORIGIN_TOPIC), letter.header(names.CAUSE), retried)
        for name, letter, retried in rows
    )
    screen.table(
        ("Letters", "Group", "From", "Retried", "Cause"),
        (
            (f"{number:,}", name, origin or "?", retried, cause)
            for (name, origin, cause, retried), number in counts.most_common(MANY)
        ),
        right=("Letters",),
    )
    screen.say(f"and the last {MANY} of them (--all shows each):")


def _table(screen: Screen, rows: Sequence[Row]) -> None:
    screen.table(
        ("Group", "Place", "First time", "Origin", "Type", "Bytes", "Retried", "Cause"),
        (
            (
                name,
                place_of(letter),
                first_time(letter)[:19].replace("T", " "),
                origin_of(letter),
                letter.type or "(unreadable)",
                len(letter.value),
                retried,
                letter.header(names.CAUSE),
            )
            for name, letter, retried in rows
        ),
        right=("Bytes",),
    )


@app.command
async def show(group: Group, place: str, /, *, common: Common = DEFAULT) -> int:
    """Show one dead letter: its headers, and its bytes as far as they can be read."""
    if place == ALL:
        raise Misuse(f"Name one; `onaccount dead-letters list {group}` shows which there are.")
    async with common.client() as client:
        (letter,) = await _at(client, group, place)
    screen = common.screen
    headers = {name: value.decode(errors="replace") for name, value in letter.headers}
    text = letter.value.decode(errors="backslashreplace")
    screen.data(
        {
            "group": group,
            "place": place,
            "key": (letter.key or b"").decode(errors="replace"),
            "headers": headers,
            "value": text,
        }
    )
    screen.fields(
        {"Key": (letter.key or b"").decode(errors="replace"), **headers},
        title=f"Dead letter {place} of {group}",
    )
    screen.say(text)
    return 0


@app.command
async def retry(group: Group, place: str, /, *, common: Common = DEFAULT) -> int:
    """Give a dead letter, or `all` that were not retried, to its group once more."""
    screen = common.screen
    async with common.client() as client:
        letters = await _at(client, group, place)
        with screen.progress("dead letters") as gauge:
            for done in range(0, len(letters), AT_ONCE):
                some = letters[done : done + AT_ONCE]
                await asyncio.gather(*(_retry(client, group, one) for one in some))
                gauge(done + len(some), len(letters))
    screen.data({"group": group, "retried": [place_of(letter) for letter in letters]})
    screen.good(
        f"{len(letters):,} dead letter{'' if len(letters) == 1 else 's'} given to the {group} again"
    )
    return 0


async def _retry(client: Client, group: str, letter: Reply) -> None:
    await client.put(
        names.retries(group), letter.value, key=letter.key, headers=retry_headers(letter)
    )


def retry_headers(letter: Reply) -> list[tuple[str, bytes]]:
    """A retry keeps the record's own headers and its origin; the cause is the letter's alone."""
    return [(name, value) for name, value in letter.headers if name != names.CAUSE]


def _sort_of(letter: Reply) -> tuple[str, bytes]:
    return origin_of(letter), letter.value


Retried = dict[tuple[str, bytes], datetime]
"""When what came from one place was last retried, by the broker's clock."""


def _was_retried(letter: Reply, retried: Retried) -> bool:
    """Whether it was given to its group again since. What died of a retry, because the cause was
    not mended, is a letter of its own, from the same place and with the same bytes."""
    last = retried.get(_sort_of(letter))
    return last is not None and letter.time <= last


async def _letters(client: Client, group: str) -> tuple[list[Reply], Retried]:
    """A group's dead letters in order, and what of them stands among its retries."""
    letters = await client.read(names.dead_letters(group))
    retried: Retried = {}
    for one in await client.read(names.retries(group)):
        sort = _sort_of(one)
        retried[sort] = max(one.time, retried.get(sort, one.time))
    return letters, retried


async def _at(client: Client, group: str, place: str) -> list[Reply]:
    letters, retried = await _letters(client, group)
    if place == ALL:
        return [letter for letter in letters if not _was_retried(letter, retried)]
    if not PLACE.fullmatch(place):
        raise Misuse(
            f"{place!r} names no dead letter: write PARTITION:OFFSET as `onaccount dead-letters "
            f"list {group}` shows it, as in 0:17, or `all`."
        )
    found = [letter for letter in letters if place_of(letter) == place]
    if not found:
        raise Misuse(
            f"The {group} has no dead letter at {place}; `onaccount dead-letters list {group}` "
            "shows which it has."
        )
    return found
