"""`onaccount ledger`: the books."""

from __future__ import annotations

from cyclopts import App

from cli.amounts import money
from cli.options import DEFAULT, Common
from cli.screen import when
from cli.verify import verify as verify_service

app = App(
    name="ledger",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount ledger verify
    onaccount ledger show 2890 28900001
    onaccount ledger balances 2890
""",
)


@app.command
def verify(*, books_only: bool = False, common: Common = DEFAULT) -> int:
    """Compare decisions, journal, balances and what was published (opens PostgreSQL).

    Every balance is computed again from the journal, every entry is looked at by itself, and
    what the authorizer and the invoicer decided is held against what is posted.

    Parameters
    ----------
    books_only
        Look at the database alone, not at the topics.
    """
    return verify_service("ledger", common, *(["--books-only"] if books_only else []))


@app.command
async def show(environment: int, account: str, /, *, common: Common = DEFAULT) -> int:
    """Show an account's entries, from ledger.entries, and its balance."""
    async with common.client() as client:
        records = await client.read("ledger.entries")
        balances = await client.view("ledger.balances")
    # Delivered at least once: the same entry may stand there twice.
    ours = {
        r.message["entry_id"]: r.message
        for r in records
        if r.message.get("environment") == environment and r.message.get("account") == account
    }
    entries = sorted(ours.values(), key=lambda e: str(e["at"]))
    balance = balances.get(f"{environment}:{account}")
    screen = common.screen
    screen.data({"entries": entries, "balance": balance})
    screen.table(
        ("When", "Kind", "Ledger account", "Debit", "Credit", "Source"),
        (
            (
                when(e["at"]) if number == 0 else "",
                e["kind"] if number == 0 else "",
                leg["ledger_account"],
                money(leg["debit"], e["currency"]) if leg["debit"] else "",
                money(leg["credit"], e["currency"]) if leg["credit"] else "",
                e["source_id"] if number == 0 else "",
            )
            for e in entries
            for number, leg in enumerate(e["legs"])
        ),
        right=("Debit", "Credit"),
    )
    if balance is None:
        screen.bad(f"nothing was ever posted for account {account} of environment {environment}")
        return 1
    unbilled, billed = (money(balance[k], balance["currency"]) for k in ("unbilled", "billed"))
    screen.say(f"{len(entries)} entries; owed: {unbilled} not yet invoiced, {billed} invoiced")
    return 0


@app.command(name="balances")
async def balances_(environment: int, /, *, common: Common = DEFAULT) -> int:
    """Show what every account of an environment owes."""
    async with common.client() as client:
        states = await client.view("ledger.balances")
    rows = sorted(
        (s for s in states.values() if s.get("environment") == environment),
        key=lambda s: str(s["account"]),
    )
    screen = common.screen
    screen.data(rows)
    screen.table(
        ("Account", "Not yet invoiced", "Invoiced", "As of"),
        (
            (
                s["account"],
                money(s["unbilled"], s["currency"]),
                money(s["billed"], s["currency"]),
                when(s["at"]),
            )
            for s in rows
        ),
        right=("Not yet invoiced", "Invoiced"),
    )
    return 0
