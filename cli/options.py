"""The options that every command has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from cli.amounts import Misuse
from cli.client import Client
from cli.messages import Json, answer_topics, me
from cli.screen import Screen, outcome
from cli.where import kafka
from runtime.settings import KafkaSettings

EVERYWHERE = Group("Everywhere", sort_key=99)


@Parameter(name="*", group=EVERYWHERE)
@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """Options of every command."""

    directory: Annotated[Path, Parameter(name="--dir")] = Path("var")
    "Folder of the local stack, whose stack.json tells the addresses; ONACCOUNT_KAFKA beats it."
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False
    "Print JSON for machines, and nothing else."
    timeout: Annotated[float, Parameter(name="--timeout")] = 30.0
    "Seconds to wait for an answer."
    who: Annotated[str | None, Parameter(name="--by")] = None
    "Who gives the command, as it is kept; the user of this machine unless given."

    def __post_init__(self) -> None:
        """Raise Misuse for a time in which nobody could answer: it would be sent all the same."""
        if not self.timeout > 0:  # nan too
            raise Misuse(f"--timeout is a number of seconds above 0, not {self.timeout:g}.")

    @property
    def screen(self) -> Screen:
        """Where this command prints."""
        return Screen(as_json=self.as_json)

    @property
    def by(self) -> str:
        """Who gives the command."""
        return self.who or me()

    def kafka(self) -> KafkaSettings:
        """How Kafka is reached."""
        return kafka(self.directory)

    def client(self, *kinds: str) -> Client:
        """A client that hears the answers to messages of these types."""
        return Client(self.kafka(), listen=answer_topics(*kinds))

    async def order(self, message: Json) -> int:
        """Send one command, await its outcome and show it; gives the exit status."""
        async with self.client(message["type"]) as client:
            reply = await client.ask(message, timeout_s=self.timeout)
        return outcome(self.screen, reply.message)


DEFAULT = Common()
