"""`onaccount topics`: the broker's topics against the contract's table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from cyclopts import App

from cli.options import DEFAULT, Common
from cli.where import Unreachable, silent

app = App(
    name="topics",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount topics diff     what would be done; exit status 1 when anything
    onaccount topics apply    does it; never deletes, nor takes partitions away
""",
)


@app.command
async def diff(*, common: Common = DEFAULT) -> int:
    """Say what `topics apply` would do; status 1 when Kafka differs from the table."""
    from runtime import topics

    changes = await _reached(topics.diff, common)
    _show(common, changes, "kafka has all topics as the table says")
    return 1 if changes else 0


@app.command
async def apply(*, common: Common = DEFAULT) -> int:
    """Make missing topics and settle differences; status 1 when something was refused."""
    from runtime import topics

    changes = await _reached(topics.apply, common)
    _show(common, changes, "nothing to do: Kafka has all topics as the table says")
    return 1 if any(change.kind == "refused" for change in changes) else 0


async def _reached(function: Callable[[dict[str, Any]], Awaitable[Any]], common: Common) -> Any:
    from aiokafka.errors import KafkaConnectionError, KafkaError

    settings = common.kafka()
    try:
        return await function(settings.client())
    except (KafkaConnectionError, OSError) as fault:
        raise silent(settings) from fault
    except KafkaError as fault:
        raise Unreachable(
            f"Kafka at {settings.kafka} did not do it ({fault}); see "
            "whether it runs there and lets you."
        ) from fault


def _show(common: Common, changes: Any, none: str) -> None:
    screen = common.screen
    screen.data([{"topic": c.topic, "change": c.kind, "what": c.what} for c in changes])
    if changes:
        screen.table(
            ("Topic", "Change", "What"),
            ((c.topic, c.kind.replace("_", " "), c.what) for c in changes),
        )
    else:
        screen.good(none)
