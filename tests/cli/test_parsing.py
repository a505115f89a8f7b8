"""What is typed becomes the contract's messages."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cli.amounts import Misuse
from cli.commands.account import limit_of
from cli.commands.env import Settings, configuration, schedule
from cli.import_options import defaults_of as defaults
from cli.import_options import defaults_said
from cli.import_options import mapping_of as mapping
from cli.imports import PART_BYTES, Upload
from cli.invoices import run_message
from cli.items import item
from cli.messages import CLEAR, Json, command, id_of, key_of, topic_of
from cli.months import last_month
from cli.outgoing import encode
from cli.till import line
from schemas.malformed import Malformed
from schemas.wire import decode

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.mark.parametrize(
    ("text", "what", "quantity", "price", "rate", "total"),
    [
        ("2 x Pils 3,50 21%", "Pils", "2", 350, "21", 700),
        ("Uitsmijter 9.75 9%", "Uitsmijter", "1", 975, "9", 975),
        ("0,5 x Kaasplank € 12,51 9%", "Kaasplank", "0.5", 1251, "9", 626),
        ("-1 x Retour 2,50 21,0%", "Retour", "-1", 250, "21", -250),
        ("Spa rood 25 cl 2,60 9 %", "Spa rood 25 cl", "1", 260, "9", 260),
        ("3x Bier @3.20 5.5%", "Bier", "3", 320, "5.5", 960),
    ],
)
def test_an_item_is_a_line_of_a_sale(
    text: str, what: str, quantity: str, price: int, rate: str, total: int
) -> None:
    found = item(text)
    assert (found["description"], found["quantity"]) == (what, quantity)
    assert (found["unit_price"], found["vat_rate"], found["total"]) == (price, rate, total)


@pytest.mark.parametrize("text", ["Pils", "2 x 3,50", "Pils 3,50", "x", "", "Pils 3,505 21%"])
def test_half_an_item_is_refused(text: str) -> None:
    with pytest.raises(Misuse, match="is not an item"):
        item(text)


def test_a_line_is_rounded_half_away_from_zero() -> None:
    assert line("Kaas", 5, "9", quantity="0.5")["total"] == 3
    assert line("Kaas", 5, "9", quantity="-0.5")["total"] == -3


def test_settings_that_are_not_given_are_not_sent_and_cleared_ones_are_null() -> None:
    fields = configuration(Settings(name="De Kantine", default_limit="100,00"), ["reply-to"])
    assert fields == {"name": "De Kantine", "default_limit": 10_000, "reply_to": CLEAR}
    message = command("environment.configure", 2890, by="me", **fields)
    assert message["reply_to"] is None
    assert "iban" not in message


def test_an_unknown_setting_to_clear_is_refused() -> None:
    with pytest.raises(Misuse, match="no setting 'colr'"):
        configuration(Settings(), ["colr"])


def test_no_limit_is_null() -> None:
    assert limit_of("none") is CLEAR
    assert limit_of("12,50") == 1250


def test_a_schedule_is_read() -> None:
    assert schedule("1:6:issue:send") == {"day": 1, "hour": 6, "mode": "issue", "send": True}
    assert schedule("3:07:draft") == {"day": 3, "hour": 7, "mode": "draft", "send": False}
    for text in ("1:6", "1:6:issue:later", "one:6:draft", "1:6:draft:send:x"):
        with pytest.raises(Misuse, match="is not a schedule"):
            schedule(text)


def test_columns_and_defaults_of_an_import_are_read() -> None:
    assert mapping(["Naam=company", "A=B=account"]) == {"Naam": "company", "A=B": "account"}
    with pytest.raises(Misuse, match="is not a column"):
        mapping(["Naam"])
    assert defaults(limit="none", on_account=True, status=None) == {
        "limit": None,
        "on_account": True,
    }


def test_defaults_may_be_given_in_one_word_each() -> None:
    said = defaults_said(["limit=100,00", "on-account=ja", "status=active"])
    assert defaults(**said) == {"limit": 10000, "on_account": True, "status": "active"}
    for wrong in ("colour=red", "limit", "on_account=perhaps"):
        with pytest.raises(Misuse):
            defaults_said([wrong])


def test_a_large_workbook_goes_in_parts_that_add_up() -> None:
    content = b"PK" + bytes(PART_BYTES)
    upload = Upload(environment=2890, file_name="a.xlsx", content=content, by="me", extra={})
    parts = list(upload.parts(ID))
    assert [p["part"] for p in parts] == [1, 2]
    assert len({p["sha256"] for p in parts}) == 1
    assert not any(isinstance(decode("imports.uploads", encode(p)), Malformed) for p in parts)


def test_the_last_month_is_the_last_that_is_over_by_the_venues_clock() -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    assert last_month(datetime(2026, 1, 31, 12, tzinfo=UTC), zone) == "2025-12"
    assert last_month(datetime(2026, 11, 30, 22, 59, tzinfo=UTC), zone) == "2026-10"
    assert last_month(datetime(2026, 11, 30, 23, tzinfo=UTC), zone) == "2026-11"
    here = datetime(2026, 12, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert last_month(here, zone) == "2026-10"


def test_messages_go_to_their_topics_with_the_contracts_keys() -> None:
    run = run_message(2890, "2026-10", issue=True, send=False, run_id="okt")
    assert (topic_of(run["type"]), key_of(run), id_of(run)) == ("invoices.commands", "2890", "okt")
    sale: Json = {"type": "sale.requested", "environment": 2890, "account": "01", "sale_id": ID}
    assert (topic_of(sale["type"]), key_of(sale), id_of(sale)) == ("pos.sales", "2890:01", ID)
    search: Json = {"type": "terminal.searched", "terminal": "bar-1", "search_id": ID}
    assert (key_of(search), id_of(search)) == ("bar-1", ID)


@pytest.mark.parametrize(
    "message",
    [
        command("environment.configure", 2890, by="me", name="De Kantine", iban=CLEAR),
        command("environment.accept_gdpr", 2890, by="me", accepted_by="A", document="B"),
        command("environment.activate", 2890),
        command("customer.register", 2890, customer_id=ID, company="Twelve"),
        command("account.open", 2890, account="28900001", limit=CLEAR, on_account=True),
        command("account.change", 2890, accounts=["28900001"], raise_limit_by=100),
        command("account.link", 2890, account="28900001", customer_id=ID, role="holder"),
        command("invoice.approve", 2890, invoice_id=ID),
        command("invoice.correct", 2890, invoice_id=ID, reason="te veel"),
        run_message(2890, "2026-10", issue=True, send=True),
    ],
    ids=lambda m: m["type"],
)
def test_what_commands_send_is_what_the_contract_takes(message: dict[str, object]) -> None:
    found = decode(topic_of(str(message["type"])), encode(message))
    assert not isinstance(found, Malformed), found
