"""Who the books belong to, and who its debtors are, as registry.state has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from cli.client import Client
from cli.messages import Json
from cli.registry import name_of, registry_of


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
        described = self.accounts.get(account, {}).get("description")
        return name_of(self.holder(account)) or str(described or "")


async def read_venue(client: Client, environment: int) -> Venue:
    """Raises Misuse where there is no such environment."""
    registry = await registry_of(client, environment)
    return Venue(
        settings=registry.settings or {},
        accounts=registry.accounts,
        customers=registry.customers,
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
