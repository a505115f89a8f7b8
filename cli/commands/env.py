"""`onaccount env`: a venue's terms, module and settings."""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from cli.amounts import Misuse, cents, money
from cli.logo import logo_told
from cli.messages import CLEAR, Json, command
from cli.options import DEFAULT, Common
from cli.registry import environments, settings_of
from cli.screen import when
from schemas.numbering import in_common

app = App(
    name="env",
    help_format="plaintext",
    help_epilogue="""Examples:

    onaccount env configure 2890 --legal-name "Kantine B.V." \\
        --iban NL91ABNA0417164300
    onaccount env configure 2890 --default-limit 100,00 --clear reply-to
    onaccount env accept-gdpr 2890 --accepted-by "M. de Vries" \\
        --document verwerkersovereenkomst-3
    onaccount env activate 2890
    onaccount env show 2890           and what it still needs
    onaccount env list
""",
)

LOGO_LIMIT = 200_000


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of an environment; what is not given stays as it is."""

    name: str | None = None
    "Trade name, as guests know the venue."
    legal_name: str | None = None
    "Legal name, as it stands on invoices."
    street: str | None = None
    "Street and number."
    postcode: str | None = None
    "Postcode."
    city: str | None = None
    "City."
    country: str | None = None
    "Country, two letters: NL."
    vat_number: str | None = None
    "VAT id, as NL123456789B01."
    chamber_number: str | None = None
    "Number at the chamber of commerce (KVK)."
    iban: str | None = None
    "Where guests pay to."
    currency: str | None = None
    "Three letters, as EUR: one that is counted in hundredths. Fixed once there is a sale."
    time_zone: str | None = None
    "By whose clock its days and months begin, as Europe/Amsterdam."
    language: Literal["nl", "en"] | None = None
    "Of explanations, and of documents where the customer has none."
    finance_email: str | None = None
    "Who gets the reports of runs."
    finance_copy: Literal["each", "report", "none"] | None = None
    "What finance gets: a copy of each document, a report of each run (unless set), or none."
    reply_to: str | None = None
    "Where guests' replies to invoice mails go."
    payment_days: int | None = None
    "Days within which an invoice is to be paid."
    limit_release: Literal["issued", "paid"] | None = None
    "What makes room under a limit again: the invoice, or its payment."
    number_format: str | None = None
    "Invoice numbers, as {year}-{seq:05}."
    credit_note_format: str | None = None
    "Credit note numbers; the same text as number-format: one series."
    default_limit: str | None = None
    "Limit of new accounts, as 100,00; 0 unless set."
    default_on_account: bool | None = None
    "Whether new accounts may buy on account."
    default_in_overview: bool | None = None
    "Whether new accounts stand behind the till's on-account button."
    import_enabled: bool | None = None
    "Whether workbooks are taken."
    viewer_statements: bool | None = None
    "Whether viewers of an account get statements."
    logo: Path | None = None
    "PNG or SVG file for documents, at most 200 kB."
    colour: str | None = None
    "Accent of documents, as #1d4ed8."
    schedule: str | None = None
    """When the month before is run by itself, by the venue's clock, as 3:6:draft or 3:6:issue:send:
    on the third day at six; with send, it is mailed too."""


@app.command
async def configure(
    environment: int,
    /,
    *,
    settings: Settings = Settings(),
    clear: Annotated[list[str] | None, Parameter(negative="")] = None,
    common: Common = DEFAULT,
) -> int:
    """Set legal data and settings of an environment; makes it when it is new.

    Parameters
    ----------
    environment
        The venue's customer number.
    clear
        A setting to take away again; may be given several times.
    """
    fields = configuration(settings, clear or [])
    if not fields:
        raise Misuse(
            "Nothing to set: name at least one setting; `onaccount env configure --help` has them."
        )
    return await common.order(command("environment.configure", environment, by=common.by, **fields))


def configuration(settings: Settings, clear: list[str]) -> dict[str, Any]:
    """The fields of environment.configure; raises Misuse for what can't be meant."""
    fields: dict[str, Any] = {k: v for k, v in asdict(settings).items() if v is not None}
    if settings.default_limit is not None:
        fields["default_limit"] = cents(settings.default_limit, what="a limit")
    if settings.logo is not None:
        fields["logo"] = _logo(settings.logo)
    if settings.schedule is not None:
        fields["schedule"] = schedule(settings.schedule)
    known = Settings.__dataclass_fields__
    for name in (one.replace("-", "_") for one in clear):
        if name not in known:
            raise Misuse(
                f"There is no setting {name!r} to clear; they are {', '.join(sorted(known))}."
            )
        fields[name] = CLEAR
    return fields


