"""A toy service on the real edge: remembers what it answered, as a real one must.

It takes sales, keeps one row per sale with its answer's bytes, and counts per account how often a
sale was counted: exactly once, whatever happens. Its table stands in the schema `ledger` of a
database of its own, made by the test. What a test wants to go wrong, it says in the sale's `note`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from runtime.answers import Answer
from runtime.database import IDLE_S, Connection
from runtime.glance import Glance
from runtime.incoming import Incoming, Lane, Route
from runtime.jobs import JobKind, Work
from runtime.settings import WorkerSettings
from runtime.state import Key, Rows, StateKind
from runtime.transaction import Tx
from runtime.worker import Worker
from schemas.malformed import Malformed
from schemas.pos import SaleRequested

SERVICE = os.environ.get("ONACCOUNT_TOY_SERVICE", "ledger")
DECISIONS = "pos.decisions"
STATE = "ledger.balances"

TABLES = """
SET search_path TO {service};
CREATE TABLE toy (
    sale_id text PRIMARY KEY, account text NOT NULL, total bigint NOT NULL,
    answer bytea NOT NULL, decided_at timestamptz NOT NULL
);
CREATE TABLE toy_account (
    account text PRIMARY KEY, sales int NOT NULL, total bigint NOT NULL, version bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON toy, toy_account TO {service};
"""


LOOK = """
SELECT now() AS now, EXISTS (SELECT FROM toy WHERE sale_id = ANY ($3::text[])) AS known,
       (SELECT array_agg(p.next_offset ORDER BY place)
        FROM unnest($1::text[], $2::int[]) WITH ORDINALITY AS b (topic, partition, place)
        LEFT JOIN positions AS p USING (topic, partition)) AS positions
"""
RECORD = """
WITH advanced AS (
    INSERT INTO positions AS p
    SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $9::bigint[])
    ON CONFLICT (topic, partition)
    DO UPDATE SET next_offset = greatest(p.next_offset, excluded.next_offset),
                  read_at = greatest(p.read_at, excluded.read_at)
), made AS (
    INSERT INTO toy (sale_id, account, total, answer, decided_at)
    SELECT *, $8 FROM unnest($4::text[], $5::text[], $6::bigint[], $7::bytea[])
    RETURNING account, total
)
INSERT INTO toy_account AS a (account, sales, total, version)
SELECT account, count(*), sum(total), 1 FROM made GROUP BY account
ON CONFLICT (account) DO UPDATE
SET sales = a.sales + excluded.sales, total = a.total + excluded.total, version = a.version + 1
"""


class Settings(WorkerSettings):
    service = SERVICE


def settings_of(service: str) -> type[WorkerSettings]:
    """Settings of a toy that takes another service's place: its group, its schema."""
    return type("Settings", (WorkerSettings,), {"service": service, "__annotations__": {}})


def bytes_of(kind: str, sale_id: str, account: str, total: int) -> bytes:
    return (
        f'{{"type":"{kind}","sale_id":"{sale_id}","account":"{account}","total":{total}}}'.encode()
    )


