"""What a worker knows of its own health; read by the health port's thread."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

PULSE_OLD_S = 15.0
BATCH_OLD_S = 120.0
QUIET_S = 1.0
"""So long after its last batch a lane counts as one that may have the next at any moment."""


@dataclass(slots=True)
class Status:
    """Written by the event loop, read by another thread: plain assignments only."""

    started: bool = False
    stopping: bool = False
    pulse: float = field(default_factory=time.monotonic)
    postgres: str | None = "not asked yet"
    kafka: str | None = "not asked yet"
    lanes: dict[str, bool] = field(default_factory=dict)
    in_hand: dict[str, float] = field(default_factory=dict)
    done: dict[str, float] = field(default_factory=dict)
    stops: dict[str, str] = field(default_factory=dict)
    waits: dict[str, str] = field(default_factory=dict)
    stuck: dict[str, str] = field(default_factory=dict)
    """What some jobs wait for, by kind, while all else is served: no reason not to be ready."""
    went_back: str | None = None
    fatal: str | None = None

    def batch_in_hand(self, lane: str) -> None:
        self.in_hand[lane] = time.monotonic()

    def batch_done(self, lane: str) -> None:
        self.in_hand.pop(lane, None)
        self.done[lane] = time.monotonic()

    def others_are_quiet(self, lane: str) -> bool:
        """Whether no lane but this one has anything in hand, or had a moment ago."""
        if len(self.in_hand) > (lane in self.in_hand):
            return False
        since = time.monotonic() - QUIET_S
        return all(at < since for other, at in self.done.items() if other != lane)

    def stopped(self, lane: str, why: str) -> None:
        """Our own code failed too often in this lane: it stays stopped until somebody acts; others
        go on."""
        self.stops[lane] = why

    def stopped_by(self, cause: str) -> bool:
        """Whether it stands still on purpose: by its `store`, or by failures of our `code`."""
        if cause == "store":
            return self.went_back is not None
        return bool(self.stops)

    def broken(self, why: str) -> None:
        """A bug of the edge: the process is to end."""
        self.fatal = why

    def unready(self) -> list[str]:
        """Why this worker does not serve; empty when it does."""
        why = [] if self.went_back is None else [self.went_back]
        why += list(self.stops.values())
        if self.fatal:
            why.append(self.fatal)
        if self.stopping:
            why.append("stopping")
        if not self.started:
            why.append("starting")
        if self.postgres:
            why.append(f"PostgreSQL: {self.postgres}")
        if self.kafka:
            why.append(f"Kafka: {self.kafka}")
        why += [
            f"lane {name} has not joined its group"
            for name, on in list(self.lanes.items())
            if not on
        ]
        why += [f"{where}: waits for {cause}" for where, cause in list(self.waits.items())]
        return why

    def beside(self) -> list[str]:
        """What does not go on though this worker serves."""
        return [f"{where}: waits for {cause}" for where, cause in list(self.stuck.items())]

    def dead(self) -> list[str]:
        """Why this worker should be started anew; empty while it lives.

        A lane that stopped on purpose is alive: a restart would only repeat what stopped it. So
        is one that waits for PostgreSQL or Kafka, or for what they refuse.
        """
        now = time.monotonic()
        why = [self.fatal] if self.fatal else []
        if now - self.pulse > PULSE_OLD_S:
            why.append(f"the event loop has not turned for {now - self.pulse:.0f} s")
        if not self.postgres and not self.kafka and not self.waits:
            why += [
                f"lane {name} has had a batch in hand for {now - since:.0f} s"
                for name, since in list(self.in_hand.items())
                if now - since > BATCH_OLD_S
            ]
        return why
