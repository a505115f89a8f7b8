"""`onaccount customer`: who is invoiced."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from cli.amounts import Misuse
from cli.messages import CLEAR, Json, command, new_id
from cli.options import DEFAULT, Common

app = App(
    name="customer",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount customer register 2890 --company "Twelve B.V." \\
        --email boekhouding@twelve.example
    onaccount customer find 2890 twelve
    onaccount customer change 2890 CUSTOMER_ID \\
        --email nieuw@twelve.example --clear vat-number
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
    "The address does not exist; nothing is mailed to it."
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


def name_of(customer: Json) -> str:
    """How a customer is called: the company, else the person."""
    person = (customer.get(part) for part in ("first_name", "infix", "last_name"))
    return str(customer.get("company") or " ".join(part for part in person if part))


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
    customer_id: str,
    /,
    *,
    fields: Fields = Fields(),
    clear: Annotated[list[str] | None, Parameter(negative="")] = None,
    common: Common = DEFAULT,
) -> int:
    """Change what is known of a customer; what is not given stays.

    Parameters
    ----------
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
    return await common.order(
        command("customer.change", environment, by=common.by, customer_id=customer_id, **values)
    )


@app.command
async def find(environment: int, text: str = "", /, *, common: Common = DEFAULT) -> int:
    """Find customers by a part of name, e-mail, city or id; all without a text."""
    found = [
        state
        for state in await _customers(environment, common)
        if text.lower()
        in " ".join(
            str(state.get(part, "")) for part in ("customer_id", "email", "city", "chamber_number")
        ).lower()
        + " "
        + name_of(state).lower()
    ]
    found.sort(key=lambda state: name_of(state).lower())
    screen = common.screen
    screen.data(found)
    screen.table(
        ("Customer", "Name", "E-mail", "City", "Language"),
        (
            (s["customer_id"], name_of(s), s.get("email"), s.get("city"), s.get("language"))
            for s in found
        ),
    )
    screen.say(f"{len(found)} customer{'' if len(found) == 1 else 's'}")
    return 0 if found or not text else 1


@app.command
async def show(environment: int, customer_id: str, /, *, common: Common = DEFAULT) -> int:
    """Show one customer as it stands."""
    found = next(
        (
            state
            for state in await _customers(environment, common)
            if state["customer_id"] == customer_id.lower()
        ),
        None,
    )
    screen = common.screen
    screen.data(found)
    if found is None:
        screen.bad(f"environment {environment} has no customer {customer_id}")
        return 1
    screen.fields({k: v for k, v in found.items() if k != "type"}, title=name_of(found))
    return 0


async def _customers(environment: int, common: Common) -> list[Json]:
    async with common.client() as client:
        states = await client.view("registry.state")
    return [
        state
        for state in states.values()
        if state.get("type") == "customer.state" and state.get("environment") == environment
    ]
