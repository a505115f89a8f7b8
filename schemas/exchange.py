"""Exchange rates to the euro: asked for on invoices.commands, told on invoices.events."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.base import Message
from schemas.commands import Command
from schemas.values import Currency, Date, Environment, ExchangeRate, Time, Uuid


class ExchangeRateSet(Command):
    """From a day on, euros for one unit of the venue's currency.

    A Dutch venue's invoices say their VAT in euros too (VAT directive art. 230).
    """

    type: Literal["exchange_rate.set"] = "exchange_rate.set"
    currency: Currency
    rate: ExchangeRate
    from_: Annotated[Date, Field(alias="from")]


class ExchangeRateRecorded(Message):
    """An exchange rate counts from a day on, for invoices that are issued from now on."""

    answer_ids: ClassVar[tuple[str, ...]] = ("command_id", "environment")

    type: Literal["exchange_rate.recorded"] = "exchange_rate.recorded"
    command_id: Uuid
    environment: Environment
    currency: Currency
    rate: ExchangeRate
    from_: Annotated[Date, Field(alias="from")]
    at: Time
