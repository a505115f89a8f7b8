"""What every chapter of the story works with, and what it leaves for the summary."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from cli.client import Client
from cli.demo import venue
from cli.demo.own_stack import OwnStack
from cli.messages import Json
from cli.replies import Reply
from cli.screen import Screen
from cli.till import Till
from cli.trouble import Trouble

ANSWER_S = 30.0
BY = "demo"


@dataclass(slots=True)
class Told:
    """What was done and answered, as its doer remembers it; the summary compares it."""

    accounts: list[str] = field(default_factory=list)
    imported: Json = field(default_factory=dict)
    approved: dict[str, Json] = field(default_factory=dict)
    repeated: int = 0
    repeated_same: int = 0
    declined: Json = field(default_factory=dict)
    offline: Json = field(default_factory=dict)
    reversed: Json = field(default_factory=dict)
    run: Json = field(default_factory=dict)
    period: str = ""


@dataclass(slots=True)
class Teller:
    """Says where the story is, and how long it has taken."""

    screen: Screen
    began: float = field(default_factory=time.monotonic)
    chapters: int = 0

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        self.chapters += 1
        self.screen.say("")
        seconds = time.monotonic() - self.began
        self.screen.say(f"{self.chapters}. {title}  ({seconds:.1f} s)", "bold cyan")


@dataclass(slots=True)
class Scene:
    """One telling: against one stack, with one client that hears all answers."""

    screen: Screen
    teller: Teller
    client: Client
    stack: OwnStack
    results: Path
    told: Told = field(default_factory=Told)

    def till(self, terminal: str) -> Till:
        """A till of the venue."""
        return Till(self.client, venue.ENVIRONMENT, terminal, timeout_s=ANSWER_S)

    def eml(self) -> list[Path]:
        """The mails that were caught so far."""
        return sorted(self.stack.mails.glob("*.eml"))

    async def order(self, message: Json) -> None:
        """Send a command; raises Trouble when it is refused."""
        reply = await self.client.ask(message, timeout_s=ANSWER_S)
        if reply.type == "command.refused":
            raise Trouble(
                f"{message['type']} was refused ({reply.message['reason']}): "
                f"{reply.message.get('message')}"
            )

    def approved(self, reply: Reply) -> None:
        """Note an approved sale; raises Trouble when it is not."""
        if reply.type != "sale.approved":
            raise Trouble(
                f"A sale was not approved: {reply.message.get('reason')}, "
                f"{reply.message.get('explanation')}"
            )
        self.told.approved[reply.message["sale_id"]] = reply.message
