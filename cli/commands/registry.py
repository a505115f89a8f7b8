"""`onaccount registry`: the registry's state as a whole."""

from __future__ import annotations

from collections import Counter

from cyclopts import App

from cli.messages import command
from cli.options import DEFAULT, Common
from cli.screen import outcome

app = App(
    name="registry",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount registry republish 2890
    onaccount registry count
""",
)


@app.command
async def republish(environment: int, /, *, common: Common = DEFAULT) -> int:
    """Let the whole present state of an environment be told again, with the same versions.

    For whoever lost registry.state, or began to read it late. Nothing changes.
    """
    message = command("registry.republish", environment, by=common.by)
    async with common.client("registry.republish") as client:
        reply = await client.ask(message, timeout_s=common.timeout)
    status = outcome(common.screen, reply.message)
    if status == 0:
        common.screen.say("its environment, customers, accounts and unbooked sales follow")
    return status


@app.command
async def count(*, common: Common = DEFAULT) -> int:
    """Count what registry.state holds, by environment."""
    async with common.client() as client:
        states = await client.view("registry.state")
    counts: Counter[tuple[int, str]] = Counter(
        (state["environment"], str(state["type"]).partition(".")[0]) for state in states.values()
    )
    screen = common.screen
    rows = [
        {"environment": number, **{k: counts[number, k] for k in ("customer", "account")}}
        for number in sorted({environment for environment, _ in counts})
    ]
    screen.data(rows)
    screen.table(
        ("Environment", "Customers", "Accounts"),
        ((r["environment"], f"{r['customer']:,}", f"{r['account']:,}") for r in rows),
        right=("Customers", "Accounts"),
    )
    return 0
