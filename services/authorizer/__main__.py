"""The authorizer's composition root: python -m services.authorizer."""

from runtime.incoming import Lane, Route
from runtime.worker import Worker
from schemas.billing import CreditNoteIssued, InvoiceIssued, PaymentReceived
from schemas.pos import SaleCancelled, SaleRecorded, SaleRequested
from schemas.registry import (
    AccountChange,
    AccountLink,
    AccountOpen,
    AccountUnlink,
    CustomerChange,
    CustomerErase,
    CustomerRegister,
    EnvironmentAcceptGdpr,
    EnvironmentActivate,
    EnvironmentConfigure,
    EnvironmentDeactivate,
    RegistryRepublish,
)
from schemas.terminals import TerminalSearched, TerminalSignedOn
from services.authorizer.handlers import invoices, registry, sales, tills
from services.authorizer.settings import Settings
from services.authorizer.store.states import STATES

SALES = Route(
    topic="pos.sales",
    takes=(SaleRequested, SaleRecorded, SaleCancelled),
    handler=sales.handle,
    on_poison=sales.not_processed,
)
REGISTRY = Route(
    topic="registry.commands",
    takes=(
        EnvironmentConfigure,
        EnvironmentAcceptGdpr,
        EnvironmentActivate,
        EnvironmentDeactivate,
        CustomerRegister,
        CustomerChange,
        CustomerErase,
        AccountOpen,
        AccountChange,
        AccountLink,
        AccountUnlink,
        RegistryRepublish,
    ),
    handler=registry.handle,
)
INVOICES = Route(
    topic="invoices.events",
    takes=(InvoiceIssued, CreditNoteIssued, PaymentReceived),
    handler=invoices.handle,
)
TILLS = Route(
    topic="pos.terminals", takes=(TerminalSignedOn, TerminalSearched), handler=tills.handle
)


def build(settings: Settings) -> Worker:
    """The worker, nothing opened yet. Lanes: what is slow in one does not slow the others."""
    return Worker(
        service="authorizer",
        settings=settings,
        lanes=(
            Lane(name="sales", routes=(SALES,), max_records=1_000),
            Lane(name="registry", routes=(REGISTRY, INVOICES), max_records=200),
            Lane(name="tills", routes=(TILLS,), max_records=100),
        ),
        states=STATES,
    )


if __name__ == "__main__":
    build(Settings.read()).run()
