"""Findings that are named once, and reading that never stops at a record."""

from dataclasses import dataclass, field
from typing import Any

from runtime.reading import message_in
from services.ledger.audit import Finding
from services.ledger.report import Report, Traced

MOST_REMEMBERED = 10_000


@dataclass(slots=True, kw_only=True)
class Notes:
    """Where all links of the chain write down what they meet."""

    report: Report
    traced: Traced
    _named: set[tuple[object, ...]] = field(default_factory=set)

    def name(self, finding: Finding, *what: object) -> None:
        """Add a finding once: messages come at least once."""
        key = (finding.flaw, *what)
        if key in self._named:
            return
        if len(self._named) < MOST_REMEMBERED:
            self._named.add(key)
        self.report.add(finding)

    def read(self, topic: str, record: Any) -> object:
        """The message in a record; None, and counted, where there is none."""
        message = message_in(topic, record)
        self.traced.unreadable += message is None
        return message
