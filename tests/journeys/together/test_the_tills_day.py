"""A till's maker reads docs/tills.md, a bar uses the till in the terminal, and somebody sends
nonsense on every topic; on one whole stack.

Method of the first: each shell block of the page is run by bash, with a kcat that keeps what it is
to send; that is sent over the real broker, and what comes back is compared with the JSON below it.
"""

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.client import Client
from cli.messages import answered_id, new_id
from cli.till import TILL_TOPICS
from cli.where import kafka
from schemas.malformed import Malformed, Undecodable
from schemas.topics import GROUPS, TOPIC, dead_letters
from schemas.wire import decode
from tests.cli.running import Run, runner
from tests.schemas.wrongs import BAD, RIGHT, UUID_PATTERN, spoiled
from tests.support.stacks import Stack

PAGE = Path(__file__).resolve().parents[3] / "docs" / "tills.md"
BLOCK = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KCAT = """#!/bin/sh
printf '%s\\n' "$@" > "$SPOOL/words"
cat > "$SPOOL/value"
"""
ANSWERS_S = 30.0


@pytest.fixture
def onaccount(capsys: pytest.CaptureFixture[str], stack: Stack) -> Run:
    run = runner(capsys)
    return lambda *words: run(*words, "--dir", str(stack.folder))


def blocks() -> list[tuple[str, str]]:
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def sent_by(block: str, folder: Path) -> tuple[str, bytes, bytes]:
    """What a shell block gives to kcat: topic, key and value."""
    fake = folder / "kcat"
    fake.write_text(KCAT)
    fake.chmod(0o755)
    where = {"PATH": f"{folder}:{os.environ['PATH']}", "SPOOL": str(folder), "KAFKA": "broker:9092"}
    subprocess.run(["bash", "-euc", block], check=True, env={**os.environ, **where}, timeout=90)
    words = (folder / "words").read_text().split("\n")
    value = (folder / "value").read_bytes()
    assert b"\n" not in value, "kcat takes each line as a message of its own"
    assert words[:3] == ["-P", "-b", "broker:9092"]
    return words[words.index("-t") + 1], words[words.index("-k") + 1].encode(), value


def agrees(said: Any, documented: Any) -> bool:
    """Whether all that is documented was said. A directory's version is any."""
    if isinstance(documented, dict):
        return isinstance(said, dict) and all(
            name == "version" or agrees(said.get(name), value) for name, value in documented.items()
        )
    if isinstance(documented, list):
        return len(said) == len(documented) and all(map(agrees, said, documented))
    return bool(said == documented)


def test_every_example_of_the_page_is_answered_as_it_says(
    stack: Stack, onaccount: Run, tmp_path: Path
) -> None:
    found = blocks()
    setup = [block for kind, block in found if kind == "sh" and block.startswith("onaccount")]
    for line in setup[0].splitlines():
        assert onaccount(*shlex.split(line)[1:]).status == 0, line

    examples = [
        (sent_by(block, tmp_path), json.loads(found[place + 1][1]))
        for place, (kind, block) in enumerate(found)
        if kind == "sh" and "kcat" in block
    ]

    async def talk() -> list[tuple[dict[str, Any], dict[str, Any]]]:
        told = []
        async with Client(kafka(stack.folder), listen=TILL_TOPICS) as client:
            for (topic, key, value), documented in examples:
                with client.watching("the page's example", same_id(documented)) as answers:
                    await client.put(topic, value, key=key)
                    told.append(((await answers.next(ANSWERS_S)).message, documented))
        return told

    told = asyncio.run(talk())
    for said, documented in told:
        assert agrees(said, documented), (said, documented)
    assert {documented["type"] for _, documented in told} == {
        "directory.page", "directory.found", "sale.approved", "sale.declined", "sale.reversed",
        "sale.reversal_refused",
    }  # fmt: skip
    assert len(told) == len(examples) == 12


def same_id(documented: dict[str, Any]) -> Any:
    """Is a message an answer to the same question as the documented one?"""
    wanted = answered_id(documented)
    return lambda message: answered_id(message) == wanted and message["type"] in (
        documented["type"], "sale.approved", "sale.declined"
    )  # fmt: skip


