"""A venue for the invoicer's benchmark: its guests with a month of sales, and a mail server that
takes all."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks import load
from schemas.pos import SaleApproved, SaleLine
from schemas.registry import AccountState, CustomerState, EnvironmentState
from schemas.values import line_total
from schemas.wire import encode

MENU = (
    ("Bier 0,25 l", 350, "21"),
    ("Speciaalbier van de tap", 525, "21"),
    ("Cappuccino", 325, "9"),
    ("Broodje kroket", 595, "9"),
    ("Bitterballen (8 stuks)", 875, "9"),
    ("Witte wijn, glas", 495, "21"),
)
PERIOD = "2026-10"
FIRST = datetime(2026, 10, 1, 10, tzinfo=UTC)


def states(environment: int, accounts: Sequence[str]) -> list[Any]:
    """What the registry says of the venue: itself, and a guest for each account."""
    made: list[Any] = [
        EnvironmentState(
            environment=environment, version=1, active=True, name="De Club",
            legal_name="Stichting De Club", street="Dorpsstraat 1", postcode="1234 AB",
            city="Utrecht", country="NL", vat_number="NL123456782B90", chamber_number="12345678",
            iban="NL91ABNA0417164300", currency="EUR", time_zone="Europe/Amsterdam", language="nl",
            finance_email="finance@club.example", finance_copy="none", reply_to=None,
            payment_days=14, limit_release="issued", number_format="{year}-{seq:05}",
            credit_note_format="{year}-{seq:05}", default_limit=None, default_on_account=True,
            default_in_overview=True, schedule=None, import_enabled=True, viewer_statements=False,
            logo=None, colour="#114488",
        )
    ]  # fmt: skip
    for name in accounts:
        guest = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{environment}/{name}"))
        made.append(
            CustomerState(
                environment=environment, customer_id=guest, version=1, erased=False,
                first_name="Anna", last_name=f"Jansen {name}", email=f"guest{name}@club.example",
                street="Kerkweg 2", postcode="3456 CD", city="Zeist",
            )
        )  # fmt: skip
        made.append(
            AccountState(
                environment=environment, account=name, version=1, description="", status="active",
                limit=None, on_account=True, in_overview=True, holder=guest, viewers=(),
            )
        )  # fmt: skip
    return made


def month(environment: int, accounts: Sequence[str], lines: int) -> list[SaleApproved]:
    """Four sales for each account, with so many lines together."""
    draw, made = random.Random(environment), []
    for name in accounts:
        for part in range(4):
            at = FIRST + timedelta(days=draw.randrange(28), minutes=draw.randrange(600))
            its = []
            for description, price, rate in draw.choices(MENU, k=lines // 4):
                quantity = str(draw.randint(1, 5))
                its.append(
                    SaleLine(
                        description=description, quantity=quantity, unit_price=price,
                        vat_rate=rate, total=line_total(quantity, price),
                    )
                )  # fmt: skip
            total = sum(line.total for line in its)
            made.append(
                SaleApproved(
                    sale_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{environment}/{name}/{part}")),
                    environment=environment, terminal="bar-1", account=name, at=at, booked_at=at,
                    decided_at=at, currency="EUR", total=total, lines=tuple(its), online=True,
                    over_limit=False, limit=None, used=total, available=None,
                )
            )  # fmt: skip
    return made


async def send(kafka: str, topic: str, messages: Sequence[Any]) -> None:
    """Put messages on a topic, and wait until they stand there."""
    async with load.producer(kafka, linger_ms=20) as out:
        for number, message in enumerate(messages):
            await out.send(topic, encode(message), key=b"%d" % number)
        await out.flush()


@asynccontextmanager
async def mail_server() -> AsyncIterator[str]:
    """Takes every mail, keeps none; gives its host:port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while command := (await reader.readline()).upper():
            if command.startswith(b"DATA"):
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
            if command.startswith(b"EHLO"):
                writer.write(b"250-here\r\n250 SIZE 99999999\r\n")
            else:
                writer.write(b"221 bye\r\n" if command.startswith(b"QUIT") else b"250 yes\r\n")
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=64 * 1024 * 1024)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
