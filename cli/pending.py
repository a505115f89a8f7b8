"""What is not yet invoiced, asked of the invoicer: it sees what was decided before the question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cli.amounts import money
from cli.client import Client
from cli.messages import Json, given, new_id
from cli.screen import Screen, when

WHY = {
    "held": "taken off by a correction, and not back yet",
    "credit_due": "reversed after it was invoiced: the next run that issues credits it",
    "no_holder": "no holder: link one with `onaccount account link`",
    "no_postal_address": "the holder's address is not complete: `onaccount customer change`",
    "negative_total": "comes to less than nothing",
    "nothing_to_invoice": "comes to nothing",
    "account_unknown": "there is no such account",
    "arrived_later": "came in while the run was going: the next one takes it",
    "not_processed": "could not be processed: see the invoicer's log",
    "environment_incomplete": "the venue lacks what an invoice needs: `onaccount env show`",
    "exchange_rate_missing": "no rate for its VAT in euros: `onaccount invoices rate`",
    "number_format_invalid": "its number format has a blank at an end: `onaccount env configure`",
    "number_formats_meet": "numbers could be given twice: configure other formats",
    "number_taken": "numbers would be given twice: configure another format",
}


async def pending(
    client: Client,
    environment: int,
    timeout_s: float,
    *,
    account: str | None = None,
    sale_id: str | None = None,
    mails: bool = False,
) -> Json:
    """pending.listed with all its parts in one, or command.refused."""
    request = {
        "type": "pending.request",
        "request_id": new_id(),
        "environment": environment,
        **given({"account": account, "sale_id": sale_id, "mails": mails or None}),
    }
    parts: dict[int, Json] = {}
    with client.expecting(request) as answers:
        await client.send(request)
        while True:
            message: Json = (await answers.next(timeout_s)).message
            if message["type"] != "pending.listed":
                return message
            parts[message["part"]] = message
            if len(parts) == message["parts"]:
                break
    every = [parts[number] for number in sorted(parts)]
    return {
        **{k: v for k, v in every[0].items() if k not in ("part", "parts")},
        "accounts": [one for part in every for one in part.get("accounts", ())],
        "sales": [one for part in every for one in part.get("sales", ())],
        "mails": [one for part in every for one in part.get("mails", ())],
    }


def show_accounts(screen: Screen, rows: Iterable[Json], currency: str) -> None:
    """What is open per account and month, and why some of it would stay so."""
    screen.table(
        ("Account", "Month", "Sales", "Amount", "Stays open because"),
        (
            (
                row["account"],
                row["period"],
                row["sales"],
                money(row["amount"], currency),
                why(row.get("why")),
            )
            for row in rows
        ),
        right=("Sales", "Amount"),
    )


def how_much(found: Json, of_months: Sequence[Json] | None, currency: str) -> str:
    """What is open in all, also where more is open than is listed; of some months, what is."""
    count, amount = found["count"], found["amount"]
    if of_months is not None:
        count = sum(row.get("sales", 1) for row in of_months)
        amount = sum(row["amount"] for row in of_months)
    if not count:
        return "nothing waits to be invoiced"
    sales = "1 sale" if count == 1 else f"{count} sales"
    return f"{sales}, {money(amount, currency)} not yet invoiced"


def why(word: str | None) -> str:
    """A reason's code in words that say what to mend, where there is something."""
    return "" if word is None else WHY.get(word, word.replace("_", " "))


def show_sales(screen: Screen, rows: Iterable[Json], currency: str) -> None:
    """An account's open sales."""
    screen.table(
        ("Sale", "Sold", "Month", "Total", "To invoice", "State"),
        (
            (
                row["sale_id"],
                when(row["booked_at"]),
                row["period"],
                money(row["total"], currency),
                money(row["amount"], currency),
                str(row["state"]).replace("_", " "),
            )
            for row in rows
        ),
        right=("Total", "To invoice"),
    )


def show_mails(screen: Screen, rows: Iterable[Json]) -> None:
    """Mails that no mail server took yet, and what the last try came to."""
    screen.table(
        ("Number", "Account", "To", "Since", "Tries", "The last one"),
        (
            (r["number"], r["account"], r["to"], when(r["since"]), r["tries"], _last_try(r))
            for r in rows
        ),
        right=("Tries",),
    )


def not_to_finance(found: Json) -> str:
    """A sentence on finance's own mails that failed; empty where none did."""
    failed = found.get("finance")
    if failed is None:
        return ""
    many = "1 mail" if failed["count"] == 1 else f"the last {failed['count']} mails"
    what = {"report": "a run's report", "invoice": "a copy of an invoice"}
    return (
        f"{many} to finance at {failed['to']} did not arrive: {when(failed['at'])} "
        f"{what.get(failed['kind'], 'a copy of a credit note')}, {why_not_mailed(failed)}; mend it "
        f"with `onaccount env configure {found['environment']} --finance-email`"
    )


NOT_MAILED = {
    "no_address": "the holder has no e-mail address",
    "fictitious_address": "the address is fictitious: nothing is mailed to it",
    "bad_address": "the address can't be mailed to",
    "document_failed": "its documents could not be made",
    "may_have_arrived": "its server never answered: it may have arrived",
    "not_processed": "the mail could not be made: see the invoicer's log",
}


def why_not_mailed(mail: Json) -> str:
    """Why a mail failed: a mail server's own words, or ours."""
    reason = str(mail["reason"]).removeprefix("credit note: ")
    return NOT_MAILED.get(reason, reason)


def _last_try(mail: Json) -> str:
    said = mail.get("reason")
    if said is None:
        return "not tried yet"
    code = mail.get("code")
    return f"{code} {said}" if code else f"the mail server did not take it: {said}"


def how_it_stands(sale: Json, currency: str) -> str:
    """A sentence on one sale: whether it will be invoiced, or why not."""
    numbers = ", ".join(sale.get("numbers") or ())
    match sale["state"]:
        case "pending":
            before = f" (it was on {numbers}, which was credited)" if numbers else ""
            left = sale.get("reason")
            return (
                f"is to be invoiced: {money(sale['amount'], currency)} of it, on account "
                f"{sale['account']} in {sale['period']}{before}"
                + (f"; a run would leave it now: {why(left)}" if left else "")
            )
        case "held":
            return "is held: a correction takes it off, and its cancellation is not back yet"
        case "declined":
            reason = str(sale.get("reason")).replace("_", " ")
            return f"was declined ({reason}): it does not stand on the account"
        case "settled":
            return "was settled at the till after all: nothing is left to invoice"
        case "cancelled" | "returned" as how:
            moved = sale.get("moved_to")
            if moved:
                return f"was moved to account {moved} by a correction"
            return f"was {how}: nothing is left to invoice"
        case "billed":
            return f"was billed on {numbers}"
        case "credit_due":
            return (
                f"was billed on {numbers} and taken back since: the next run that issues "
                f"credits {money(-sale['amount'], currency)}"
            )
        case "nothing_to_pay":
            return "comes to nothing: there is nothing to invoice"
        case _:
            return (
                "is not known here: no till's sale of this id was answered, or it belongs to "
                "another environment"
            )
