"""`onaccount account`: what a guest's tab is, its limit, and who pays for it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from cli.amounts import Misuse, cents, money
from cli.asking import Yes, agreed
from cli.client import Client
from cli.messages import CLEAR, Json, command
from cli.options import DEFAULT, Common
from cli.registry import UUID, account_read, folded, name_of, no_account, not_there, registry_of
from cli.screen import outcome
from cli.series import TAKEN, numbers, open_all, skipped

app = App(
    name="account",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount account open 2890 28900001 --limit 100,00 \\
        --on-account --in-overview
    onaccount account open 2890 --series 40 --description Tafel
    onaccount account change 2890 28900001 28900002 --raise-limit-by 50,00
    onaccount account change 2890 28900001 --limit none --status blocked
    onaccount account link 2890 28900001 twelve
    onaccount account list 2890
""",
)

Status = Literal["inactive", "active", "blocked", "closed"]
LIMIT_HELP = "Limit, as 100,00; none: no limit."


@app.command(name="open")
async def open_(
    environment: int,
    account: str | None = None,
    /,
    *,
    series: int | None = None,
    description: str | None = None,
    status: Status | None = None,
    limit: Annotated[str | None, Parameter(help=LIMIT_HELP)] = None,
    on_account: bool | None = None,
    in_overview: bool | None = None,
    holder: str | None = None,
    yes: Yes = False,
    common: Common = DEFAULT,
) -> int:
    """Open an account, or a series; what is not given is the environment's default.

    Parameters
    ----------
    account
        Its number, kept as typed: environment and a series, as 28900001.
    series
        Open so many, under the next free numbers, instead of one; each is described with its own.
    status
        The account's status; only an active one can be bought on.
    on_account
        Whether it may buy on account.
    in_overview
        Whether it stands behind the till's on-account button.
    holder
        The customer who is invoiced: an id, or words that fit no other.
    """
    if (account is None) == (series is None):
        raise Misuse("Give an account's number, or --series with how many are to be opened.")
    fields = {
        "description": description,
        "status": status,
        "limit": None if limit is None else limit_of(limit),
        "on_account": on_account,
        "in_overview": in_overview,
    }
    async with common.client("account.open") as client:
        fields["holder"] = await holder_of(client, environment, holder)
        if series is not None:
            return await _open_series(client, environment, series, fields, yes, common)
        order = command("account.open", environment, by=common.by, account=account, **fields)
        reply = await client.ask(order, timeout_s=common.timeout)
    return outcome(common.screen, reply.message)


async def holder_of(client: Client, environment: int, text: str | None) -> str | None:
    """The id of the customer that is meant; an id goes through as it is."""
    if text is None or UUID.fullmatch(text.lower()):
        return text and text.lower()
    return str((await registry_of(client, environment)).customer(text)["customer_id"])


async def _open_series(
    client: Client, environment: int, count: int, fields: Json, yes: bool, common: Common
) -> int:
    registry = await registry_of(client, environment)
    proposed = numbers(environment, count, registry.accounts)
    screen = common.screen
    shown = f"{proposed[0]} to {proposed[-1]}" if count > 1 else proposed[0]
    gaps = skipped(environment, proposed)
    without = f", skipping {gaps:,} that exist" if gaps else ""
    plural = "s" if count > 1 else ""
    question = f"Open {count:,} account{plural}, {shown}{without}?"
    if not await agreed(screen, question, yes=yes):
        return 1
    with screen.progress("accounts") as gauge:
        said = await open_all(
            client, environment, proposed, gauge, by=common.by, timeout_s=common.timeout, **fields
        )
    opened = [n for n, o in zip(proposed, said, strict=True) if o["type"] == "command.applied"]
    refused = [o for o in said if o["type"] == "command.refused"]
    screen.data({"opened": opened, "refused": refused})
    if opened:
        screen.good(f"{len(opened):,} opened, {opened[0]} to {opened[-1]}")
    for one in [o for o in refused if o["reason"] != TAKEN][:1]:
        outcome(screen, one)  # what is wrong with one is wrong with all
    if refused:
        screen.bad(f"{len(refused):,} not opened; the same command again opens the next numbers")
    return 1 if refused else 0


