"""The `onaccount` command: groups of commands, each in a module of its own, loaded when asked."""

from cyclopts import App

from cli.help import Joined


def version() -> str:
    """The version that is installed; cyclopts would look for a package of the module's name."""
    from importlib import metadata

    return metadata.version("onaccount")


app = App(
    name="onaccount",
    version=version,
    help="""Buy on account: the till sells now, an invoice follows.

Commands talk to the services over Kafka's topics, as anyone may. They find
Kafka through ONACCOUNT_KAFKA, or through the stack.json of a local stack
(`onaccount stack up`, --dir).
""",
    help_format="plaintext",
    help_formatter=Joined(),
    suppress_keyboard_interrupt=False,  # main() says so in a sentence
    help_epilogue="""Start here:

    onaccount demo             the whole story, on a stack of its own
    onaccount stack up         run everything on this machine; then, elsewhere:
    onaccount env show 2890
    onaccount account list 2890
    onaccount till sell 2890 28900001 "2 x Pils 3,50 21%"

Exit status: 0 done, 1 refused, a check failed or nothing found,
2 not understood or not there, 3 no answer or unreachable. With --json
what is wrong is {"error": "..."} on standard error.
""",
)

# What each group is for stands here, so that the list of them needs none of their modules.
GROUPS = {
    "demo": (
        "cli.demo.command:app",
        "Tell the whole story on a stack of its own: from an empty venue to mailed invoices.",
    ),
    "stack": (
        "cli.stack.app:stack",
        "Run all of it on this machine: Kafka, PostgreSQL, mail, workers.",
    ),
    "env": (
        "cli.commands.env:app",
        "Environments (venues): legal data, settings, GDPR terms, the module on or off.",
    ),
    "customer": (
        "cli.commands.customer:app",
        "Customers: the guests and companies that are invoiced.",
    ),
    "account": (
        "cli.commands.account:app",
        "Accounts: what is sold on them, up to which limit, and who is invoiced.",
    ),
    "limits": (
        "cli.commands.limits:app",
        "Limits: what accounts may spend, one or thousands at once.",
    ),
    "registry": (
        "cli.commands.registry:app",
        "The registry as a whole: let its state be told again.",
    ),
    "till": (
        "cli.commands.till:app",
        "A till in the terminal: sign on, search, sell, cancel; alone, it asks as it goes.",
    ),
    "sales": (
        "cli.commands.sales:app",
        "Sales: all that is known of one, and those that could not be booked.",
    ),
    "import": (
        "cli.commands.imports:app",
        "Import customers and accounts from an Excel workbook: preview, confirm, report.",
    ),
    "invoices": (
        "cli.commands.invoices:app",
        "Invoices: run a month, review drafts, send, get documents, record payments.",
    ),
    "ledger": (
        "cli.commands.ledger:app",
        "The ledger: entries and balances in double entry.",
    ),
    "dead-letters": (
        "cli.commands.deadletters:app",
        "Dead letters: records that a group could not process; look at them, give them again.",
    ),
    "topics": (
        "cli.commands.topics:app",
        "Topics: compare Kafka with the contract's table, and bring it up to it.",
    ),
    "migrate": (
        "cli.commands.migrate:app",
        "Migrate: bring the services' database schemas up to date (opens PostgreSQL).",
    ),
    "recover": (
        "cli.commands.recover:app",
        "Recover: after a power cut, have the services read and tell again from a moment on.",
    ),
    "settings": (
        "cli.commands.settings:app",
        "Settings: every ONACCOUNT_* variable with its default, type and meaning.",
    ),
}
for name, (place, purpose) in GROUPS.items():
    app.command(place, name=name, help=purpose)
