"""What happened on accounts in a period."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from runtime.sql import statements
from runtime.transaction import Tx
from schemas.registry import CustomerState, EnvironmentState
from schemas.values import account_key
from services.invoicer import parties
from services.invoicer.statements.model import Cover, Row, Statement, moments
from services.invoicer.store import documents, registry

sql = statements("services.invoicer", "sql/statements.sql")

MOST_ROWS = {"xlsx": 100_000, "pdf": 2_000}
"""Of one statement: it is made in memory, others' documents wait meanwhile, and it is mailed: a
PDF of 10,000 lines has 11 MB, more than many mail servers take."""


_LEAST = timedelta(microseconds=1)


class TooLong(Exception):
    """More happened in that period than one statement holds."""


async def load(
    tx: Tx,
    environment: EnvironmentState,
    account: str | None,
    first: date | datetime,
    until: date | datetime,
    *,
    most_rows: int,
    private: bool = False,
) -> Statement:
    """A statement from `first` (included) until `until` (excluded), by the venue's clock.
    `private`: without what was another's, who held the account before.

    Raises TooLong.
    """
    number, zone = environment.environment, ZoneInfo(environment.time_zone)
    begin, end = moments(first, until, zone)
    holding = None if account is None else (await registry.holdings(tx, number, [account]))[account]
    holder = None if holding is None else holding.holder
    before, own = None, list[str]()
    if private and account is not None:
        before, own = await _before(tx, number, account, holder)
    found = await tx.fetch(sql.rows, number, account, begin, end, most_rows + 1, before, own)
    if len(found) > most_rows:
        raise TooLong
    return Statement(
        total=sum(r["amount"] for r in found),
        seller=parties.seller(environment),
        language=parties.language(holder, environment),
        currency=environment.currency,
        account=account,
        description="" if holding is None else holding.description,
        holder="" if holder is None or holder.erased else parties.buyer(holder).shown_name,
        first=begin.date(),
        until=(end - _LEAST).date() + timedelta(days=1),
        rows=tuple(
            Row(
                at=r["at"].astimezone(zone),
                account=r["account"],
                terminal=r["terminal"],
                description=r["description"],
                quantity=r["quantity"],
                unit_price=r["unit_price"],
                vat_rate=r["vat_rate"],
                amount=r["amount"],
                back=r["back"],
            )
            for r in found
        ),
    )


async def _before(
    tx: Tx, environment: int, account: str, holder: CustomerState | None
) -> tuple[datetime | None, list[str]]:
    """Up to when what was sold may be another's than the holder's, None: it never was; and the
    invoices that were made out to the holder."""
    made_out = {
        r["invoice_id"]: holder is not None and parties.is_whom(holder, r["holder"], r["buyer"])
        for r in await tx.fetch(sql.made_out, environment, account)
    }
    others = [invoice for invoice, is_own in made_out.items() if not is_own]
    until: datetime | None = await tx.fetchval(sql.anothers_until, environment, account, others)
    return until, [invoice for invoice, is_own in made_out.items() if is_own]


async def keep(
    tx: Tx, environment: int, statement_id: str, cover: Cover, *, asked: str | None = None
) -> None:
    """Keep what the statement's mail says of it; `asked`: the request's id, where that is not its
    own."""
    await tx.execute(
        sql.keep,
        environment,
        statement_id,
        cover.account,
        cover.holder,
        cover.language,
        cover.first,
        cover.until,
        cover.currency,
        cover.total,
        asked,
    )


async def made(tx: Tx, environment: int, statement_id: str) -> tuple[Cover, documents.File] | None:
    """A statement that is made, with its file."""
    state = await registry.environment(tx, environment)
    row = await tx.fetchrow(sql.cover, environment, statement_id)
    files = await documents.files(tx, environment, statement_id)
    if state is None or row is None or not files:
        return None
    return Cover(seller=parties.seller(state), **dict(row)), next(iter(files.values()))


async def asked(tx: Tx, environment: int, statement_id: str) -> tuple[str, str]:
    """The key of a statement's event, its account's or the environment's; and the request's id."""
    row = await tx.fetchrow(sql.asked, environment, statement_id)
    if row is None or row["account"] is None:
        return str(environment), statement_id if row is None else row["asked"]
    return account_key(environment, row["account"]), row["asked"]
