"""`onaccount invoices pay` and `refund`: money that came in, and went back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from cli.amounts import Misuse, cents, money
from cli.client import Client
from cli.invoices import credit_notes, find
from cli.messages import Json, given, new_id, now
from cli.options import DEFAULT, Common
from cli.payments import open_of, typed_on
from cli.registry import settings_of
from cli.replies import holding
from cli.screen import Screen, outcome

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


async def pay(
    environment: int,
    invoice: str,
    amount: str,
    /,
    *,
    method: str = "bank",
    at: str | None = None,
    payment_id: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """Record a payment of an invoice.

    Parameters
    ----------
    amount
        As 125,50.
    method
        How it was paid: bank, cash, card.
    at
        When: a day as 2026-08-05, or RFC 3339, a year ahead at most; now unless given.
    payment_id
        Give one to repeat a payment without counting it twice.
    """
    which = {"invoice_id" if UUID.fullmatch(invoice) else "number": invoice}
    message = {
        "type": "payment.record",
        "payment_id": payment_id or new_id(),
        "environment": environment,
        **which,
        "amount": cents(amount),
        "method": method,
        "by": common.by,
    }
    screen = common.screen
    async with common.client("payment.record") as client:
        message["at"] = await _moment(client, environment, at, method)
        with client.watching("payment.received", _receipt_of(message)) as receipts:
            reply = (await client.ask(message, timeout_s=common.timeout)).message
            if reply["type"] == "command.refused":
                if reply["reason"] == "invoice_unknown":
                    await what_it_is_instead(client, environment, invoice)
                return outcome(screen, reply)
            receipt = (await receipts.next(common.timeout)).message
        released = await _released(client, environment, receipt["amount"])
    screen.data({**reply, "received": receipt})
    currency = receipt["currency"]
    screen.good(f"{money(receipt['amount'], currency)} received for {receipt['number']}")
    # Too much may be meant (it came in) or a slip: say it so that it is seen.
    style = "yellow" if receipt["open"] < 0 else ""
    screen.say(f"{'!' if style else ' '} open: {_open(receipt['open'], currency)}{released}", style)
    return 0


async def what_it_is_instead(client: Client, environment: int, invoice: str) -> None:
    """Raises Misuse where there is no such venue, or where that is a credit note's number, or an
    invoice's in other letters: elsewhere capitals do not count, but the invoicer takes it as typed.
    """
    await settings_of(client, environment)
    states = await client.view("invoices.state", environment=environment, wanted=holding(invoice))
    for number in (str(state.get("number")) for state in states.values()):
        if number.lower() == invoice.lower():
            raise Misuse(f"There is no invoice {invoice}; it is written {number}.")
    note = (await credit_notes(client, environment)).get(invoice.lower())
    if note is not None:
        raise Misuse(
            f"{note['number']} is a credit note, and a payment is of an invoice. Money that went "
            f"back is recorded with `onaccount invoices refund {environment} {note['number']}`."
        )


async def refund(
    environment: int,
    invoice: str,
    amount: str | None = None,
    /,
    *,
    method: str = "bank",
    at: str | None = None,
    reverses: str | None = None,
    refund_id: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """Record that money was paid back which was paid too much, or for a credited invoice.

    It pays nothing by itself: transfer the money first. `onaccount invoices open` lists what guests
    are to have back.

    Parameters
    ----------
    amount
        As 125,50; all that is to be had back for this invoice unless given.
    method
        How it was paid back: bank, cash, card; offset where it was set off against another invoice.
    at
        When: a day as 2026-08-05, or RFC 3339, a year ahead at most; now unless given.
    reverses
        Id of a payment, as `onaccount invoices show` tells it: this undoes that payment, which the
        bank took back, or which was recorded by mistake. All of it unless an amount is given.
    refund_id
        Give one, with the amount, to repeat a refund without counting it twice.
    """
    if refund_id and not amount:  # all that is left would be another amount the second time
        raise Misuse("Give the amount too where you give --refund-id.")
    screen = common.screen
    async with common.client("payment.refund") as client:
        state = await find(client, environment, invoice)
        message = {
            "type": "payment.refund",
            "refund_id": refund_id or new_id(),
            "environment": environment,
            "invoice_id": state["invoice_id"],
            "amount": cents(amount) if amount else await _to_refund(client, state, reverses),
            "at": await _moment(client, environment, at, method),
            "method": method,
            "by": common.by,
            **given({"reverses": reverses}),
        }
        with client.watching("payment.refunded", _receipt_of(message, "refund_id")) as receipts:
            reply = (await client.ask(message, timeout_s=common.timeout)).message
            if reply["type"] == "command.refused":
                return outcome(screen, reply)
            receipt = (await receipts.next(common.timeout)).message
    screen.data({**reply, "refunded": receipt})
    _show_refund(screen, receipt)
    return 0


async def _moment(client: Client, environment: int, at: str | None, method: str) -> str:
    """When money moved; of a day alone by the venue's clock."""
    if at is None or not DAY.fullmatch(at):
        return at or now()
    try:
        day = date.fromisoformat(at)
    except ValueError:
        raise Misuse(f"There is no day {at}.") from None
    return typed_on(day, (await settings_of(client, environment)).zone, method)


def _show_refund(screen: Screen, receipt: Json) -> None:
    left, currency = receipt["open"], receipt["currency"]
    did = "taken off what is paid of" if "reverses" in receipt else "paid back for"
    screen.good(f"{money(receipt['amount'], currency)} {did} {receipt['number']}")
    more = money(-left, currency) if left < 0 else "nothing"
    screen.say(
        f"  open: {money(left, currency)}" if left > 0 else f"  to be paid back still: {more}"
    )


async def _to_refund(client: Client, state: Json, reverses: str | None) -> int:
    """All that is to be had back; or all of the payment that is undone. Where that is nothing the
    invoicer says why, so it is asked for the least all the same."""
    if reverses is None:
        return max(-open_of(state), 1)
    moved: dict[str, int] = {}
    for said in await client.read("invoices.events", wanted=holding(reverses)):
        if said.message.get("invoice_id") != state["invoice_id"]:
            continue
        if said.message.get("payment_id") == reverses.lower():
            moved["in"] = said.message["amount"]
        elif said.message.get("reverses") == reverses.lower():
            moved[said.message["refund_id"]] = -said.message["amount"]
    return max(sum(moved.values()), 1)


def _receipt_of(message: Json, id_field: str = "payment_id") -> Callable[[Json], bool]:
    kind = {"payment_id": "payment.received", "refund_id": "payment.refunded"}[id_field]

    def ours(said: Json) -> bool:
        return (
            said.get("type") == kind
            and said.get(id_field) == message[id_field].lower()
            and said.get("environment") == message["environment"]
        )

    return ours


def _open(amount: int, currency: str) -> str:
    if amount < 0:
        return f"nothing; {money(-amount, currency)} too much came in, to be paid back"
    return money(amount, currency) if amount else "nothing, it is paid"


async def _released(client: Client, environment: int, amount: int) -> str:
    """What the account's limit gets back: all at issue, or what is paid, as the venue chose."""
    venue = (await settings_of(client, environment)).settings or {}
    if venue.get("limit_release") != "paid":
        return "; the limit was free again when the invoice was issued"
    return f"; of the limit {money(amount, venue.get('currency'))} at most is free again"
