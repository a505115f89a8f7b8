"""`onaccount account`: what a guest's tab is, its limit, and who pays for it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from cli.amounts import Misuse, cents, money
from cli.commands.customer import name_of
from cli.messages import CLEAR, Json, command
from cli.options import DEFAULT, Common

app = App(
    name="account",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount account open 2890 28900001 --limit 100,00 \\
        --on-account --in-overview
    onaccount account change 2890 28900001 28900002 --raise-limit-by 50,00
    onaccount account change 2890 28900001 --limit none --status blocked
    onaccount account link 2890 28900001 CUSTOMER_ID
    onaccount account list 2890
""",
)

Status = Literal["inactive", "active", "blocked", "closed"]
LIMIT_HELP = "Limit, as 100,00; none: no limit."


@app.command(name="open")
async def open_(
    environment: int,
    account: str,
    /,
    *,
    description: str | None = None,
    status: Status | None = None,
    limit: Annotated[str | None, Parameter(help=LIMIT_HELP)] = None,
    on_account: bool | None = None,
    in_overview: bool | None = None,
    holder: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """Open an account; what is not given is the environment's default.

    Parameters
    ----------
    account
        Its number, kept as typed: environment and a series, as 28900001.
    on_account
        Whether it may buy on account.
    in_overview
        Whether it stands behind the till's on-account button.
    holder
        Id of the customer who is invoiced.
    """
    return await common.order(
        command(
            "account.open",
            environment,
            by=common.by,
            account=account,
            description=description,
            status=status,
            limit=None if limit is None else limit_of(limit),
            on_account=on_account,
            in_overview=in_overview,
            holder=holder,
        )
    )


@app.command
async def change(
    environment: int,
    accounts: Annotated[list[str], Parameter(negative="")],
    /,
    *,
    description: str | None = None,
    status: Status | None = None,
    limit: Annotated[str | None, Parameter(help=LIMIT_HELP)] = None,
    raise_limit_by: str | None = None,
    on_account: bool | None = None,
    in_overview: bool | None = None,
    only_if_unused: bool | None = None,
    common: Common = DEFAULT,
) -> int:
    """Change one account or many at once ("Wijzig credits"); what is not given stays.

    Parameters
    ----------
    raise_limit_by
        Raise the limit by this amount, as 50,00.
    only_if_unused
        Only accounts on which nothing was sold.
    """
    if limit is not None and raise_limit_by is not None:
        raise Misuse("Give --limit or --raise-limit-by, not both.")
    fields: dict[str, Any] = {
        "description": description,
        "status": status,
        "limit": None if limit is None else limit_of(limit),
        "raise_limit_by": None if raise_limit_by is None else cents(raise_limit_by),
        "on_account": on_account,
        "in_overview": in_overview,
    }
    if all(value is None for value in fields.values()):
        raise Misuse("Nothing to change: give --limit, --status, --on-account or another option.")
    return await common.order(
        command(
            "account.change",
            environment,
            by=common.by,
            accounts=accounts,
            only_if_unused=only_if_unused,
            **fields,
        )
    )


@app.command
async def link(
    environment: int,
    account: str,
    customer_id: str,
    /,
    *,
    role: Literal["holder", "viewer"] = "holder",
    common: Common = DEFAULT,
) -> int:
    """Link a customer: the holder is invoiced (one an account), a viewer may see it."""
    return await common.order(
        command(
            "account.link",
            environment,
            by=common.by,
            account=account,
            customer_id=customer_id,
            role=role,
        )
    )


@app.command
async def unlink(
    environment: int,
    account: str,
    customer_id: str,
    /,
    *,
    role: Literal["holder", "viewer"] = "holder",
    common: Common = DEFAULT,
) -> int:
    """Take a customer off an account."""
    return await common.order(
        command(
            "account.unlink",
            environment,
            by=common.by,
            account=account,
            customer_id=customer_id,
            role=role,
        )
    )


@app.command(name="list")
async def list_(environment: int, text: str = "", /, *, common: Common = DEFAULT) -> int:
    """List an environment's accounts with limits and balances; a text narrows it down."""
    rows = [
        row
        for row in await _accounts(environment, common)
        if text.lower() in f"{row['account']} {row['name']} {row.get('description') or ''}".lower()
    ]
    screen = common.screen
    screen.data(rows)
    screen.table(
        ("Account", "Name", "Status", "On account", "Limit", "Unbilled", "Billed"),
        (
            (
                row["account"],
                row["name"] or row.get("description"),
                row.get("status"),
                "in overview"
                if row.get("on_account") and row.get("in_overview")
                else row.get("on_account"),
                money(row.get("limit"), row["currency"]),
                money(row["unbilled"], row["currency"]),
                money(row["billed"], row["currency"]),
            )
            for row in rows
        ),
        right=("Limit", "Unbilled", "Billed"),
    )
    screen.say(f"{len(rows)} account{'' if len(rows) == 1 else 's'}")
    return 0 if rows or not text else 1


@app.command
async def show(environment: int, account: str, /, *, common: Common = DEFAULT) -> int:
    """Show one account: its settings, who pays, what is owed."""
    found = next(
        (row for row in await _accounts(environment, common) if row["account"] == account), None
    )
    screen = common.screen
    screen.data(found)
    if found is None:
        screen.bad(
            f"environment {environment} has no account {account}; "
            f"`onaccount account list {environment}` shows which it has"
        )
        return 1
    amounts = {k: money(found[k], found["currency"]) for k in ("limit", "unbilled", "billed")}
    screen.fields(
        {**{k: v for k, v in found.items() if k not in ("type", "environment")}, **amounts},
        title=f"Account {account}",
    )
    return 0


async def _accounts(environment: int, common: Common) -> list[Json]:
    """An environment's accounts with the holder's name and the ledger's balance, by number."""
    async with common.client() as client:
        states = await client.view("registry.state")
        balances = await client.view("ledger.balances")
    return join_accounts(environment, states, balances)


def join_accounts(
    environment: int, states: dict[str, Json], balances: dict[str, Json]
) -> list[Json]:
    """Account states of one environment, each with `name`, `currency`, `unbilled`, `billed`."""
    ours = [state for state in states.values() if state.get("environment") == environment]
    currency = next((s.get("currency") for s in ours if s.get("type") == "environment.state"), None)
    names = {s["customer_id"]: name_of(s) for s in ours if s.get("type") == "customer.state"}
    found = []
    for state in ours:
        if state.get("type") != "account.state":
            continue
        balance = balances.get(f"{environment}:{state['account']}", {})
        found.append(
            {
                **state,
                "name": names.get(str(state.get("holder")), ""),
                "currency": balance.get("currency") or currency or "EUR",
                "unbilled": balance.get("unbilled", 0),
                "billed": balance.get("billed", 0),
            }
        )
    return sorted(found, key=lambda row: str(row["account"]))


def limit_of(text: str) -> Any:
    """A limit in minor units, or CLEAR for `none`."""
    return CLEAR if text.lower() in ("none", "geen") else cents(text, what="a limit (or none)")
