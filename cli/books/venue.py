"""Who the books belong to, and who its debtors are, as registry.state has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from cli.client import Client
from cli.messages import Json
from cli.registry import not_there


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """An environment with its accounts and customers, as their states say."""

    settings: Json
    accounts: Mapping[str, Json] = field(default_factory=dict)
    customers: Mapping[str, Json] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which its days begin."""
        return ZoneInfo(self.settings["time_zone"])

    def holder(self, account: str) -> Json:
        """The customer who is invoiced for an account; nothing where there is none."""
        holder = self.accounts.get(account, {}).get("holder")
        return self.customers.get(str(holder), {})

    def name(self, account: str) -> str:
        """What an account is called: its holder's name, else its description."""
        customer = self.holder(account)
        person = (customer.get(part) for part in ("first_name", "infix", "last_name"))
        name = customer.get("company") or " ".join(part for part in person if part)
        return str(name or self.accounts.get(account, {}).get("description") or "")


async def read_venue(client: Client, environment: int) -> Venue:
    """Raises Misuse where there is no such environment."""
    newest: dict[str, Json] = {}
    async for reply in client.replies("registry.state"):
        message = reply.message
        if message.get("environment") != environment:
            continue
        key = (reply.key or b"").decode(errors="replace")
        if message.get("version", 0) >= newest.get(key, {}).get("version", 0):
            newest[key] = message
    by_type: dict[str, list[Json]] = {}
    for message in newest.values():
        by_type.setdefault(message["type"], []).append(message)
    if not (environments := by_type.get("environment.state")):
        raise not_there(environment)
    return Venue(
        settings=environments[0],
        accounts={one["account"]: one for one in by_type.get("account.state", ())},
        customers={one["customer_id"]: one for one in by_type.get("customer.state", ())},
    )


def document_of(message: Json, environment: int) -> tuple[str, str] | None:
    """The id by which the ledger knows a document of invoices.events, and what it is called."""
    if message.get("environment") != environment:
        return None
    match message.get("type"):
        case "invoice.issued":
            return str(message["invoice_id"]), str(message["number"])
        case "credit_note.issued":
            return str(message["credit_note_id"]), str(message["number"])
        case "payment.received":
            return str(message["payment_id"]), f"payment of {message['number']}"
        case "payment.refunded":
            return str(message["refund_id"]), f"refund of {message['number']}"
        case _:
            return None
