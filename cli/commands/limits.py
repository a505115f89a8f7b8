"""`onaccount limits`: what accounts may spend, one or thousands at once ("Wijzig credits")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import App, Parameter

from cli.amounts import Misuse, cents, money
from cli.asking import Yes, agreed
from cli.imported import counted
from cli.messages import CLEAR, Json, command
from cli.options import DEFAULT, Common
from cli.registry import Registry, folded, name_of, registry_of
from cli.screen import outcome
from cli.verify import verify as verify_service

app = App(
    name="limits",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount limits show 2890
    onaccount limits set 2890 250,00 28900001 28900002
    onaccount limits set 2890 100,00 --all --on-account --in-overview
    onaccount limits raise 2890 50,00 --matching "bedrijf noord"
    onaccount limits none 2890 28900001
    onaccount limits verify

Up to 10,000 accounts are changed by one command: all of them, or none. A limit
below what is used is allowed; nothing is sold until there is room again.
""",
)

MOST = 10_000

Accounts = Annotated[
    list[str] | None, Parameter(negative="", help="The accounts; or give --all or --matching.")
]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which accounts, and what else is set with the limit."""

    everyone: Annotated[bool, Parameter(name="--all", negative="")] = False
    "Every account that is not closed."
    matching: str | None = None
    """Every account that is not closed with these words in its description or holder's name, where
    12 is no part of 112; or with all of them in its number."""
    on_account: bool | None = None
    "Also whether they may buy on account ('Maak op naam')."
    in_overview: bool | None = None
    "Also whether they stand behind the till's button ('In overzicht')."
    command_id: str | None = None
    "Repeat a change that had no answer, under the id that was told then: it is not done twice."
    yes: Yes = False


@app.command
async def show(environment: int, /, *words: str, common: Common = DEFAULT) -> int:
    """Show limits, what is used of them and what is left; a text narrows it down."""
    text = " ".join(words)
    async with common.client() as client:
        registry = await registry_of(client, environment)
        balances = await client.view("ledger.balances", environment=environment)
    rows = [
        row
        for row in standings(registry, balances)
        if folded(text) in folded(f"{row['account']} {row['name']}")
    ]
    screen, currency = common.screen, registry.currency
    screen.data(rows)
    screen.table(
        ("Account", "Name", "Status", "Limit", "Used", "Available"),
        (
            (
                row["account"],
                row["name"],
                row["status"],
                money(row["limit"], currency),
                money(row["used"], currency),
                "" if row["available"] is None else money(row["available"], currency),
            )
            for row in rows
        ),
        right=("Limit", "Used", "Available"),
    )
    screen.say(f"{len(rows):,} account{'' if len(rows) == 1 else 's'}; used as the ledger has it")
    return 0 if rows or not text else 1


def standings(registry: Registry, balances: dict[str, Json]) -> list[Json]:
    """Each account with what is used of its limit, by the ledger's balances."""
    until_paid = (registry.settings or {}).get("limit_release") == "paid"
    found = []
    for number, account in sorted(registry.accounts.items()):
        balance = balances.get(f"{registry.environment}:{number}", {})
        # What came too much for an invoice buys no more credit (docs/money.md).
        unpaid = max(balance.get("billed", 0), 0) if until_paid else 0
        owed = balance.get("unbilled", 0) + unpaid
        used, limit = max(owed, 0), account["limit"]
        holder = registry.customers.get(account.get("holder") or "", {})
        found.append(
            {
                "account": number,
                "name": name_of(holder) or account["description"],
                "status": account["status"],
                "limit": limit,
                "used": used,
                "available": None if limit is None else limit - used,
            }
        )
    return found


@app.command(name="set")
async def set_(
    environment: int,
    limit: str,
    accounts: Accounts = None,
    /,
    *,
    choice: Choice = Choice(),
    common: Common = DEFAULT,
) -> int:
    """Set the limit of accounts, as 100,00.

    Parameters
    ----------
    limit
        The limit, as 100,00.
    """
    amount = cents(limit, what="a limit")
    return await _change(
        environment,
        accounts,
        choice,
        common,
        lambda currency: f"set the limit to {money(amount, currency)}",
        limit=amount,
    )


@app.command(name="raise")
async def raise_(
    environment: int,
    by: Annotated[str, Parameter(allow_leading_hyphen=True)],
    accounts: Accounts = None,
    /,
    *,
    choice: Choice = Choice(),
    common: Common = DEFAULT,
) -> int:
    """Raise the limit of accounts by an amount; a negative one lowers it.

    Parameters
    ----------
    by
        By how much, as 50,00.
    """
    amount = cents(by)
    return await _change(
        environment,
        accounts,
        choice,
        common,
        lambda currency: f"raise the limit by {money(amount, currency)}",
        raise_limit_by=amount,
    )


@app.command(name="none")
async def none_(
    environment: int,
    accounts: Accounts = None,
    /,
    *,
    choice: Choice = Choice(),
    common: Common = DEFAULT,
) -> int:
    """Let accounts spend without a limit."""
    return await _change(
        environment, accounts, choice, common, lambda _: "take the limit away", limit=CLEAR
    )


async def _change(
    environment: int,
    accounts: list[str] | None,
    choice: Choice,
    common: Common,
    what: Callable[[str], str],
    **fields: Any,
) -> int:
    screen = common.screen
    async with common.client("account.change") as client:
        registry = await registry_of(client, environment)
        chosen = registry.chosen(accounts or (), everyone=choice.everyone, matching=choice.matching)
        if len(chosen) > MOST:
            raise Misuse(
                f"{len(chosen):,} accounts fit; one command changes at most {MOST:,}: narrow it "
                "down with --matching, or name them."
            )
        more = "".join(
            f", {'' if value else 'not '}{words}"
            for words, value in (
                ("on account", choice.on_account),
                ("in the overview", choice.in_overview),
            )
            if value is not None
        )
        question = f"For {counted(len(chosen), 'account')}: {what(registry.currency)}{more}?"
        if not accounts and not await agreed(screen, question, yes=choice.yes):
            return 1
        order = command(
            "account.change",
            environment,
            by=common.by,
            accounts=chosen,
            command_id=choice.command_id,
            on_account=choice.on_account,
            in_overview=choice.in_overview,
            **fields,
        )
        with screen.waiting(f"changing {len(chosen):,} accounts"):
            reply = await client.ask(order, timeout_s=common.timeout)
    status = outcome(screen, reply.message)
    if status == 0 and (choice.on_account, choice.in_overview) != (None, None):
        screen.say("tills see it when they sign on again")
    return status


@app.command
def verify(
    environment: int | None = None,
    /,
    *,
    store_only: bool = False,
    common: Common = DEFAULT,
) -> int:
    """Check that what is used is what was sold and invoiced, and was told (opens PostgreSQL).

    Every account's sums are worked out again from the sales, reversals, invoices and payments that
    the authorizer remembers, and these are held against pos.decisions, its registry against
    registry.state.

    Parameters
    ----------
    store_only
        Look at the database alone, not at the topics.
    """
    chosen = [] if environment is None else ["--environment", str(environment)]
    return verify_service("authorizer", common, *chosen, *["--store-only"] * store_only)
