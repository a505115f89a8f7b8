"""exchange_rate.set: from a day on, what a unit of the venue's currency is in euros."""

from runtime.transaction import Tx
from schemas.exchange import ExchangeRateRecorded, ExchangeRateSet
from services.invoicer.admission import UNKNOWN
from services.invoicer.replies import Done, Refusal, change, told
from services.invoicer.store import rates, registry


async def set_rate(command: ExchangeRateSet, tx: Tx) -> Done | Refusal:
    """exchange_rate.recorded. What was issued keeps the rate that it had."""
    environment = await registry.environment(tx, command.environment)
    if environment is None:
        return UNKNOWN
    if environment.currency == "EUR" or command.currency != environment.currency:
        return Refusal(
            reason="currency_mismatch",
            field="currency",
            message=f"This environment bills in {environment.currency}; a rate to the euro is for "
            "the currency that it bills in, where that is another.",
        )
    await rates.record(tx, command)
    said = ExchangeRateRecorded.model_validate(
        {
            "command_id": command.command_id,
            "environment": command.environment,
            "currency": command.currency,
            "rate": command.rate,
            "from": command.from_,
            "at": tx.now,
        }
    )
    return Done(
        events=(told(tx, command.environment, said, command.command_id),),
        changes=(change(command.command_id, "created", "exchange_rate"),),
    )
