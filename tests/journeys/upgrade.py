"""Workers of an older version and of this one on one database, while tills sell.

Goal: the order of an upgrade in docs/deploying.md loses nothing, counts nothing twice, buries
nothing, and can be gone back on. Method: a stack of the older version's own code; its schemas are
brought up to this version while its workers run; this version's workers join them, leave again, and
at last take over the folder alone. Tills sell all the time.

`make prove-upgrade FROM=COMMIT` runs it: by hand, before a release, from the one that is in use.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from cli.stack.process import wait_until
from tests.journeys.raw import command
from tests.outside.killed_everywhere import (
    ACCOUNTS,
    HOT,
    PRICE,
    ROOM,
    approved_in,
    balances,
    decisions,
    eventually,
    prepare,
    sell,
)
from tests.support.run import current
from tests.support.stacks import Stack, begin_stack

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).resolve().parents[2]
FROM = os.environ.get("ONACCOUNT_UPGRADE_FROM", "HEAD~20")
PHASE_S = 8.0
VENUE = {
    "legal_name": "Kantine B.V.", "street": "Laan 1", "postcode": "3991 AB", "city": "Houten",
    "country": "NL", "vat_number": "NL856432106B01", "chamber_number": "66221355",
    "iban": "NL91ABNA0417164300",
}  # fmt: skip
ADDRESS = {"street": "Laan 2", "postcode": "3991 AB", "city": "Houten", "country": "NL"}
GUEST = "0191b0c4-7e3a-7cc1-9a51-0000000000c1"


@pytest.fixture
def old() -> Mapping[str, str]:
    """The environment in which the older version's code runs."""
    folder = current().new_folder("old")
    archive = subprocess.run(["git", "archive", FROM], cwd=ROOT, check=True, capture_output=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}


@contextlib.contextmanager
def stack_of(folder: Path, environment: Mapping[str, str]) -> Iterator[Stack]:
    whole = begin_stack(folder, environment=environment, options=())
    try:
        whole.wait_ready()
        yield whole
    finally:
        whole.end()


def onaccount(stack: Stack, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command of this version, unless the environment names another's code."""
    env = {**os.environ, "ONACCOUNT_POSTGRES_ADMIN": stack.info["postgres_admin"], **environment}
    line = [sys.executable, "-m", "cli", *words, "--dir", str(stack.folder)]
    return subprocess.run(line, env=env, capture_output=True, text=True, check=False)


@contextlib.contextmanager
def workers_beside(stack: Stack) -> Iterator[None]:
    """One of this version's of each service; in the end each is told to stop, and exits 0."""
    info, begun = stack.info, []
    env = {**os.environ, "ONACCOUNT_KAFKA": info["kafka"], "ONACCOUNT_SMTP": info["smtp"]}
    for service, dsn in info["postgres"].items():
        with (stack.folder / f"{service}-new.txt").open("wb") as out:
            more = {f"ONACCOUNT_POSTGRES_{service.upper()}": dsn}
            line = [sys.executable, "-m", f"services.{service}"]
            begun.append(subprocess.Popen(line, stdout=out, stderr=out, env={**env, **more}))
    try:
        for service in info["postgres"]:
            log = stack.folder / f"{service}-new.txt"
            assert wait_until(lambda log=log: '"serving"' in log.read_text(), within_s=60), service
        yield
    finally:
        for one in begun:
            one.terminate()
        assert [one.wait(20) for one in begun] == [0] * len(begun)


async def selling(stack: Stack) -> list[bytes]:
    async with AIOKafkaProducer(bootstrap_servers=stack.info["kafka"], acks="all") as producer:
        return await sell(producer, time.monotonic() + PHASE_S)


async def open_venue(stack: Stack) -> None:
    async with AIOKafkaProducer(bootstrap_servers=stack.info["kafka"], acks="all") as producer:
        await prepare(producer)
        orders = [
            command("environment.configure", **VENUE),
            command("customer.register", customer_id=GUEST, company="Twelve B.V.", **ADDRESS),
            *(
                command("account.link", account=account, customer_id=GUEST, role="holder")
                for account in ACCOUNTS
            ),
        ]
        for one in orders:
            await producer.send_and_wait("registry.commands", one, key=b"2890")
    await asyncio.sleep(3)


async def check(stack: Stack, sent: set[str]) -> None:
    """Each sale is answered once, the hot account full to the cent, and the books are those."""
    found = await eventually(stack, decisions, lambda them: sent <= them.keys())
    assert sent <= found.keys(), f"{len(sent - found.keys())} of {len(sent)} have no answer"
    assert not [sale_id for sale_id, answers in found.items() if len(answers) > 1]
    approved = approved_in(found)
    assert approved[HOT] == ROOM * PRICE
    assert len(approved) == len(ACCOUNTS)
    assert await eventually(stack, balances, lambda them: them == approved) == approved


async def test_an_upgrade_that_is_begun_gone_back_on_and_ended_loses_nothing_and_counts_once(
    old: Mapping[str, str],
) -> None:
    folder, sold = current().new_folder("upgrade"), []
    with stack_of(folder, old) as stack:
        await open_venue(stack)
        sold += await selling(stack)
        going_on = asyncio.create_task(selling(stack))
        done = await asyncio.to_thread(onaccount, stack, "migrate")
        assert done.returncode == 0, done.stderr
        if ".sql" in done.stdout:
            refused = await asyncio.to_thread(onaccount, stack, "migrate", **old)
            assert "is not among the files" in refused.stderr
        done = await asyncio.to_thread(onaccount, stack, "topics", "apply")
        assert done.returncode == 0, done.stderr
        sold += await going_on
        sold += await selling(stack)  # the older ones alone, on the new schemas
        with workers_beside(stack):
            sold += await selling(stack)
        sold += await selling(stack)  # gone back on
    with stack_of(folder, {}) as stack:
        sold += await selling(stack)
        await check(stack, {json.loads(one)["sale_id"] for one in sold})
        period = time.strftime("%Y-%m")
        for words in (
            ("invoices", "run", "2890", period, "--issue", "--yes"),
            ("ledger", "verify"),
        ):
            done = await asyncio.to_thread(onaccount, stack, *words)
            assert done.returncode == 0, (words, done.stdout[-2000:], done.stderr)
        letters = onaccount(stack, "dead-letters", "list", "--json")
        assert json.loads(letters.stdout) == []
