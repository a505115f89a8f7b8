"""The authorizer's answers to a till, as a person reads them."""

from __future__ import annotations

from cli.amounts import money
from cli.messages import Json
from cli.screen import Screen


def show_decision(screen: Screen, answer: Json) -> int:
    """Show sale.approved or sale.declined; gives the exit status."""
    screen.data(answer)
    currency = answer.get("currency")
    # What stands with the account is in the environment's currency, which the answer names only
    # by being in it.
    about = () if answer.get("reason") == "currency_mismatch" else ("limit", "used", "available")
    numbers = {
        "Sale": answer.get("sale_id"),
        "Account": answer.get("account"),
        **{
            name.capitalize(): money(answer[name], currency)
            for name in ("total", *about)
            if name in answer
        },
    }
    if answer["type"] == "sale.approved":
        over = ", over the limit" if answer.get("over_limit") else ""
        how = "" if answer.get("online", True) else " (made offline)"
        screen.good(f"approved{how}{over}")
        screen.fields(numbers)
        return 0
    field = f" (field {answer['field']})" if answer.get("field") else ""
    screen.bad(f"declined, {answer['reason']}{field}: {answer.get('explanation')}")
    screen.fields(numbers)
    return 1


def show_reversal(screen: Screen, answer: Json) -> int:
    """Show sale.reversed or sale.reversal_refused; gives the exit status."""
    screen.data(answer)
    if answer["type"] == "sale.reversed":
        currency = answer.get("currency")
        room = money(answer.get("available"), currency)
        screen.good(f"{taken_back(answer, currency)}; available: {room}")
        return 0
    field = f" (field {answer['field']})" if answer.get("field") else ""
    screen.bad(f"refused, {answer['reason']}{field}: {REFUSALS.get(answer['reason'], '')}")
    return 1


def taken_back(answer: Json, currency: str | None) -> str:
    """How much sale.reversed took back, or that there was nothing to."""
    if answer["amount"] == 0 and not answer.get("lines"):
        return "nothing was left to take back; a sale of this id that comes later is declined"
    return f"{money(answer['amount'], currency)} taken back"


REFUSALS = {
    "invalid_message": "the cancellation is wrong in itself",
    "environment_unknown": "this environment is not known",
    "account_unknown": "this account is not known",
    "sale_unknown": "no such sale has come yet; send it again later",
    "sale_declined": "this sale was declined, so there is nothing to take back",
    "exceeds_sale": "that is more than is left of the sale",
    "cancellation_id_reused": "another cancellation was answered under this id",
    "not_this_account": "this sale is on another account",
}
"""sale.reversal_refused carries no explanation: these are the contract's reasons in words."""
