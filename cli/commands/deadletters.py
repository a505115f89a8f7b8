"""`onaccount dead-letters`: what a group could not process, giving it to the group again, or
dismissing it."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
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
    onaccount dead-letters dismiss authorizer 0:17

A dead letter is named by its group and its place there, PARTITION:OFFSET.
Mend the cause first, then retry: only that group gets it again, with its bytes,
origin and first time. Dismiss what needs no more: it stays where it is, and is no
longer listed.
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
    """List the dead letters of one group, or of all, but those that were dismissed; those that
    were retried are marked.

    Where there are many: how many of each cause, and the last of them.

    Parameters
    ----------
    everything
        Each of them, however many there are, and also those that were dismissed.
    """
    groups = [group] if group else list(SERVICES)
    rows = []
    async with common.client() as client:
        for name in groups:
            found = await _letters(client, name)
            letters = found.letters if everything else found.listed
            rows += [(name, letter, found) for letter in letters]
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
                "retried": found.was_retried(letter),
                "dismissed": place_of(letter) in found.dismissed,
            }
            for name, letter, found in rows
        ]
    )
    many = len(rows) > MANY and not everything
    if many:
        _count(screen, rows)
    if rows:
        _table(screen, rows[-MANY:] if many else rows)
    screen.say(f"{len(rows):,} dead letter{'' if len(rows) == 1 else 's'}")
    return 0


Sort = tuple[str, bytes]
"""From where a letter came, and with which bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """A group's dead letters in order, and what a person did about them."""

    letters: Sequence[Reply]
    retried: Mapping[Sort, datetime]
    "When what came from one place was last retried, by the broker's clock."
    dismissed: Set[str]
    "The places of those that were."

    @property
    def listed(self) -> list[Reply]:
        """Those that were not dismissed."""
        return [letter for letter in self.letters if place_of(letter) not in self.dismissed]

    def was_retried(self, letter: Reply) -> bool:
        """Whether it was given to its group again since. What died of a retry, because the cause
        was not mended, is a letter of its own, from the same place and with the same bytes."""
        last = self.retried.get(_sort_of(letter))
        return last is not None and letter.time <= last

    def at(self, group: str, place: str) -> list[Reply]:
        """The one that stands there; raises Misuse where none does."""
        if not PLACE.fullmatch(place):
            raise Misuse(
                f"{place!r} names no dead letter: write PARTITION:OFFSET as `onaccount "
                f"dead-letters list {group}` shows it, as in 0:17, or `all`."
            )
        found = [letter for letter in self.letters if place_of(letter) == place]
        if not found:
            raise Misuse(
                f"The {group} has no dead letter at {place}; `onaccount dead-letters list {group}` "
                "shows which it has."
            )
        return found


Row = tuple[str, Reply, Letters]
"""A group, its letter, and all that it has."""


def _stands(letter: Reply, found: Letters) -> str:
    if place_of(letter) in found.dismissed:
        return "dismissed"
    return "retried" if found.was_retried(letter) else "open"


def _count(screen: Screen, rows: Sequence[Row]) -> None:
    counts = Counter(
        (name, letter.header(names.ORIGIN_TOPIC), _stands(letter, of), letter.header(names.CAUSE))
        for name, letter, of in rows
    )
    screen.table(
        ("Letters", "Group", "From", "State", "Cause"),
        (
            (f"{number:,}", name, origin or "?", state, cause)
            for (name, origin, state, cause), number in counts.most_common(MANY)
        ),
        right=("Letters",),
    )
    screen.say(f"and the last {MANY} of them (--all shows each):")


def _table(screen: Screen, rows: Sequence[Row]) -> None:
    screen.table(
        ("Group", "Place", "First time", "Origin", "Type", "Bytes", "State", "Cause"),
        (
            (
                name,
                place_of(letter),
                first_time(letter)[:19].replace("T", " "),
                origin_of(letter),
                letter.type or "(unreadable)",
                len(letter.value),
                _stands(letter, found),
                letter.header(names.CAUSE),
            )
            for name, letter, found in rows
        ),
        right=("Bytes",),
    )


@app.command
async def show(group: Group, place: str, /, *, common: Common = DEFAULT) -> int:
    """Show one dead letter: its headers, and its bytes as far as they can be read."""
    if place == ALL:
        raise Misuse(f"Name one; `onaccount dead-letters list {group}` shows which there are.")
    async with common.client() as client:
        (letter,) = (await _letters(client, group)).at(group, place)
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
    """Give a dead letter, or `all` that were not retried or dismissed, to its group once more."""
    screen = common.screen
    async with common.client() as client:
        found = await _letters(client, group)
        if place == ALL:
            letters = [one for one in found.listed if not found.was_retried(one)]
        else:
            letters = found.at(group, place)
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


def _sort_of(letter: Reply) -> Sort:
    return origin_of(letter), letter.value


@app.command
async def dismiss(group: Group, place: str, /, *, common: Common = DEFAULT) -> int:
    """List a dead letter, or `all` that are listed, no longer: it needs nothing more.

    It stays where it is: `list --all` has it, and `retry` takes it by its place.
    """
    screen = common.screen
    async with common.client() as client:
        found = await _letters(client, group)
        letters = found.listed if place == ALL else found.at(group, place)
        places = [place_of(letter) for letter in letters]
        for done in range(0, len(places), AT_ONCE):
            some = [one for one in places[done : done + AT_ONCE] if one not in found.dismissed]
            await asyncio.gather(*(_dismiss(client, group, one) for one in some))
    screen.data({"group": group, "dismissed": places})
    screen.good(f"{len(places):,} dead letter{'' if len(places) == 1 else 's'} dismissed")
    return 0


async def _dismiss(client: Client, group: str, place: str) -> None:
    headers = [(names.DISMISSED, place.encode())]
    await client.put(names.dead_letters(group), b"", key=None, headers=headers)


async def _letters(client: Client, group: str) -> Letters:
    records = await client.read(names.dead_letters(group))
    retried: dict[Sort, datetime] = {}
    for one in await client.read(names.retries(group)):
        sort = _sort_of(one)
        retried[sort] = max(one.time, retried.get(sort, one.time))
    return Letters(
        letters=[one for one in records if _dismisses(one) is None],
        retried=retried,
        dismissed={place for one in records if (place := _dismisses(one)) is not None},
    )


def _dismisses(record: Reply) -> str | None:
    """The place of the letter that a record says is dismissed; None of a letter. A letter has a
    cause always, and may have whatever other headers its sender gave it."""
    return None if record.header(names.CAUSE) is not None else record.header(names.DISMISSED)
