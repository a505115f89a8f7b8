"""What a look at the books found, for people and for machines."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from services.ledger.audit import Finding

MOST_FINDINGS = 1_000  # are named; the rest is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedOn:
    """What went over one ledger account of one environment, in minor units."""

    environment: int
    currency: str
    ledger_account: str
    debit: int
    credit: int


@dataclass(slots=True, kw_only=True)
class Traced:
    """How much of the topics was held against the books.

    `decisions` are messages that move money, repetitions too; `published` are records of
    ledger.entries, `states` of ledger.balances. `unreadable` records lie in the dead letters.
    `older` entries may come from before the topics' beginnings; `unpublished` ones may be on
    their way. `unread` offsets of decisions and invoices are still to be taken up by the ledger:
    records, and the marks that Kafka sets behind each transaction.
    """

    decisions: int = 0
    published: int = 0
    states: int = 0
    unreadable: int = 0
    older: int = 0
    unpublished: int = 0
    unread: int = 0


@dataclass(slots=True, kw_only=True)
class Report:
    """What was looked at and what was found. `waiting` entries' origins have yet to come.

    `traced` is None where only the database was looked at.
    """

    entries: dict[str, int] = field(default_factory=dict)
    accounts: int = 0
    waiting: int = 0
    traced: Traced | None = None
    booked: list[BookedOn] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    found: int = 0

    @property
    def ok(self) -> bool:
        return self.found == 0

    def add(self, finding: Finding) -> None:
        self.found += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(finding)

    def as_json(self) -> str:
        """The report for machines; `findings` holds the first thousand of `found`."""
        return json.dumps({"ok": self.ok, **asdict(self)}, ensure_ascii=False)


def in_words(report: Report) -> Iterator[str]:
    """The report for people, line by line. Amounts are minor units (cents)."""
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in report.entries.items())
    yield f"{sum(report.entries.values()):,} entries ({kinds or 'none'})"
    yield f"{report.accounts:,} account{'' if report.accounts == 1 else 's'}"
    venue: tuple[int, str] | None = None
    for row in report.booked:
        if venue != (row.environment, row.currency):
            venue = (row.environment, row.currency)
            yield f"environment {row.environment}, {row.currency}, in minor units:"
        yield (
            f"  {row.ledger_account:<24} debit {row.debit:>15,}  credit {row.credit:>15,}"
            f"  balance {row.debit - row.credit:>15,}"
        )
    if report.traced is not None:
        yield from _traced(report.traced)
    if report.waiting:
        yield f"{report.waiting:,} entries wait for what they reverse, credit or pay"
    for one in report.findings:
        place = "" if one.account is None else f" {one.environment}:{one.account}"
        entry = "" if one.entry_id is None else f" entry {one.entry_id}"
        yield f"{one.flaw}{place}{entry}: {one.says}"
    if report.found > len(report.findings):
        yield f"... and {report.found - len(report.findings):,} more"
    yield "The books balance." if report.ok else f"{report.found:,} differences."


def _traced(traced: Traced) -> Iterator[str]:
    yield (
        f"held against the topics: {traced.decisions:,} decisions, {traced.published:,} published "
        f"entries, {traced.states:,} published balances"
    )
    if traced.unreadable:
        yield f"{traced.unreadable:,} records can't be read; they lie in the dead letters"
    if traced.older:
        yield f"{traced.older:,} entries may be older than what the topics still hold"
    if traced.unread:
        yield (
            f"up to {traced.unread:,} records of pos.decisions and invoices.events, Kafka's "
            "transaction marks among them, are still to be read by the ledger: what they say is "
            "not in the books yet"
        )
    if traced.unpublished:
        yield f"{traced.unpublished:,} entries or balances are still to be published"
