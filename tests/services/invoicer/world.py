"""A venue, its guests and their sales, as the invoicer is told of them."""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from runtime.answers import Answer
from runtime.jobs import JobKind
from schemas.invoices import InvoicesRun
from schemas.pos import ReversedLine, SaleApproved, SaleLine, SaleReversed
from schemas.values import line_total
from services.invoicer.__main__ import STATES
from services.invoicer.handlers import commands, registry, sales
from services.invoicer.jobs import republish
from services.invoicer.jobs.delivery import Delivery
from services.invoicer.jobs.documents import Documents
from services.invoicer.jobs.forget import FORGET
from services.invoicer.jobs.mail import Mailing
from services.invoicer.jobs.pending import PENDING
from services.invoicer.jobs.run import RUN
from services.invoicer.jobs.statements import Statements
from services.invoicer.rendering import Rendering
from services.invoicer.settings import Settings
from services.invoicer.smtp import Mailer
from tests.services.invoicer.people import ENV, account, customer, environment, new_id
from tests.support.handlers import HandlerBench

__all__ = ["ENV", "account", "customer", "environment", "new_id"]

JULY = datetime(2026, 7, 10, 18, 30, tzinfo=UTC)
Line = tuple[str, str, int, str]
BEER: Line = ("Bier", "2", 350, "21")
LUNCH: Line = ("Lunch", "1", 1250, "9")


def nth(seq: int) -> str:
    """The number that is given today, in the usual format."""
    return f"{datetime.now(ZoneInfo('Europe/Amsterdam')).year}-{seq:05}"


def sale(
    account: str,
    *lines: Line,
    at: datetime = JULY,
    number: int = ENV,
    sale_id: str | None = None,
) -> SaleApproved:
    """An approved sale; a line is (description, quantity, unit_price, vat_rate)."""
    made = tuple(
        SaleLine(description=d, quantity=q, unit_price=p, vat_rate=r, total=line_total(q, p))
        for d, q, p, r in lines or (BEER,)
    )
    total = sum(line.total for line in made)
    return SaleApproved(
        sale_id=sale_id or new_id(),
        environment=number,
        terminal="till-1",
        account=account,
        at=at,
        booked_at=at,
        decided_at=at,
        currency="EUR",
        total=total,
        lines=made,
        online=True,
        over_limit=False,
        limit=None,
        used=total,
        available=None,
    )


def reversal(of: SaleApproved, amount: int | None = None, **changes: Any) -> SaleReversed:
    """All of a sale taken back, or `amount` of its first line."""
    taken = [line for line in of.lines if line.total > 0]
    if amount is None:
        parts = [(line, line.total) for line in taken]
        parts[0] = (taken[0], taken[0].total + sum(x.total for x in of.lines if x.total < 0))
        amount = of.total
    else:
        parts = [(taken[0], amount)]
    values: dict[str, Any] = {
        "cancellation_id": new_id(),
        "sale_id": of.sale_id,
        "environment": of.environment,
        "terminal": of.terminal,
        "account": of.account,
        "at": of.at,
        "decided_at": of.decided_at,
        "currency": of.currency,
        "amount": amount,
        "lines": tuple(
            ReversedLine(description=x.description, vat_rate=x.vat_rate, total=t)
            for x, t in parts
            if t
        ),
        "reason": "cancelled",
        "available": None,
    }
    return SaleReversed(**{**values, **changes})


def asked(
    run_id: str = "july", period: str = "2026-07", *, number: int = ENV, **changes: Any
) -> InvoicesRun:
    values: dict[str, Any] = {"mode": "issue", "send": True, "by": "finance"}
    return InvoicesRun(run_id=run_id, environment=number, period=period, **{**values, **changes})


def said(answers: Iterable[Answer], kind: str | None = None) -> list[dict[str, Any]]:
    """Answers as JSON, of one type or of all."""
    return [json.loads(a.value) for a in answers if kind in (None, a.type)]


def types(answers: Iterable[Answer]) -> list[str]:
    return [a.type for a in answers]


@dataclass(kw_only=True)
class World:
    """A bench with the invoicer's handlers and jobs."""

    bench: HandlerBench
    mailing: Mailing
    told: list[Answer] = field(default_factory=list)

    @property
    def kinds(self) -> tuple[JobKind, ...]:
        return (
            RUN,
            PENDING,
            republish.kind(),
            FORGET,
            Documents(rendering=Rendering(0)).kind(1),
            Delivery(rendering=Rendering(0)).kind(),
            Statements(rendering=Rendering(0)).kind(),
            self.mailing.kind(),
        )

    async def registry(self, *states: Any) -> None:
        await self.bench.handle(registry.handle, states, topic="registry.state")

    async def sell(self, *messages: Any) -> list[Answer]:
        return await self.bench.handle(sales.handle, messages, topic="pos.decisions")

    async def command(self, *messages: Any, at: datetime | None = None) -> list[Answer]:
        return await self.bench.handle(commands.handle, messages, topic="invoices.commands", at=at)

    async def jobs(self, *names: str) -> list[Answer]:
        """Run the jobs that are due (of these kinds), and give what they told."""
        kinds = [kind for kind in self.kinds if not names or kind.kind in names]
        return await self.bench.run_jobs(kinds)

    async def run(self, *jobs: str, **changes: Any) -> list[Answer]:
        """Ask for a run, and run the jobs."""
        answers = await self.command(asked(**changes))
        return [*answers, *await self.jobs(*jobs)]

    async def guests(self, *names: str, **changes: Any) -> None:
        """The venue, and an account with a holder for each name."""
        ids = [new_id() for _ in names]
        await self.registry(
            environment(),
            *(customer(one, **changes) for one in ids),
            *(account(name, one) for name, one in zip(names, ids, strict=True)),
        )

    async def fetch(self, query: str, *args: Any) -> Sequence[Any]:
        return await self.bench.database.fetch(query, *args)


@asynccontextmanager
async def open_world(dsn: str, smtp: str = "127.0.0.1:9", **settings: Any) -> AsyncIterator[World]:
    usual = {"smtp_timeout_s": 5, "smtp_away_s": 0.05}
    chosen = Settings(postgres=SecretStr(dsn), smtp=smtp, **{**usual, **settings})
    mailer = Mailer(chosen)
    async with HandlerBench(dsn, states=STATES) as bench:
        try:
            yield World(bench=bench, mailing=Mailing(settings=chosen, mailer=mailer))
        finally:
            await mailer.close()