def typed(
    stack: Stack, *lines: str, words: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """`onaccount till` with these lines on its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "cli", "till", "2890", "--dir", str(stack.folder), *words],
        input="".join(line + "\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_a_bar_opens_a_series_sets_limits_and_sells_line_by_line(
    stack: Stack, onaccount: Run
) -> None:
    opened = onaccount(
        "account", "open", "2890", "--series", "3", "--description", "Stoel", "--yes"
    )
    assert "3 opened, 28900003 to 28900005" in opened.out
    called = onaccount("account", "list", "2890", "stoel", "--json").json
    assert [one["description"] for one in called] == ["Stoel 3", "Stoel 4", "Stoel 5"]
    asked = onaccount("limits", "set", "2890", "20,00", "--matching", "stoel", "--on-account")
    assert "For 3 accounts: set the limit to €20.00, on account?" in asked.err
    changed = onaccount(
        "limits", "set", "2890", "20,00", "--matching", "stoel",
        "--on-account", "--in-overview", "--yes", "--json",
    )  # fmt: skip
    assert [one["change"] for one in changed.json["changes"]] == ["changed"] * 3
    done = typed(
        stack, "28900003", "2 x Pils 3,50 21%", "Kroket 2,75 9%", "drop 2", "", "repeat",
        "return 1 3,50", "9 x Pils 3,50 21%", "", "offline", "Wijn 6 21%", "", "online", "sales",
    )  # fmt: skip
    for words in (
        "✓ €7.00 approved", "the same answer as before", "✓ €3.50 taken back; €16.50 left",
        "✗ declined: The sale of €31.50 goes over the limit of €20.00",
        "€6.00 sold offline; kept", "✓ €6.00 approved, as it was made already",
        "a part taken back", "declined: over limit",
    ):  # fmt: skip
        assert words in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1  # something was declined, and nobody sat there to see it
    answers = typed(stack, "stoel 4", "Pils 3,50 21%", "", "settle", words=("--json",))
    kinds = [json.loads(line)["type"] for line in answers.stdout.splitlines()]
    assert kinds == ["directory.found", "sale.approved", "sale.reversed"]
    assert answers.returncode == 0


def test_a_sale_that_could_not_be_booked_is_assigned_dismissed_and_explained(
    onaccount: Run,
) -> None:
    ids = []
    at = f"{datetime.now(UTC) - timedelta(minutes=5):%Y-%m-%dT%H:%M:%S.000Z}"
    for price in ("4", "5"):
        told = onaccount(
            "till", "sell", "2890", "28908888", f"Wijn {price} 21%", "--offline", "--at", at,
            "--terminal", "bar 2", "--json",
        )  # fmt: skip
        assert [told.json[name] for name in ("reason", "terminal")] == ["account_unknown", "bar 2"]
        assert datetime.fromisoformat(told.json["at"]) == datetime.fromisoformat(at)
        ids.append(told.json["sale_id"])
    first, second = ids
    listed = onaccount("sales", "unbooked", "2890", "--json").json
    assert {one["sale_id"] for one in listed} >= {first, second}
    slip = onaccount("sales", "assign", "2890", first, "28908889", "--yes")
    assert (slip.status, "has no account 28908889" in slip.err) == (2, True)
    slip = onaccount("sales", "assign", "2890", first, "28900003", "--currency", "USD", "--yes")
    assert (slip.status, "bills in EUR" in slip.err) == (2, True)
    assert onaccount("sales", "unbooked", "2890", "--json").json == listed
    booked = onaccount("sales", "assign", "2890", first, "28900003", "--yes", "--json")
    assert (booked.json["type"], booked.json["online"]) == ("sale.approved", False)
    assert onaccount("sales", "dismiss", "2890", second, "--note", "cash", "--yes").status == 0
    left = {one["sale_id"] for one in onaccount("sales", "unbooked", "2890", "--json").json}
    assert left.isdisjoint(ids)
    story = onaccount("sales", "explain", booked.json["sale_id"], "--json").json
    assert story["stands"] == "booked after it was made, €4.00 to be invoiced"
    explained = onaccount("sales", "explain", second).out
    assert "dismissed by" in explained
    assert "cash" in explained


@pytest.mark.parametrize(
    "words",
    [("account", "list"), ("ledger", "balances"), ("invoices", "list"), ("customer", "find"),
     ("sales", "unbooked"), ("import", "list")],
)  # fmt: skip
def test_of_an_environment_that_nobody_began_there_is_no_list(
    words: tuple[str, ...], onaccount: Run
) -> None:
    told = onaccount(*words, "2891")
    assert told.status == 2
    assert "There is no environment 2891" in told.err


def test_a_search_that_finds_nothing_says_so(onaccount: Run) -> None:
    told = onaccount("till", "search", "2890", "nobody", "here")
    assert (told.status, told.out) == (1, "✗ no account fits 'nobody here'\n")


@pytest.mark.parametrize(
    "words",
    [("env", "list"), ("import", "list"), ("import", "list", "2890"), ("sales", "unbooked"),
     ("dead-letters", "list"), ("invoices", "list", "2890"), ("account", "list", "2890")],
)  # fmt: skip
def test_a_list_is_one_array_of_json_also_where_nothing_is_on_it(
    words: tuple[str, ...], onaccount: Run
) -> None:
    told = onaccount(*words, "--json")
    assert told.status == 0
    assert isinstance(json.loads(told.out), list)


def test_a_guest_is_found_by_name_allowed_and_erased(onaccount: Run) -> None:
    new = onaccount("customer", "register", "2890", "--first-name", "Zoë", "--last-name", "Müller",
                    "--email", "test@test.nl", "--json").json  # fmt: skip
    zoe = new["changes"][0]["id"]
    assert onaccount("account", "open", "2890", "28907777", "--holder", "zoe muller").status == 0
    assert onaccount("customer", "allow", "2890", "muller", "--in-overview").status == 0
    shown = onaccount("customer", "show", "2890", "zoe", "--json").json
    (account,) = shown["accounts"]
    assert (account["account"], account["on_account"], account["role"]) == (
        "28907777", True, "holder",
    )  # fmt: skip
    assert shown["email_fictitious"] is True
    for number, role in (("28907777", "holder"), ("28900003", "viewer")):
        onaccount("account", "link", "2890", number, zoe, "--role", role)
        off = onaccount("account", "unlink", "2890", number, zoe, "--json").json
        assert [one["change"] for one in off["changes"]] == ["changed"]
    assert onaccount("account", "unlink", "2890", "1", zoe).status == 2
    onaccount("account", "link", "2890", "28907777", zoe)
    asked = onaccount("customer", "erase", "2890", zoe)
    assert (asked.status, "Add --yes" in asked.err) == (2, True)
    in_part = onaccount("customer", "erase", "2890", "muller", "--yes")
    assert (in_part.status, "only in part" in in_part.err) == (2, True)
    assert onaccount("customer", "erase", "2890", "Zoe Müller", "--yes").status == 0
    gone = onaccount("customer", "show", "2890", zoe).out
    assert ("(erased)" in gone, "--holder" in gone) == (True, False)
    assert onaccount("customer", "find", "2890", "muller").status == 1
    assert onaccount("registry", "republish", "2890").status == 0
    no_sale = onaccount("sales", "explain", zoe)
    assert (no_sale.status, "Nothing is known of sale" in no_sale.err) == (2, True)


# --- nonsense ---------------------------------------------------------------------------------

WRONG_EACH = 10
"""Of each type, taken at even steps from all that test_bad_input.py looks at."""

ANSWERS = ("pos.decisions", "registry.outcomes", "imports.events", "invoices.events")
AWAITED_S = 90.0


def nonsense() -> Iterator[tuple[str, bytes, Malformed | None]]:
    """Wrong messages for each topic that a group reads: bytes, and what can be read of them."""
    for topic in (one for one in TOPIC.values() if one.messages and set(one.readers) & {*GROUPS}):
        for model in topic.messages:
            every = list(spoiled(model.model_fields["type"].default, BAD[::6]))
            taken = every[:: len(every) // WRONG_EACH]
            for wrong in (one for one in taken if len(one.value) < 200_000):
                value = wrong.value.replace(RIGHT[UUID_PATTERN].encode(), new_id().encode())
                try:
                    found = decode(topic.name, value)
                except Undecodable:
                    yield topic.name, value, None
                else:
                    if isinstance(found, Malformed):
                        yield topic.name, value, found


def test_nonsense_on_every_topic_is_answered_or_a_dead_letter_and_stops_nobody(
    stack: Stack, onaccount: Run
) -> None:
    sent = list(nonsense())
    assert len(sent) > 200

    async def send_and_see() -> tuple[set[bytes], set[tuple[str, str]]]:
        async with Client(kafka(stack.folder)) as client:
            await client.put(*sent[0][:2], key=b"nonsense")  # makes the producer
            await asyncio.gather(
                *(client.put(topic, value, key=b"nonsense") for topic, value, _ in sent[1:])
            )
            deadline = time.monotonic() + AWAITED_S
            while True:
                letters = await client.read(*map(dead_letters, GROUPS))
                dead = {letter.value for letter in letters}
                answers = await client.read(*ANSWERS)
                told = {(r.type, answered_id(r.message) or "") for r in answers}
                if not unseen(dead, told) or time.monotonic() > deadline:
                    return dead, told
                await asyncio.sleep(0.5)

    def unseen(dead: set[bytes], told: set[tuple[str, str]]) -> list[tuple[str, bytes]]:
        lost = []
        for topic, value, found in sent:
            own = topic in (
                "pos.sales",
                "registry.commands",
                "imports.uploads",
                "invoices.commands",
            )
            if found is None or found.answered_by is None or not own:
                # Of a type that nobody here takes nothing is made.
                if found is not None and not own and topic != "pos.terminals":
                    continue
                if value not in dead:
                    lost.append((topic, value))
            elif not any((found.answered_by, str(one)) in told for one in found.ids.values()):
                lost.append((topic, value))
        return lost

    dead, told = asyncio.run(send_and_see())
    assert unseen(dead, told) == []
    # Everybody works on.
    for name in ("authorizer-1", "ledger-1", "importer-1", "invoicer-1"):
        with urllib.request.urlopen(f"{stack.health(name)}/ready", timeout=10) as answer:
            assert answer.status in (200, 204), name
    for line in (
        'env configure 4711 --name "After the nonsense"',
        "env accept-gdpr 4711 --accepted-by Jo --document terms",
        "env activate 4711",
        "account open 4711 47110001 --limit none --on-account",
    ):
        assert onaccount(*shlex.split(line)).status == 0, line
    sold = onaccount("till", "sell", "4711", "47110001", "Pils 3,50 21%", "--json")
    assert sold.json["type"] == "sale.approved"
