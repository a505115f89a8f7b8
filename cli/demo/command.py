"""`onaccount demo`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

app = App(
    name="demo",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount demo           its mails and documents stay in var/demo-results
    onaccount demo --keep    leaves the stack up, to go on by hand

Exit status 0 only if every figure at the end is as it must be.
""",
)


@app.default
def demo(
    *,
    keep: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Start a stack, import, sell, invoice, mail, and check that all of it adds up.

    Parameters
    ----------
    keep
        Leave the stack up afterwards.
    as_json
        Print the figures as JSON, and nothing else.
    """
    from cli.demo.telling import run

    return run(keep=keep, as_json=as_json)