@app.command
async def change(
    environment: int,
    accounts: Annotated[list[str], Parameter(negative="")],
    /,
    *,
    description: str | None = None,
    status: Status | None = None,
    limit: Annotated[str | None, Parameter(help=LIMIT_HELP)] = None,
    raise_limit_by: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    on_account: bool | None = None,
    in_overview: bool | None = None,
    only_if_unused: bool | None = None,
    command_id: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """Change the accounts that are named; what is not given stays. For many: onaccount limits.

    Parameters
    ----------
    status
        The account's status; only an active one can be bought on.
    raise_limit_by
        Raise the limit by this amount, as 50,00; a negative one lowers it.
    only_if_unused
        Only accounts on which nothing was sold.
    command_id
        Repeat a change that had no answer, under the id that was told then: it is not done twice.
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
            command_id=command_id,
            only_if_unused=only_if_unused,
            **fields,
        )
    )


@app.command
async def link(
    environment: int,
    account: str,
    customer: str,
    /,
    *,
    role: Literal["holder", "viewer"] = "holder",
    common: Common = DEFAULT,
) -> int:
    """Link a customer: the holder is invoiced (one an account), a viewer may see it."""
    return await _tie("account.link", environment, account, customer, role, common)


@app.command
async def unlink(
    environment: int,
    account: str,
    customer: str,
    /,
    *,
    role: Literal["holder", "viewer"] | None = None,
    common: Common = DEFAULT,
) -> int:
    """Take a customer off an account; unless --role is given, as whichever it is there."""
    return await _tie("account.unlink", environment, account, customer, role, common)


async def _tie(
    kind: str, environment: int, account: str, customer: str, role: str | None, common: Common
) -> int:
    async with common.client(kind) as client:
        customer_id = await holder_of(client, environment, customer)
        if role is None:
            known = await account_read(client, environment, account)
            role = next((its for _, its in known.tied_to(customer_id or "")), "holder")
        order = command(
            kind,
            environment,
            by=common.by,
            account=account,
            customer_id=customer_id,
            role=role,
        )
        reply = await client.ask(order, timeout_s=common.timeout)
    return outcome(common.screen, reply.message)


@app.command(name="list")
async def list_(environment: int, /, *words: str, common: Common = DEFAULT) -> int:
    """List an environment's accounts with limits and balances; a text narrows it down."""
    text = " ".join(words)
    rows = [
        row
        for row in await _accounts(environment, common)
        if folded(text) in folded(f"{row['account']} {row['name']} {row.get('description') or ''}")
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
    if found is None:
        raise no_account(environment, account)
    screen = common.screen
    screen.data(found)
    amounts = {k: money(found[k], found["currency"]) for k in ("limit", "unbilled", "billed")}
    hidden = ("type", "environment", "name", "holder", "viewers", "viewer_names", "currency")
    screen.fields(
        {
            **{k: v for k, v in found.items() if k not in hidden},
            **amounts,
            "holder": f"{found['name']} ({found['holder']})" if found.get("holder") else "nobody",
            "viewers": found["viewer_names"],
        },
        title=f"Account {account}",
    )
    return 0


async def _accounts(environment: int, common: Common) -> list[Json]:
    """An environment's accounts with the holder's name and the ledger's balance, by number."""
    async with common.client() as client:
        states = await client.view("registry.state", environment=environment)
        if not states:
            raise not_there(environment)
        balances = await client.view("ledger.balances", environment=environment)
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
                "viewer_names": [names.get(one, one) for one in state.get("viewers", ())],
                "currency": balance.get("currency") or currency or "EUR",
                "unbilled": balance.get("unbilled", 0),
                "billed": balance.get("billed", 0),
            }
        )
    return sorted(found, key=lambda row: str(row["account"]))


def limit_of(text: str) -> Any:
    """A limit in minor units, or CLEAR for `none`."""
    return CLEAR if text.lower() in ("none", "geen") else cents(text, what="a limit (or none)")
