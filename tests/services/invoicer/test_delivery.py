"""Whole deliveries against a server that misbehaves: nothing lost, nothing twice but the one case.

The one case: the server was given a mail and nobody noted its answer, because the line broke or
the worker was killed. Such a mail goes once more, with the same Message-ID, and is counted.
"""

import asyncio
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Any

import pytest

from runtime.answers import Answer
from services.invoicer.jobs.mail import MOST_UNSURE, delay_s
from services.invoicer.metrics import MAYBE_TWICE
from tests.services.invoicer.world import World, environment, open_world, said, sale, types
from tests.support.databases import Database
from tests.support.rude_mails import HangUp, RudeServer, Said

GUEST = "guest@club.example"


@pytest.fixture
def rude() -> Iterator[RudeServer]:
    server = RudeServer()
    server.start()
    yield server
    server.close()


@asynccontextmanager
async def sending(postgres: Database, rude: RudeServer) -> AsyncIterator[World]:
    quick = {"smtp_retry_s": 0.05, "smtp_away_s": 0.2, "smtp_timeout_s": 2.0}
    async with open_world(postgres.dsn("invoicer"), rude.address, **quick) as world:
        yield world


async def issued(world: World, count: int = 1, **changes: Any) -> list[dict[str, Any]]:
    """So many invoices, with their documents made and their mails waiting."""
    names = [f"A{n}" for n in range(count)]
    await world.guests(*names, **changes)
    await world.sell(*(sale(name) for name in names))
    return said(await world.run("run", "document"), "invoice.issued")


async def until_all_have_ended(world: World, within_s: float = 90) -> list[Answer]:
    """Work, with four slots as the worker has, until no mail is pending."""
    told: list[Answer] = []
    deadline = time.monotonic() + within_s
    while await world.fetch("SELECT FROM mail WHERE state = 'pending' LIMIT 1"):
        assert time.monotonic() < deadline, "mails are still pending"
        before = len(world.bench.published.answers)
        await asyncio.gather(*(world.jobs("mail") for _ in range(4)))
        told += world.bench.published.answers[before:]
        await asyncio.sleep(0.02)
    return told


def ids(mails: list[EmailMessage]) -> Counter[str]:
    return Counter(str(mail["Message-ID"]) for mail in mails)


async def test_of_several_recipients_each_goes_its_own_way(
    postgres: Database, rude: RudeServer
) -> None:
    rude.rule = lambda said: "550 5.1.1 no such user" if "guest" in said.argument else None
    async with sending(postgres, rude) as world:
        await world.guests("A0", email=GUEST)
        await world.registry(environment(version=2, finance_copy="each"))
        await world.sell(sale("A0"))
        await world.run("run", "document")
        told = await until_all_have_ended(world)
        (undeliverable,) = said(told, "invoice.undeliverable")
        assert (undeliverable["to"], undeliverable["code"]) == (GUEST, 550)
        assert rude.recipients == ["finance@club.example"]
        assert not said(told, "invoice.sent")  # finance's copy is not the guest's


async def test_greylisting_costs_a_delay_and_nothing_else(
    postgres: Database, rude: RudeServer
) -> None:
    seen: set[str] = set()

    def greylist(said: Said) -> str | None:
        if said.verb != "RCPT" or said.argument in seen:
            return None
        seen.add(said.argument)
        return "451 4.7.1 greylisted, come back later"

    rude.rule = greylist
    async with sending(postgres, rude) as world:
        await issued(world, 5)
        told = await until_all_have_ended(world)
        assert types(told).count("invoice.sent") == 5
        assert set(ids(rude.mails).values()) == {1}


async def test_a_server_whose_words_are_no_utf_8_is_understood_all_the_same(
    postgres: Database, rude: RudeServer
) -> None:
    pleine = b"bo\xeete pleine".decode(errors="surrogateescape")

    def full(said: Said) -> str | None:
        if said.verb != "RCPT":
            return None
        return f"450 4.2.2 {pleine}" if said.nth == 1 else f"550 5.2.2 {pleine}"

    rude.rule = full
    async with sending(postgres, rude) as world:
        await issued(world)
        (told,) = said(await until_all_have_ended(world), "invoice.undeliverable")
        assert (told["code"], told["reason"]) == (550, "5.2.2 boîte pleine")
        (row,) = await world.fetch("SELECT attempts, refusals FROM mail")
        assert tuple(row) == (2, 1)


def test_the_delays_after_refusals_grow_up_to_four_hours() -> None:
    assert [delay_s(60, n) for n in range(4)] == [60, 120, 240, 480]
    assert delay_s(60, 30) == 4 * 3600


async def test_a_line_that_breaks_after_the_mail_is_counted_and_mailed_once_more(
    postgres: Database, rude: RudeServer
) -> None:
    def once(said: Said) -> str | None:
        if said.verb == "." and said.nth == 1:
            raise HangUp
        return None

    rude.rule = once
    before = MAYBE_TWICE._value.get()
    async with sending(postgres, rude) as world:
        await issued(world)
        assert types(await until_all_have_ended(world)) == ["invoice.state", "invoice.sent"]
    assert list(ids(rude.mails).values()) == [2]
    assert MAYBE_TWICE._value.get() == before + 1


