"""Exchange rates to the euro, as persons set them."""

from datetime import date

from runtime.sql import statements
from runtime.transaction import Tx
from schemas.exchange import ExchangeRateSet

sql = statements("services.invoicer", "sql/rates.sql")


async def record(tx: Tx, command: ExchangeRateSet) -> None:
    await tx.execute(
        sql.record,
        command.environment,
        command.command_id,
        command.currency,
        command.rate,
        command.from_,
        command.by,
    )


async def on_day(tx: Tx, environment: int, currency: str, day: date) -> str | None:
    """Euros for one unit, as a decimal string; None where none was set."""
    found: str | None = await tx.fetchval(sql.on_day, environment, currency, day)
    return found
