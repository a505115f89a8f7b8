"""The topics, as data: what travels on each, between whom, and how it is kept.

Nothing here talks to a broker. `Topic.config()` is what a topic is created with and compared to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from schemas import (
    billing,
    commands,
    exchange,
    imports,
    invoices,
    ledger,
    pending,
    pos,
    registry,
    statements,
    terminals,
    unbooked,
)
from schemas.base import Message
from schemas.steps import REGISTRY_COMMANDS

GROUPS: Final = ("authorizer", "ledger", "importer", "invoicer")
"""The consumer groups, one a service."""

KIB: Final = 1024
MIB: Final = 1024 * KIB
_ENVELOPE: Final = 64 * KIB
"""Room for key, headers and Kafka's own bytes beside the greatest value."""
_SALE: Final = 256 * KIB
"""The greatest message of a till."""

DAY_MS: Final = 86_400_000
FOREVER: Final = -1

Cleanup = Literal["delete", "compact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic. Sizes are bytes, times milliseconds, retention_ms -1 is: without end.

    `max_value_bytes` is the contract's limit for one message; decode() holds to it. The broker's
    max.message.bytes counts whole batches, and librdkafka fills those up to 1 MB by default and
    does not split one that is refused: so it is never below 1 MiB.
    """

    name: str
    key: str
    messages: tuple[type[Message], ...]
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    partitions: int = 4
    partitions_fixed: bool = False
    cleanup: Cleanup = "delete"
    retention_ms: int = FOREVER
    max_value_bytes: int = 2 * MIB

    @property
    def max_message_bytes(self) -> int:
        return max(self.max_value_bytes, MIB) + _ENVELOPE

    def config(self, *, replication: int = 1) -> dict[str, str]:
        """The topic's settings at the broker, by Kafka's names, for so many replicas."""
        config = {
            "cleanup.policy": self.cleanup,
            "max.message.bytes": str(self.max_message_bytes),
            "message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": "2" if replication >= 3 else "1",
            "unclean.leader.election.enable": "false",
        }
        if self.cleanup == "compact":
            # An erased customer's old records go within a day or two.
            config |= {"max.compaction.lag.ms": str(DAY_MS), "min.cleanable.dirty.ratio": "0.1"}
        else:
            config |= {"retention.ms": str(self.retention_ms), "retention.bytes": str(FOREVER)}
        return config


_OUTCOMES = (commands.CommandApplied, commands.CommandRefused)
_CONTRACT: Final = (
    Topic(
        name="pos.sales",
        key="environment:account",
        messages=(pos.SaleRequested, pos.SaleRecorded, pos.SaleCancelled),
        writers=("tills", "invoicer", "cli"),
        readers=("authorizer", "cli"),
        partitions=8,
        max_value_bytes=_SALE,
    ),
    Topic(
        name="pos.decisions",
        key="environment:account",
        messages=(
            pos.SaleApproved,
            pos.SaleDeclined,
            pos.SaleReversed,
            pos.SaleReversalRefused,
        ),
        writers=("authorizer",),
        readers=("tills", "ledger", "invoicer", "cli"),
        partitions=8,
        # An answer holds all lines of its sale, and says more (decision 121).
        max_value_bytes=2 * _SALE,
    ),
    Topic(
        name="pos.terminals",
        key="terminal",
        messages=(terminals.TerminalSignedOn, terminals.TerminalSearched),
        writers=("tills",),
        readers=("authorizer",),
        max_value_bytes=_SALE,
    ),
    Topic(
        name="pos.directories",
        key="terminal",
        messages=(terminals.DirectoryPage, terminals.DirectoryFound),
        writers=("authorizer",),
        readers=("tills",),
        max_value_bytes=256 * KIB,
    ),
    Topic(
        name="pos.unbooked",
        key="environment:sale_id:content",
        messages=(unbooked.UnbookedState,),
        writers=("authorizer",),
        readers=("anyone",),
        cleanup="compact",
    ),
    Topic(
        name="registry.commands",
        key="environment",
        messages=(*REGISTRY_COMMANDS, unbooked.UnbookedDismiss),
        writers=("cli", "importer"),
        readers=("authorizer", "cli"),
        partitions_fixed=True,
        max_value_bytes=MIB,
    ),
    Topic(
        name="registry.outcomes",
        key="environment",
        messages=_OUTCOMES,
        writers=("authorizer",),
        readers=("cli", "importer"),
        retention_ms=90 * DAY_MS,
    ),
    Topic(
        name="registry.state",
        key="kind:environment:id",
        messages=(registry.EnvironmentState, registry.CustomerState, registry.AccountState),
        writers=("authorizer",),
        readers=("cli", "importer", "invoicer"),
        cleanup="compact",
    ),
    Topic(
        name="ledger.entries",
        key="environment:account",
        messages=(ledger.EntryPosted,),
        writers=("ledger",),
        readers=("anyone",),
        partitions=8,
    ),
    Topic(
        name="ledger.balances",
        key="environment:account",
        messages=(ledger.BalanceState,),
        writers=("ledger",),
        readers=("anyone",),
        cleanup="compact",
    ),
    Topic(
        name="imports.uploads",
        key="job",
        messages=(
            imports.ImportUploaded,
            imports.ImportConfirmed,
            imports.ImportCancelled,
            imports.ImportUndo,
        ),
        writers=("anyone",),
        readers=("importer",),
        retention_ms=30 * DAY_MS,
        partitions_fixed=True,
        max_value_bytes=MIB,
    ),
    Topic(
        name="imports.events",
        key="job",
        messages=(
            imports.ImportPreviewed,
            imports.ImportProgressed,
            imports.ImportCompleted,
            imports.ImportFailed,
            imports.ImportReport,
            imports.ImportUndone,
        ),
        writers=("importer",),
        readers=("anyone",),
    ),
    Topic(
        name="imports.state",
        key="environment:job",
        messages=(imports.ImportState,),
        writers=("importer",),
        readers=("anyone",),
        cleanup="compact",
    ),
    Topic(
        name="invoices.commands",
        key="environment",
        messages=(
            invoices.InvoicesRun,
            invoices.InvoiceApprove,
            invoices.InvoiceSend,
            invoices.InvoiceDelete,
            invoices.InvoiceCorrect,
            exchange.ExchangeRateSet,
            invoices.PaymentRecord,
            invoices.PaymentRefund,
            invoices.StatementRequest,
            invoices.DocumentRequest,
            invoices.PendingRequest,
            invoices.InvoicesRepublish,
        ),
        writers=("finance", "invoicer"),
        readers=("invoicer",),
        partitions_fixed=True,
        max_value_bytes=MIB,
    ),
    Topic(
        name="invoices.events",
        key="environment:account, or environment for command.* and run.*",
        messages=(
            billing.InvoiceDrafted,
            billing.InvoiceIssued,
            billing.InvoiceSent,
            billing.CreditNoteSent,
            billing.InvoiceUndeliverable,
            billing.InvoiceDeleted,
            billing.InvoicePaid,
            billing.CreditNoteIssued,
            exchange.ExchangeRateRecorded,
            billing.PaymentReceived,
            billing.PaymentRefunded,
            statements.StatementSent,
            statements.StatementUndeliverable,
            billing.RunProgressed,
            billing.RunCompleted,
            *_OUTCOMES,
        ),
        writers=("invoicer",),
        # The invoicer too: a store that forgot what it told here went back (decision 107).
        readers=("ledger", "authorizer", "invoicer", "finance", "cli"),
    ),
    Topic(
        name="invoices.state",
        key="environment:invoice_id",
        messages=(billing.InvoiceState,),
        writers=("invoicer",),
        readers=("anyone",),
        cleanup="compact",
    ),
    Topic(
        name="invoices.documents",
        key="request",
        messages=(billing.DocumentPart, pending.PendingListed),
        writers=("invoicer",),
        readers=("finance",),
        retention_ms=7 * DAY_MS,
    ),
)


def dead_letters(group: str) -> str:
    """The topic to which a group puts what it can't process."""
    return f"{_known(group)}.dead-letters"


def retries(group: str) -> str:
    """The topic on which an operator gives a group its dead letters once more."""
    return f"{_known(group)}.retries"


def _known(group: str) -> str:
    if group not in GROUPS:
        raise ValueError(f"no such group: {group}")
    return group


def _aside(name: str, writers: tuple[str, ...], reader: str) -> Topic:
    return Topic(
        name=name,
        key="as on the topic of origin",
        messages=(),
        writers=writers,
        readers=(reader,),
        partitions=1,
    )


TOPICS: Final[tuple[Topic, ...]] = (
    *_CONTRACT,
    # The operator too: it notes there what is dismissed (decision 154).
    *(_aside(dead_letters(group), (group, "operator"), "operator") for group in GROUPS),
    *(_aside(retries(group), ("operator",), group) for group in GROUPS),
)
"""Every topic. Dead letters and retries hold the original bytes, of whatever type."""

TOPIC: Final[dict[str, Topic]] = {topic.name: topic for topic in TOPICS}
"""The topics by name."""

MESSAGES: Final[dict[str, type[Message]]] = {
    model.model_fields["type"].default: model for topic in TOPICS for model in topic.messages
}
"""Every message's model, by its `type`."""
