"""The authorizer's own figures."""

from __future__ import annotations

from prometheus_client import Counter

DECISIONS = Counter(
    "onaccount_decisions", "Sales and cancellations decided, repetitions left out", ["outcome"]
)
COMMANDS = Counter("onaccount_commands", "Commands carried out or refused", ["type", "outcome"])
