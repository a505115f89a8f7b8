"""The main job, walked with the command line as a person would: from an empty venue to a mailed
invoice, against a whole stack. Each test goes on where the one before it stopped.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cli.demo import mails
from tests.cli.running import Run, Told, runner
from tests.support.stacks import Stack

VENUE, ACCOUNT = "2892", "28920001"
CUSTOMER = "01890a5d-ac96-774b-bcce-b302099a8057"
SALE = "01890a5d-ac96-774b-bcce-b302099a8058"
BEERS, LUNCH = "2 x Pils 3,50 21%", "Uitsmijter 9,75 9%"
LEGAL = (
    *("--name", "De Kantine", "--legal-name", "De Kantine B.V.", "--street", "Sportlaan 12"),
    *("--postcode", "3991 AB", "--city", "Houten", "--country", "NL", "--language", "nl"),
    *("--vat-number", "NL856432106B01", "--chamber-number", "66221355"),
    *("--iban", "NL91ABNA0417164300", "--currency", "EUR", "--time-zone", "Europe/Amsterdam"),
    *("--finance-email", "financien@dekantine.example"),
)


@pytest.fixture
def onaccount(stack: Stack, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `onaccount WORDS --json` against the stack; the status must be the wanted one."""
    run = runner(capsys)

    def against_the_stack(*words: str, status: int = 0) -> Told:
        told = run(*words, "--json", "--dir", str(stack.folder))
        assert told.status == status, (words, told)
        return told

    return against_the_stack


def wait_for(true: Callable[[], bool], within_s: float = 90) -> bool:
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def test_before_the_terms_are_accepted_nothing_is_taken(onaccount: Run) -> None:
    onaccount("env", "configure", VENUE, *LEGAL)
    refused = onaccount("customer", "register", VENUE, "--company", "Twelve B.V.", status=1)
    assert refused.json["type"] == "command.refused"
    assert refused.json["reason"] == "gdpr_not_accepted"
    declined = onaccount("till", "sell", VENUE, ACCOUNT, BEERS, status=1)
    assert declined.json["reason"] == "gdpr_not_accepted"


def test_a_venue_is_opened_and_an_account_given_to_a_customer(onaccount: Run) -> None:
    onaccount("env", "accept-gdpr", VENUE, "--accepted-by", "M. de Vries", "--document", "v3")
    onaccount("env", "activate", VENUE)
    who = ("--company", "Twelve B.V.", "--email", "boekhouding@twelve.nl", "--city", "Utrecht")
    more = ("--street", "Havenkade 14", "--postcode", "3511 AB", "--country", "NL")
    onaccount("customer", "register", VENUE, *who, *more, "--customer-id", CUSTOMER)
    onaccount(
        *("account", "open", VENUE, ACCOUNT, "--limit", "20,00", "--on-account"),
        *("--in-overview", "--holder", CUSTOMER),
    )
    page = onaccount("till", "sign-on", VENUE).json
    assert [(one["account"], one["name"]) for one in page["accounts"]] == [(ACCOUNT, "Twelve B.V.")]
    assert onaccount("env", "show", VENUE).json["active"] is True


def test_a_sale_is_approved_and_its_id_can_not_be_used_for_another(onaccount: Run) -> None:
    words = ("till", "sell", VENUE, ACCOUNT, BEERS, LUNCH, "--sale-id", SALE)
    first = onaccount(*words)
    assert first.json["type"] == "sale.approved"
    assert (first.json["total"], first.json["available"]) == (1675, 325)
    repeat = ("till", "sell", VENUE, ACCOUNT, LUNCH, "--sale-id", SALE)
    assert onaccount(*repeat, status=1).json["reason"] == "sale_id_reused"


def test_a_sale_over_the_limit_is_declined_with_the_numbers(onaccount: Run) -> None:
    declined = onaccount("till", "sell", VENUE, ACCOUNT, LUNCH, status=1).json
    assert declined["reason"] == "over_limit"
    assert (declined["limit"], declined["used"], declined["available"]) == (2000, 1675, 325)
    assert declined["explanation"]