async def test_a_server_that_takes_mails_and_never_says_so_does_not_get_one_for_ever(
    postgres: Database, rude: RudeServer
) -> None:
    def always(said: Said) -> str | None:
        if said.verb == ".":
            raise HangUp
        return None

    rude.rule = always
    async with sending(postgres, rude) as world:
        await issued(world)
        (told,) = said(await until_all_have_ended(world), "invoice.undeliverable")
        assert (told["reason"], told["permanent"]) == ("may_have_arrived", False)
    assert list(ids(rude.mails).values()) == [MOST_UNSURE]


async def test_a_server_that_is_away_for_a_while_gets_each_mail_once(
    postgres: Database, rude: RudeServer
) -> None:
    rude.stop()
    async with sending(postgres, rude) as world:
        await issued(world, 6)
        waiting = asyncio.create_task(until_all_have_ended(world))
        await asyncio.sleep(1)
        assert rude.mails == []
        rude.start()
        assert types(await waiting).count("invoice.sent") == 6
        rows = await world.fetch("SELECT max(handed_over) AS most FROM mail")
        assert rows[0]["most"] < 12  # it waits, it does not hammer
    assert list(ids(rude.mails).values()) == [1] * 6


async def test_nothing_is_lost_and_nothing_twice_whatever_the_server_does(
    postgres: Database, rude: RudeServer
) -> None:
    """Goal: 24 mails through a server that does all of it at random. Method: seeded faults at
    every command; what it took without an answer is noted, and only that may come twice."""
    rng = random.Random(5321)
    broken: Counter[str] = Counter()

    def storm(said: Said) -> str | None:
        if said.verb == "RCPT" and "refused" in said.argument:
            return "552 5.2.2 over quota, for good"
        first = said.verb == "." and not broken  # once at least, whatever is drawn
        if not first and rng.random() > 0.2:
            return None
        if said.verb == ".":
            broken[said.argument] += 1
            if first or (broken[said.argument] < MOST_UNSURE and rng.random() < 0.5):
                raise HangUp
            return rng.choice(("451 4.3.0 try later", "452 4.3.1 no room"))
        if said.verb in ("CONNECT", "EHLO", "MAIL", "RCPT", "RSET"):
            if rng.random() < 0.4:
                raise HangUp
            return rng.choice(("421 4.3.2 closing", "451 4.7.1 greylisted"))
        return None

    rude.rule, rude.delay_s = storm, {"RCPT": 0.01, ".": 0.02}
    before = MAYBE_TWICE._value.get()
    async with sending(postgres, rude) as world:
        await issued(world, 24)
        await world.fetch(
            "UPDATE mail SET recipient = 'refused' || left(mail_id::text, 8) || '@club.example' "
            "WHERE mail_id IN (SELECT mail_id FROM mail ORDER BY mail_id LIMIT 4)"
        )
        told = await until_all_have_ended(world)
        sent = said(told, "invoice.sent")
        undeliverable = said(told, "invoice.undeliverable")
        assert sorted(u["code"] or 0 for u in undeliverable) == [552] * 4
        assert len({s["invoice_id"] for s in sent}) == len(sent) == 20
    times = ids(rude.mails)
    assert {s["message_id"] for s in sent} == set(times)
    twice = sum(each - 1 for each in times.values())
    assert 0 < twice <= sum(broken.values())
    assert MAYBE_TWICE._value.get() - before >= twice


WORKER = """
import asyncio, sys
from tests.services.invoicer.world import open_world
async def main():
    async with open_world(sys.argv[1], sys.argv[2]) as world:
        await world.jobs("mail")
asyncio.run(main())
"""


async def test_a_worker_killed_after_the_server_took_a_mail_mails_it_once_more(
    postgres: Database, rude: RudeServer
) -> None:
    """kill -9 when the server has the mail and before the worker hears of it."""
    workers: list[subprocess.Popen[bytes]] = []

    def kill(said: Said) -> str | None:
        if said.verb == "." and said.nth == 1:
            workers[0].kill()
            raise HangUp
        return None

    rude.rule = kill
    before = MAYBE_TWICE._value.get()
    async with sending(postgres, rude) as world:
        await issued(world)
        command = [sys.executable, "-c", WORKER, postgres.dsn("invoicer"), rude.address]
        workers.append(subprocess.Popen(command))
        assert await asyncio.to_thread(workers[0].wait, 60) == -9
        assert await world.jobs("mail") == []  # its lease is still there
        await world.bench.make_due("mail")
        assert types(await until_all_have_ended(world)) == ["invoice.state", "invoice.sent"]
    assert list(ids(rude.mails).values()) == [2]
    assert MAYBE_TWICE._value.get() == before + 1
