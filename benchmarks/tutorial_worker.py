"""The baseline: an authorizer written as FastStream's tutorial would have one write it.

One message, one transaction, one awaited publish; FastStream's and aiokafka's own defaults (so it
commits offsets in the background and acknowledges with acks=1: less than onaccount promises, and
cheaper). Written fairly: the same validation of the same schemas, on the bytes and not on a
decoded dict; a pool; three short statements by primary key; a limit under a row lock; a repeated
sale gets the answer that was given. It knows no reversals, no registry, no refusals but over_limit
and account_unknown, and dead-letters nothing.

    ONACCOUNT_KAFKA=... TUTORIAL_POSTGRES=... python -m benchmarks.tutorial_worker
"""

import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import uvloop
from faststream import FastStream
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage

from schemas.pos import DeclineReason, SaleApproved, SaleDeclined, SaleRequested
from schemas.values import account_key
from schemas.wire import decode, encode

TABLES = """
CREATE SCHEMA tutorial;
CREATE TABLE tutorial.account (
    environment int, account text, sale_limit bigint, used bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (environment, account)
);
CREATE TABLE tutorial.sale (
    environment int, sale_id uuid, account text NOT NULL, total bigint NOT NULL,
    answer bytea NOT NULL, PRIMARY KEY (environment, sale_id)
);
"""
RECALL = "SELECT answer FROM tutorial.sale WHERE environment = $1 AND sale_id = $2"
LOCK = """
SELECT sale_limit, used FROM tutorial.account WHERE environment = $1 AND account = $2 FOR UPDATE
"""
RECORD = "INSERT INTO tutorial.sale VALUES ($1, $2, $3, $4, $5)"
CHARGE = "UPDATE tutorial.account SET used = used + $3 WHERE environment = $1 AND account = $2"


async def answer_to(sale: SaleRequested, connection: Any) -> bytes:
    """Decide one sale in one transaction; gives the answer's bytes."""
    async with connection.transaction():
        standing = await connection.fetchrow(LOCK, sale.environment, sale.account)
        known = await connection.fetchval(RECALL, sale.environment, sale.sale_id)
        if known is not None:
            return bytes(known)
        decision = decide(sale, standing)
        answer = encode(decision)
        await connection.execute(
            RECORD, sale.environment, sale.sale_id, sale.account, sale.total, answer
        )
        if isinstance(decision, SaleApproved):
            await connection.execute(CHARGE, sale.environment, sale.account, sale.total)
        return answer


def decide(sale: SaleRequested, standing: Any) -> SaleApproved | SaleDeclined:
    """Approve what is within the limit."""
    now = datetime.now(UTC)
    used = 0 if standing is None else standing["used"]
    limit = None if standing is None else standing["sale_limit"]
    if standing is None or (limit is not None and used + sale.total > limit):
        reason = DeclineReason.ACCOUNT_UNKNOWN if standing is None else DeclineReason.OVER_LIMIT
        return SaleDeclined(
            sale_id=sale.sale_id,
            environment=sale.environment,
            terminal=sale.terminal,
            account=sale.account,
            at=sale.at,
            decided_at=now,
            currency=sale.currency,
            total=sale.total,
            reason=reason,
            explanation=reason.value,
        )
    return SaleApproved(
        sale_id=sale.sale_id,
        environment=sale.environment,
        terminal=sale.terminal,
        account=sale.account,
        at=sale.at,
        booked_at=sale.at,
        decided_at=now,
        currency=sale.currency,
        total=sale.total,
        lines=sale.lines,
        online=True,
        over_limit=False,
        limit=limit,
        used=used + sale.total,
        available=None if limit is None else limit - used - sale.total,
    )


def build(kafka: str, postgres: str) -> FastStream:
    """The tutorial's shape: a broker, a subscriber, an app with a lifespan."""
    broker = KafkaBroker(kafka, logger=None)
    pool: list[asyncpg.Pool] = []

    @asynccontextmanager
    async def lifespan() -> Any:
        async with asyncpg.create_pool(postgres, min_size=2, max_size=4) as made:
            pool.append(made)
            yield

    async def bytes_as_they_are(message: KafkaMessage) -> bytes:
        return bytes(message.body)

    @broker.subscriber(
        "pos.sales",
        group_id="tutorial",
        auto_offset_reset="earliest",
        decoder=bytes_as_they_are,
    )
    async def on_sale(body: bytes) -> None:
        sale = decode("pos.sales", body)
        if not isinstance(sale, SaleRequested):
            return
        async with pool[0].acquire() as connection:
            answer = await answer_to(sale, connection)
        await broker.publish(
            answer,
            "pos.decisions",
            key=account_key(sale.environment, sale.account).encode(),
            headers={"ce_id": f"sale.decided/{sale.environment}/{sale.sale_id}"},
        )

    return FastStream(broker, lifespan=lifespan, logger=None)


if __name__ == "__main__":
    uvloop.run(build(os.environ["ONACCOUNT_KAFKA"], os.environ["TUTORIAL_POSTGRES"]).run())