def schedule(text: str) -> Json:
    """`1:6:issue:send` as the contract's object; raises Misuse for anything else."""
    match text.split(":"):
        case [day, hour, ("draft" | "issue") as mode, *rest] if (
            day.isdecimal() and hour.isdecimal() and rest in ([], ["send"])
        ):
            return {"day": int(day), "hour": int(hour), "mode": mode, "send": rest == ["send"]}
        case _:
            raise Misuse(
                f"{text!r} is not a schedule: write DAY:HOUR:draft, DAY:HOUR:issue or "
                "DAY:HOUR:issue:send, as in 1:6:issue:send."
            )


def _logo(file: Path) -> str:
    content = file.read_bytes()
    if len(content) > LOGO_LIMIT:
        raise Misuse(f"{file} has {len(content):,} bytes; a logo has at most {LOGO_LIMIT:,}.")
    return base64.b64encode(content).decode()


@app.command
async def accept_gdpr(
    environment: int, /, *, accepted_by: str, document: str, common: Common = DEFAULT
) -> int:
    """Accept the GDPR terms for an environment; without them nothing else is taken.

    Parameters
    ----------
    accepted_by
        Who accepted them.
    document
        Which document was accepted: its name and version.
    """
    return await common.order(
        command(
            "environment.accept_gdpr",
            environment,
            by=common.by,
            accepted_by=accepted_by,
            document=document,
        )
    )


@app.command
async def activate(environment: int, /, *, common: Common = DEFAULT) -> int:
    """Switch the module on: tills can sell on account."""
    return await common.order(command("environment.activate", environment, by=common.by))


@app.command
async def deactivate(environment: int, /, *, common: Common = DEFAULT) -> int:
    """Switch the module off: tills are refused, invoices go on."""
    return await common.order(command("environment.deactivate", environment, by=common.by))


@app.command(name="list")
async def list_(*, common: Common = DEFAULT) -> int:
    """List the environments, and whether they sell."""
    async with common.client() as client:
        found = await environments(client)
    found.sort(key=lambda one: int(one["environment"]))
    screen = common.screen
    screen.data(found)
    screen.table(
        ("Environment", "Name", "City", "Module", "GDPR terms", "Language"),
        (
            (
                one["environment"],
                one.get("name") or one.get("legal_name"),
                one.get("city"),
                "on" if one["active"] else "off",
                "accepted" if one.get("gdpr") else "not accepted",
                one.get("language"),
            )
            for one in found
        ),
    )
    if not found:
        screen.say("no environment yet: `onaccount env configure NUMBER --name NAME` begins one")
    return 0


@app.command
async def show(environment: int, /, *, common: Common = DEFAULT) -> int:
    """Show an environment as it stands, and what it still needs to sell and to invoice."""
    async with common.client() as client:
        state = (await settings_of(client, environment)).settings or {}
    screen = common.screen
    screen.data({**state, "needs": needs(state)})
    shown = {k: v for k, v in state.items() if k not in ("type", "environment")}
    shown["logo"] = logo_told(state.get("logo"))
    if shown.get("default_limit") is not None:
        shown["default_limit"] = money(shown["default_limit"], state.get("currency"))
    if gdpr := state.get("gdpr"):
        shown["gdpr"] = f"{gdpr['document']}, by {gdpr['accepted_by']}, {when(gdpr['at'])}"
    screen.fields(shown, title=f"Environment {environment}")
    for what in needs(state):
        screen.say(f"! {what}", "yellow")
    return 0


FOR_INVOICES = (
    "legal_name", "street", "postcode", "city", "country", "vat_number", "chamber_number", "iban",
)  # fmt: skip


def needs(state: Json) -> list[str]:
    """What is still to be done before the environment sells, and before it invoices."""
    number, found = state["environment"], []
    if not state.get("gdpr"):
        found.append(
            f"to sell, accept the GDPR terms: onaccount env accept-gdpr {number} "
            "--accepted-by NAME --document DOCUMENT"
        )
    if not state["active"]:
        found.append(f"to sell, switch the module on: onaccount env activate {number}")
    if missing := [name for name in FOR_INVOICES if not str(state.get(name) or "").strip()]:
        options = " ".join(f"--{name.replace('_', '-')} ..." for name in missing)
        found.append(f"to invoice, add: onaccount env configure {number} {options}")
    formats = [state.get(name) for name in ("number_format", "credit_note_format")]
    if all(formats) and formats[0] != formats[1] and (met := in_common(*map(str, formats))):
        found.append(
            f"to invoice, change a format, for both could give {met}: onaccount env configure "
            f"{number} --credit-note-format ..."
        )
    return found