class Toy:
    """The handlers. `pause` is awaited between lock and record; `accounts` are then the batch's."""

    def __init__(self) -> None:
        self.pause: Any = None
        self.mended = False
        self.accounts: list[str] = []

    async def sales(self, batch: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
        answers: list[Answer] = []
        sales = [i.message for i in batch if isinstance(i.message, SaleRequested)]
        self.accounts = accounts = sorted({s.account for s in sales})
        await tx.execute(
            "INSERT INTO toy_account SELECT unnest($1::text[]), 0, 0, 0 ON CONFLICT DO NOTHING",
            accounts,
        )
        await tx.fetch(
            "SELECT FROM toy_account WHERE account = ANY($1) ORDER BY account FOR UPDATE", accounts
        )
        known = {
            r["sale_id"]: r
            for r in await tx.fetch(
                "SELECT * FROM toy WHERE sale_id = ANY($1)", [s.sale_id for s in sales]
            )
        }
        if self.pause is not None:
            await self.pause(tx)
        if sum(sale.note == "long" for sale in sales) > 1:
            await asyncio.sleep(IDLE_S + 0.5)  # more work than PostgreSQL waits for
        for sale in sales:
            await self._one(sale, known, tx)
            row = known[sale.sale_id]
            tx.touch("account", sale.account)
            answers.append(
                Answer(
                    DECISIONS, f"{sale.environment}:{sale.account}",
                    f"sale.approved/{sale.sale_id}", "sale.approved", row["decided_at"],
                    bytes(row["answer"]),
                )
            )  # fmt: skip
        answers += [
            self._refusal(i.message, tx.now) for i in batch if isinstance(i.message, Malformed)
        ]
        return answers

    async def at_once(self, batch: Sequence[Incoming], glance: Glance) -> list[Answer] | None:
        sales = [
            i.message for i in batch if isinstance(i.message, SaleRequested) and not i.message.note
        ]
        new = {s.sale_id: s for s in sales}
        if len(sales) < len(batch):
            return None
        (row,) = await glance.look(LOOK, list(new))
        if row["known"]:
            return None
        made = {
            s.sale_id: bytes_of("sale.approved", s.sale_id, s.account, s.total)
            for s in new.values()
        }
        some = new.values()
        await glance.record(RECORD, [s.sale_id for s in some], [s.account for s in some],
                            [s.total for s in some], list(made.values()), glance.now)  # fmt: skip
        glance.touched |= dict.fromkeys(("account", (s.account,)) for s in some)
        return [
            Answer(DECISIONS, f"{s.environment}:{s.account}", f"sale.approved/{s.sale_id}",
                   "sale.approved", glance.now, made[s.sale_id])
            for s in sales
        ]  # fmt: skip

    async def _one(self, sale: SaleRequested, known: dict[str, Any], tx: Tx) -> None:
        if sale.sale_id in known:
            return
        if sale.note == "raise" and not self.mended:
            raise ValueError("a bug on this sale")
        if sale.note == "overflow":
            await tx.execute("SELECT 1 / 0")
        if sale.note == "slow":
            await asyncio.sleep(1)
        row = {
            "answer": bytes_of("sale.approved", sale.sale_id, sale.account, sale.total),
            "decided_at": tx.now,
        }
        await tx.execute(
            "INSERT INTO toy (sale_id, account, total, answer, decided_at) VALUES ($1,$2,$3,$4,$5)",
            sale.sale_id, sale.account, sale.total, row["answer"], tx.now,
        )  # fmt: skip
        await tx.execute(
            "UPDATE toy_account SET sales = sales + 1, total = total + $2, version = version + 1 "
            "WHERE account = $1", sale.account, sale.total,
        )  # fmt: skip
        known[sale.sale_id] = row

    def _refusal(self, wrong: Malformed, now: datetime) -> Answer:
        sale_id, account = str(wrong.ids["sale_id"]), str(wrong.ids["account"])
        return Answer(
            DECISIONS, f"{wrong.ids['environment']}:{account}", f"sale.declined/{sale_id}",
            "sale.declined", now, bytes_of("sale.declined", sale_id, account, 0),
        )  # fmt: skip

    async def on_poison(self, batch: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
        sale = batch[0].message
        answer = bytes_of("sale.declined", sale.sale_id, sale.account, sale.total)
        await tx.execute(
            "INSERT INTO toy (sale_id, account, total, answer, decided_at) VALUES ($1,$2,0,$3,$4) "
            "ON CONFLICT DO NOTHING", sale.sale_id, sale.account, answer, tx.now,
        )  # fmt: skip
        return [
            Answer(DECISIONS, f"{sale.environment}:{sale.account}", f"sale.declined/{sale.sale_id}",
                   "sale.declined", tx.now, answer)
        ]  # fmt: skip


async def read_accounts(connection: Connection, keys: Sequence[Key]) -> Rows:
    rows = await connection.fetch(
        "SELECT * FROM toy_account WHERE account = ANY($1)", [k[0] for k in keys]
    )
    return {
        (r["account"],): (
            r["version"],
            partial(
                Answer,
                STATE, f"2890:{r['account']}", f"balance.state/{r['account']}/{r['version']}",
                "balance.state", datetime.now(UTC),
                f'{{"type":"balance.state","version":{r["version"]},"total":{r["total"]}}}'.encode(),
            ),
        )
        for r in rows
    }  # fmt: skip


async def count_job(work: Work) -> None:
    async with work.step() as tx:
        total = await tx.fetchval("SELECT count(*) FROM toy")
        tx.answer(
            Answer("ledger.entries", "2890", f"counted/{work.job.ref}", "counted",
                   work.job.created_at,
                   f'{{"type":"counted","ref":"{work.job.ref}","sales":{total}}}'.encode())
        )  # fmt: skip
        tx.done()


def build(
    settings: WorkerSettings,
    toy: Toy | None = None,
    *,
    barrier: tuple[str, ...] = (),
    at_once: bool = False,
    times: int = 1,
    in_hand: int = 1,
    jobs: tuple[JobKind, ...] = (),
    **more: Any,
) -> Worker:
    toy = toy or Toy()
    return Worker(
        service=settings.service,
        settings=settings,
        lanes=(
            Lane(
                name="sales",
                routes=(
                    Route(
                        topic="pos.sales", takes=(SaleRequested,), handler=toy.sales,
                        on_poison=toy.on_poison, barrier=barrier,
                        at_once=toy.at_once if at_once else None,
                    ),
                ),
                times=times,
                in_hand=in_hand,
            ),
        ),
        states=(StateKind(kind="account", read=read_accounts),),
        jobs=(JobKind(kind="count", run=count_job), *jobs),
        **more,
    )  # fmt: skip


if __name__ == "__main__":
    build(Settings()).run()
