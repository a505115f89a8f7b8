"""`onaccount customer`: who is invoiced."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from cli.amounts import Misuse, money
from cli.asking import Yes, agreed
from cli.messages import CLEAR, SAME_COMMAND, Json, command, new_id
from cli.options import DEFAULT, Common
from cli.registry import Registry, is_named, name_of, registry_of
from cli.screen import outcome

app = App(
    name="customer",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount customer register 2890 --company "Twelve B.V." \\
        --email boekhouding@twelve.example
    onaccount customer find 2890 twelve
    onaccount customer show 2890 twelve          with its accounts
    onaccount customer allow 2890 twelve --in-overview
    onaccount customer change 2890 twelve \\
        --email nieuw@twelve.example --clear vat-number
    onaccount customer erase 2890 CUSTOMER_ID

A customer is named by its id, or by words that fit no other: of a name, an
e-mail address, a city or an account.
""",
)


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What is known of a customer; one of first name, last name and company is enough."""

    first_name: str | None = None
    "First name."
    infix: str | None = None
    "Between first and last name: van der."
    last_name: str | None = None
    "Last name."
    company: str | None = None
    "Company."
    email: str | None = None
    "Where invoices go."
    email_fictitious: bool | None = None
    """The address does not exist; nothing is mailed to it. One at example.* (example.com), test.nl,
    .test, .example, .invalid or localhost is always taken for such, whatever is said here."""
    street: str | None = None
    "Street and number."
    postcode: str | None = None
    "Postcode."
    city: str | None = None
    "City."
    country: str | None = None
    "Country, two letters."
    vat_number: str | None = None
    "VAT id."
    chamber_number: str | None = None
    "Number at the chamber of commerce (KVK)."
    peppol_id: str | None = None
    "Address on Peppol, as 0106:12345678."
    language: Literal["nl", "en"] | None = None
    "Of mails and documents."


@app.command
async def register(
    environment: int,
    /,
    *,
    fields: Fields = Fields(),
    customer_id: str | None = None,
    common: Common = DEFAULT,
) -> int:
    """Register a customer; prints the id that it got.

    Parameters
    ----------
    customer_id
        A UUID to give it; a new one unless given.
    """
    values = asdict(fields)
    if not any(values[name] for name in ("first_name", "last_name", "company")):
        raise Misuse("A customer needs a name: give --first-name, --last-name or --company.")
    return await common.order(
        command(
            "customer.register",
            environment,
            by=common.by,
            customer_id=customer_id or new_id(),
            **values,
        )
    )


@app.command
async def change(
    environment: int,
    customer: str,
    /,
    *,
    fields: Fields = Fields(),
    clear: Annotated[list[str] | None, Parameter(negative="")] = None,
    common: Common = DEFAULT,
) -> int:
    """Change what is known of a customer; what is not given stays.

    Parameters
    ----------
    customer
        Its id, or words that fit no other.
    clear
        A field to take away; may be given several times.
    """
    values: dict[str, Any] = {k: v for k, v in asdict(fields).items() if v is not None}
    for name in (one.replace("-", "_") for one in clear or []):
        if name not in Fields.__dataclass_fields__:
            raise Misuse(
                f"There is no field {name!r} to clear; they are "
                f"{', '.join(Fields.__dataclass_fields__)}."
            )
        values[name] = CLEAR
    if not values:
        raise Misuse("Nothing to change: name at least one field.")
    async with common.client("customer.change") as client:
        known = (await registry_of(client, environment)).customer(customer)
        order = command(
            "customer.change",
            environment,
            by=common.by,
            customer_id=known["customer_id"],
            **values,
        )
        reply = await client.ask(order, timeout_s=common.timeout)
    return outcome(common.screen, reply.message)


@app.command
async def find(environment: int, /, *words: str, common: Common = DEFAULT) -> int:
    """Find customers by words of a name, e-mail, city, number or account; all without any."""
    text = " ".join(words)
    async with common.client() as client:
        registry = await registry_of(client, environment)
    found = registry.found(text)
    screen = common.screen
    screen.data([with_accounts(registry, one) for one in found])
    screen.table(
        ("Customer", "Name", "E-mail", "City", "Accounts"),
        (
            (
                one["customer_id"],
                "(erased)" if one["erased"] else name_of(one),
                address(one),
                one.get("city"),
                [
                    account["account"] if role == "holder" else f"({account['account']})"
                    for account, role in registry.tied_to(one["customer_id"])
                ],
            )
            for one in found
        ),
    )
    screen.say(f"{len(found)} customer{'' if len(found) == 1 else 's'}")
    return 0 if found or not text else 1


@app.command
async def show(environment: int, customer: str, /, *, common: Common = DEFAULT) -> int:
    """Show one customer as it stands, and its accounts.

    Parameters
    ----------
    customer
        Its id, or words that fit no other.
    """
    async with common.client() as client:
        registry = await registry_of(client, environment)
    found = registry.customer(customer)
    screen = common.screen
    screen.data(with_accounts(registry, found))
    hidden = ("type", "environment", "email", "email_fictitious", "erased")
    screen.fields(
        {
            **{name: value for name, value in found.items() if name not in hidden},
            "e-mail": address(found),
        },
        title="(erased)" if found["erased"] else name_of(found),
    )
    tied = registry.tied_to(found["customer_id"])
    if not tied:
        how = f"; `onaccount account open` opens one, with --holder {found['customer_id']}"
        screen.say("no account" + ("" if found["erased"] else how))
        return 0
    screen.table(
        ("Account", "Role", "Status", "On account", "In overview", "Limit", "Description"),
        (
            (
                account["account"],
                role,
                account["status"],
                account["on_account"],
                account["in_overview"],
                money(account["limit"], registry.currency),
                account["description"],
            )
            for account, role in tied
        ),
        right=("Limit",),
    )
    if any(role == "holder" and not account["on_account"] for account, role in tied):
        screen.say(
            f"to let it buy on account: onaccount customer allow {environment} "
            f"{found['customer_id']}"
        )
    return 0


@app.command
async def allow(
    environment: int,
    customer: str,
    /,
    *,
    in_overview: bool | None = None,
    off: Annotated[bool, Parameter(negative="")] = False,
    common: Common = DEFAULT,
) -> int:
    """Let a customer buy on account ("Op naam kopen toestaan"), on each account that it holds.

    Parameters
    ----------
    customer
        Its id, or words that fit no other.
    in_overview
        Whether its accounts stand behind the till's on-account button; as it is unless given.
    off
        Take the permission away again.
    """
    async with common.client("account.change") as client:
        registry = await registry_of(client, environment)
        known = registry.customer(customer)
        held = [
            a["account"] for a, role in registry.tied_to(known["customer_id"]) if role == "holder"
        ]
        if not held:
            raise Misuse(
                f"{name_of(known)} holds no account; open one with `onaccount account open "
                f"{environment} ACCOUNT --holder {known['customer_id']} --on-account`."
            )
        order = command(
            "account.change",
            environment,
            by=common.by,
            accounts=held,
            on_account=not off,
            in_overview=in_overview,
        )
        reply = await client.ask(order, timeout_s=common.timeout, again=SAME_COMMAND)
    screen = common.screen
    status = outcome(screen, reply.message)
    if status == 0:
        screen.say("tills see it when they sign on again")
    return status


@app.command
async def erase(
    environment: int, customer: str, /, *, yes: Yes = False, common: Common = DEFAULT
) -> int:
    """Forget who a customer is; invoices that were made keep what the law asks. Final.

    Parameters
    ----------
    customer
        Its id, or words that fit no other; with --yes, all of its id, name or e-mail address.
    """
    async with common.client("customer.erase") as client:
        registry = await registry_of(client, environment)
        known = registry.customer(customer)
        name = name_of(known) or known["customer_id"]
        if yes and not is_named(known, customer):
            # Of who was erased nothing is found any more: given again, the same words fit another.
            raise Misuse(
                f"{customer!r} fits {name} ({known['customer_id']}) only in part; to erase without "
                "being asked, give the id, the whole name or the e-mail address."
            )
        tied = [account["account"] for account, _ in registry.tied_to(known["customer_id"])]
        untied = f", and untie it from {', '.join(tied)}" if tied else ""
        question = f"Erase {name}{untied}? This is final."
        if not await agreed(common.screen, question, yes=yes):
            return 1
        order = command(
            "customer.erase", environment, by=common.by, customer_id=known["customer_id"]
        )
        reply = await client.ask(order, timeout_s=common.timeout)
    return outcome(common.screen, reply.message)


def address(customer: Json) -> str:
    """Where its mail goes, and whether any goes there."""
    email = str(customer.get("email") or "")
    return f"{email} (fictitious: not mailed)" if customer.get("email_fictitious") else email


def with_accounts(registry: Registry, customer: Json) -> Json:
    """A customer with the accounts that it holds or may see, each with its role."""
    tied = registry.tied_to(customer["customer_id"])
    return {**customer, "accounts": [{**account, "role": role} for account, role in tied]}