def test_a_part_is_taken_back_and_makes_room_again(onaccount: Run) -> None:
    taken = onaccount("till", "cancel", VENUE, ACCOUNT, SALE, "--amount", "3,50").json
    assert (taken["type"], taken["amount"], taken["available"]) == ("sale.reversed", 350, 675)


def test_the_ledger_has_what_was_sold_less_what_was_taken_back(onaccount: Run) -> None:
    def balance() -> Any:
        return onaccount("account", "show", VENUE, ACCOUNT).json

    assert wait_for(lambda: balance()["unbilled"] == 1325), balance()
    kinds = [one["kind"] for one in onaccount("ledger", "show", VENUE, ACCOUNT).json["entries"]]
    assert sorted(kinds) == ["charge", "reversal"]
    assert onaccount("ledger", "verify").status == 0


def test_the_month_is_invoiced_and_mailed_with_pdf_xlsx_and_ubl(
    onaccount: Run, stack: Stack
) -> None:
    period = datetime.now(ZoneInfo("Europe/Amsterdam")).strftime("%Y-%m")
    run = onaccount("invoices", "run", VENUE, period, "--issue", "--send").json
    assert (run["issued"], run["total"], run["skipped"], run["open"]) == (1, 1325, [], [])
    folder = Path(stack.info["mail_dir"])
    assert wait_for(lambda: any(mail.number for mail in mails.read_all(folder)))
    (mail,) = (mail for mail in mails.read_all(folder) if mail.number)
    assert mail.to == ("boekhouding@twelve.nl",)
    assert mails.faults(mail, 1325) == []


def test_the_invoice_can_be_fetched_and_is_what_was_mailed(
    onaccount: Run, stack: Stack, tmp_path: Path
) -> None:
    (invoice,) = onaccount("invoices", "list", VENUE).json
    (mail,) = (m for m in mails.read_all(Path(stack.info["mail_dir"])) if m.number)
    for kind, ending in (("pdf", "pdf"), ("xlsx", "xlsx"), ("ubl", "xml")):
        words = ("document", VENUE, invoice["number"], "--format", kind, "--out", str(tmp_path))
        onaccount("invoices", *words)
        fetched = (tmp_path / f"{invoice['number']}.{ending}").read_bytes()
        assert fetched == mail.attachments[f"{invoice['number']}.{ending}"]


def test_a_person_is_asked_before_an_invoice_is_credited(onaccount: Run, stack: Stack) -> None:
    (invoice,) = onaccount("invoices", "list", VENUE).json
    words = ("invoices", "delete", VENUE, invoice["number"], "--dir", str(stack.folder))
    told, status = at_a_terminal("no", *words)
    assert f"Credit {invoice['number']} of account {ACCOUNT}, €13.25, for good? [y/N]" in told
    assert ("nothing was credited" in told, status) == (True, 1)
    assert onaccount("invoices", "list", VENUE).json == [invoice]


def at_a_terminal(answer: str, *words: str) -> tuple[str, int]:
    """What a command line tells at a terminal, where this is typed at its question."""
    keyboard, terminal = os.openpty()
    command = [sys.executable, "-m", "cli", *words]
    with subprocess.Popen(command, stdin=terminal, stdout=subprocess.PIPE) as process:
        os.write(keyboard, f"{answer}\n".encode())
        told, _ = process.communicate(timeout=120)
    os.close(keyboard)
    os.close(terminal)
    return told.decode(), process.returncode


def test_after_the_invoice_there_is_room_again_and_the_books_balance(onaccount: Run) -> None:
    def balance() -> Any:
        return onaccount("account", "show", VENUE, ACCOUNT).json

    assert wait_for(lambda: (balance()["unbilled"], balance()["billed"]) == (0, 1325)), balance()
    assert onaccount("ledger", "verify").status == 0
    assert onaccount("till", "sell", VENUE, ACCOUNT, LUNCH).json["available"] == 2000 - 975
    assert onaccount("dead-letters", "list").json == []
