"""The `onaccount` command: groups of commands, each in a module of its own."""

from cyclopts import App

from cli.stack.app import stack

app = App(
    name="onaccount",
    help="Buy on account: the till sells now, an invoice follows.",
)
app.command(stack)
