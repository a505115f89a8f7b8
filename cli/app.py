"""The `onaccount` command: groups of commands, each in a module of its own, loaded when asked."""

from cyclopts import App

app = App(
    name="onaccount",
    help="""Buy on account: the till sells now, an invoice follows.

Commands talk to the services over Kafka's topics, as anyone may. They find Kafka through
ONACCOUNT_KAFKA, or through the stack.json of a local stack (`onaccount stack up`, --dir).
""",
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # main() says so in a sentence
    help_epilogue="""Start here:

    onaccount demo                     the whole story on a stack of its own, in half a minute
    onaccount stack up                 run everything on this machine, then in another terminal:
    onaccount env show 2890
    onaccount account list 2890
    onaccount till sell 2890 28900001 "2 x Pils 3,50 21%"

Exit status: 0 done, 1 refused or a check failed, 2 not understood, 3 no answer or unreachable.
""",
)

GROUPS = {
    "demo": "cli.demo.command:app",
    "stack": "cli.stack.app:stack",
    "env": "cli.commands.env:app",
    "customer": "cli.commands.customer:app",
    "account": "cli.commands.account:app",
    "till": "cli.commands.till:app",
    "import": "cli.commands.imports:app",
    "invoices": "cli.commands.invoices:app",
    "ledger": "cli.commands.ledger:app",
    "dead-letters": "cli.commands.deadletters:app",
    "topics": "cli.commands.topics:app",
    "migrate": "cli.commands.migrate:app",
    "settings": "cli.commands.settings:app",
}
for name, place in GROUPS.items():
    app.command(place, name=name)
