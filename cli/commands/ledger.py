"""`onaccount ledger`: the books."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

from cli.amounts import money
from cli.books.account import read_account, show_statement
from cli.books.export import Format, export, format_of
from cli.books.period import Period
from cli.books.statement import statement
from cli.imported import counted
from cli.options import DEFAULT, Common
from cli.registry import no_account, settings_of
from cli.screen import when
from cli.verify import verify as verify_service

app = App(
    name="ledger",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount ledger verify
    onaccount ledger show 2890 28900001 --period 2026-07
    onaccount ledger balances 2890
    onaccount ledger export 2890 2026-07
    onaccount ledger export 2890 2026 --format xaf
""",
)

SUMS = ("opening", "debit", "credit", "closing")


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
async def show(
    environment: int,
    account: str,
    /,
    *,
    period: str | None = None,
    legs: bool = False,
    common: Common = DEFAULT,
) -> int:
    """Show an account's statement: its entries, what each moved, and what is owed after it.

    Parameters
    ----------
    period
        A year (2026), a month (2026-07) or days (2026-07-01..2026-07-15); all unless given.
    legs
        Show each entry's debits and credits too.
    """
    within = None if period is None else Period.read(period)
    async with common.client() as client:
        found = await read_account(client, environment, account, common.screen)
    screen = common.screen
    if account not in found.venue.accounts and not found.entries:
        raise no_account(environment, account)
    listed = statement(
        found.entries.values(), found.documents, period=within, zone=found.venue.zone
    )
    screen.data(
        {
            "entries": [line.entry for line in listed.lines],
            "balance": found.balance,
            "opening": dict(zip(("unbilled", "billed"), listed.opening, strict=True)),
            "closing": dict(zip(("unbilled", "billed"), listed.closing, strict=True)),
        }
    )
    show_statement(screen, listed, found, legs=legs)
    return 0


@app.command(name="export")
async def export_(
    environment: int,
    period: str,
    /,
    *,
    format: Format | None = None,
    out: Path | None = None,
    common: Common = DEFAULT,
) -> int:
    """Export a period's entries as a workbook, as CSV, or as the Dutch auditor's file (XAF 3.2).

    Days are the venue's own. It reads ledger.entries from its beginning and sorts
    on disk, so that it takes little memory, and room in the folder for temporary
    files (TMPDIR).

    Parameters
    ----------
    period
        A year (2026), a month (2026-07) or days (2026-07-01..2026-07-15), both included.
    format
        xlsx, csv or xaf; by default as the file is named, else xlsx.
    out
        The file, or a folder for it; by default ledger-ENVIRONMENT-PERIOD.FORMAT in this folder.
    """
    wanted = Period.read(period)
    screen = common.screen
    async with common.client() as client:
        made = await export(
            client,
            environment,
            wanted,
            format=format_of(out, format),
            out=out,
            screen=screen,
        )
    screen.data(made)
    screen.table(
        ("Ledger account", "Opening", "Debit", "Credit", "Closing"),
        (
            (name, *(money(one[k], made["currency"]) for k in SUMS))
            for name, one in made["ledger_accounts"].items()
        ),
        right=("Opening", "Debit", "Credit", "Closing"),
    )
    if made["debit"] != made["credit"]:
        screen.bad(
            f"debits and credits differ; see `onaccount ledger verify` ({made['file']} is written)"
        )
        return 1
    screen.good(f"{made['file']}: {made['entries']:,} entries, {made['lines']:,} lines")
    return 0


@app.command(name="balances")
async def balances_(environment: int, /, *, common: Common = DEFAULT) -> int:
    """Show what every account of an environment owes."""
    async with common.client() as client:
        states = await client.view("ledger.balances", environment=environment)
        rows = sorted(states.values(), key=lambda s: str(s["account"]))
        if not rows:
            await settings_of(client, environment)
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
    screen.say(f"{counted(len(rows), 'account')} with entries")
    return 0
