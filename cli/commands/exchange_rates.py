"""`onaccount invoices rate` and `rates`: euros for one unit of a venue's currency."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from cyclopts import Parameter

from cli.messages import command
from cli.options import DEFAULT, Common
from cli.registry import settings_of
from cli.replies import holding
from cli.screen import outcome, when


async def rate(
    environment: int,
    rate: str,
    /,
    *,
    first: Annotated[str | None, Parameter(name="--from")] = None,
    common: Common = DEFAULT,
) -> int:
    """Set an exchange rate: a Dutch venue that bills in another currency says its VAT in euros too.

    It counts for invoices that are issued from now on; what was issued keeps its rate.

    Parameters
    ----------
    rate
        Euros for one unit of the venue's currency, as 0,9215.
    first
        The first day on which it counts, YYYY-MM-DD; today unless given.
    """
    day = first or date.today().isoformat()  # noqa: DTZ011 - the person's own calendar
    async with common.client("exchange_rate.set") as client:
        currency = (await settings_of(client, environment)).currency
        message = command(
            "exchange_rate.set", environment, by=common.by, currency=currency,
            rate=rate.strip().replace(",", "."), **{"from": day},
        )  # fmt: skip
        reply = (await client.ask(message, timeout_s=common.timeout)).message
    status = outcome(common.screen, {**reply, "changes": []} if "changes" in reply else reply)
    if status == 0:
        common.screen.say(f"  from {day} on {currency} 1 is €{message['rate']}")
    return status


async def rates(environment: int, /, *, common: Common = DEFAULT) -> int:
    """List the exchange rates that were set; of two for one day the later counts."""
    async with common.client() as client:
        await settings_of(client, environment)
        said = await client.read("invoices.events", wanted=holding("exchange_rate.recorded"))
    found = {
        one.message["command_id"]: one.message
        for one in said
        if one.type == "exchange_rate.recorded" and one.message.get("environment") == environment
    }
    rows = sorted(found.values(), key=lambda one: (one["from"], one["at"]))
    common.screen.data(rows)
    common.screen.table(
        ("From", "Currency", "Euros for one", "Set at"),
        ((one["from"], one["currency"], one["rate"], when(one["at"])) for one in rows),
        right=("Euros for one",),
    )
    common.screen.say(f"{len(rows)} rate{'' if len(rows) == 1 else 's'}")
    return 0
