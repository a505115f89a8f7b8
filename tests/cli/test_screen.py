"""What people see is plain and harmless, what machines see is JSON alone."""

import contextlib
import io
import json

import pytest

from cli.__main__ import takes_any_text
from cli.commands.account import join_accounts
from cli.decisions import show_decision
from cli.imported import show_failed, show_preview
from cli.invoices import show_run
from cli.messages import Json
from cli.pending import how_much, show_accounts
from cli.screen import Screen, harmless, outcome, plain

DECLINED: Json = {
    "type": "sale.declined",
    "sale_id": "s",
    "account": "28900001",
    "currency": "EUR",
    "total": 1500,
    "reason": "over_limit",
    "explanation": "Limiet € 100,00, gebruikt € 92,50: nog € 7,50 beschikbaar.",
    "limit": 10000,
    "used": 9250,
    "available": 750,
}


def test_a_declined_sale_shows_its_explanation_and_numbers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert show_decision(Screen(), DECLINED) == 1
    shown = capsys.readouterr().out
    for part in (DECLINED["explanation"], "over_limit", "€15.00", "€100.00", "€92.50", "€7.50"):
        assert part in shown


def test_an_approved_sale_without_a_limit_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    answer = {**DECLINED, "type": "sale.approved", "limit": None, "available": None}
    assert show_decision(Screen(), answer) == 0
    assert "no limit" in capsys.readouterr().out


def test_with_json_there_is_one_line_of_json_and_nothing_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert show_decision(Screen(as_json=True), DECLINED) == 1
    assert json.loads(capsys.readouterr().out) == DECLINED


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_json_is_json_whatever_an_output_can_print(encoding: str) -> None:
    """Written out in another way, a letter or a whole pictogram would make it none."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    takes_any_text(out)
    said = {"explanation": "Café 🍺: € 7,50"}
    with contextlib.redirect_stdout(out):
        Screen(as_json=True).data(said)
    printed = out.buffer.getvalue()  # type: ignore[attr-defined]
    assert json.loads(printed.decode(encoding)) == said
    assert ("🍺".encode() in printed) == (encoding == "utf-8")


def test_a_refusal_names_reason_field_and_message(capsys: pytest.CaptureFixture[str]) -> None:
    refused = {
        "type": "command.refused",
        "reason": "invalid",
        "field": "iban",
        "message": "no IBAN",
    }
    assert outcome(Screen(), refused) == 1
    assert "refused, invalid (field iban): no IBAN" in capsys.readouterr().out


def test_what_was_changed_and_warned_of_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    applied = {
        "type": "command.applied",
        "changes": [{"kind": "account", "id": "28900001", "change": "created"}],
        "warnings": [{"kind": "account", "id": "28900001", "message": "no holder"}],
    }
    assert outcome(Screen(), applied) == 0
    shown = capsys.readouterr().out
    assert "account 28900001 created" in shown
    assert "no holder" in shown


def test_a_preview_shows_columns_counts_and_problems(capsys: pytest.CaptureFixture[str]) -> None:
    preview = {
        "type": "import.previewed",
        "columns": [
            {"header": "Bedrijf", "field": "company", "samples": ["A", "B"]},
            {"header": "Kleur", "field": None, "samples": []},
        ],
        "rows": 10,
        "valid": 9,
        "creates": 9,
        "changes": 0,
        "unchanged": 0,
        "problems": [{"row": 7, "column": "Limiet", "value": "[veel]", "message": "no amount"}],
        "problem_count": 1,
        "warnings": [],
    }
    show_preview(Screen(), preview)
    shown = capsys.readouterr().out
    for part in ("Bedrijf", "company", "not used", "7", "[veel]", "no amount"):
        assert part in shown


def test_an_unclear_workbook_names_the_choices(capsys: pytest.CaptureFixture[str]) -> None:
    failed = {"reason": "sheet_unclear", "message": "two sheets", "choices": ["Leden", "Oud"]}
    assert show_failed(Screen(), {"type": "import.failed", **failed}) == 1
    shown = capsys.readouterr().out
    assert "--sheet" in shown
    assert "Leden, Oud" in shown


def test_a_run_that_left_something_out_says_what_and_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    result = {
        "type": "run.completed",
        "period": "2026-10",
        "drafted": 0,
        "issued": 1,
        "sent": 1,
        "total": 121,
        "vat": [{"rate": "21", "base": 100, "vat": 21, "gross": 121}],
        "skipped": [{"account": "1", "reason": "no_holder"}],
        "open": [{"account": "2", "amount": 50, "why": "held"}],
    }
    assert show_run(Screen(), result) == 0
    shown = capsys.readouterr().out
    assert "account 1 left out: no holder" in shown
    assert "account 2 keeps €0.50 uninvoiced: taken off by a correction" in shown


def test_a_refused_run_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    refused = {"type": "run.completed", "reason": "period_not_over", "message": "not yet"}
    assert show_run(Screen(), refused) == 1
    assert "refused, period_not_over: not yet" in capsys.readouterr().out


def test_what_would_steer_a_terminal_is_written_out() -> None:
    assert harmless("\x1b]0;owned\x07a\nb\tc\x9b") == "\\x1b]0;owned\\x07a\nb\tc\\x9b"
    assert harmless("a\u202e12.50\u2066\u2028b\u05d0") == "a\\u202e12.50\\u2066\\u2028b\u05d0"
    assert plain("[red]Bar[/red]") == "[red]Bar[/red]"
    assert (plain(None), plain(True), plain([1, "a"])) == ("", "yes", "1, a")


def test_json_steers_no_terminal_either(capsys: pytest.CaptureFixture[str]) -> None:
    name = "a\x1b\x9b2J\u202e12.50 caf\xe9"
    Screen(as_json=True).data({"name": name})
    said = capsys.readouterr().out
    assert harmless(said) == said
    assert "café" in said
    assert json.loads(said) == {"name": name}


def test_without_a_terminal_progress_is_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with Screen().progress("rows") as gauge:
        for done in range(1001):
            gauge(done, 1000)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 6
    assert lines[-1].strip() == "rows: 1,000 of 1,000"


def test_accounts_are_joined_with_their_holders_and_balances() -> None:
    states: dict[str, Json] = {
        "environment:1:1": {"type": "environment.state", "environment": 1, "currency": "EUR"},
        "customer:1:c": {
            "type": "customer.state",
            "environment": 1,
            "customer_id": "c",
            "first_name": "An",
            "infix": "van",
            "last_name": "Dam",
        },
        "account:1:02": {"type": "account.state", "environment": 1, "account": "02", "holder": "c"},
        "account:1:01": {"type": "account.state", "environment": 1, "account": "01"},
        "account:2:01": {"type": "account.state", "environment": 2, "account": "01"},
    }
    balances: dict[str, Json] = {"1:02": {"currency": "EUR", "unbilled": 5, "billed": 7}}
    rows = join_accounts(1, states, balances)
    assert [(r["account"], r["name"], r["unbilled"], r["billed"]) for r in rows] == [
        ("01", "", 0, 0),
        ("02", "An van Dam", 5, 7),
    ]


def test_in_a_narrow_terminal_names_are_folded_and_numbers_and_amounts_are_whole(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = Screen()
    screen.console.width = 40
    name = "Installatiebedrijf Stroomopwaarts B.V."
    screen.table(
        ("Account", "Name", "Due on", "Billed"),
        [("28900001", name, "2026-12-07", "€1,776.60")],
        right=("Billed",),
    )
    shown = capsys.readouterr().out
    for part in ("28900001", "2026-12-07", "€1,776.60"):
        assert part in shown
    assert name not in shown
    assert all(len(line) <= 40 for line in shown.splitlines())


def test_a_column_in_which_nothing_stands_is_left_out_before_rows_are_told_line_by_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = Screen()
    columns = ("Invoice", "Status", "Total", "Credited", "Paid", "Due on")
    row = ("2026-00001", "undeliverable", "€28.75", "", "", "2026-12-11")
    for width, heading in ((80, "Credited"), (50, "Due on")):
        screen.console.width = width
        screen.table(columns, [row], right=("Total", "Credited", "Paid"))
        shown = capsys.readouterr().out
        assert heading in shown
        assert "2026-00001  undeliverable  €28.75" in " ".join(shown.split("\n"))
    assert "Credited" not in shown


def test_where_not_even_numbers_and_ids_find_room_each_row_is_told_line_by_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = Screen()
    screen.console.width = 50
    job, at = "01a2177b-5219-74b0-8ddc-3f016e8d85b6", "2026-11-26 10:51:27 UTC"
    screen.table(
        ("", "Job", "File", "Rows", "Owed", "At"),
        [(1, job, "leden.xlsx", 1_000_000, "€1,776.60", at), (2, job, "", 3, "€0.00", at)],
        right=("", "Rows", "Owed"),
    )
    shown = capsys.readouterr().out
    lines = [line.split(maxsplit=1) for line in shown.splitlines()]
    first = [line[1].strip() for line in lines[:6]]
    assert first == ["1", job, "leden.xlsx", "1000000", "€1,776.60", at]
    assert [line[0] for line in lines[7:12]] == ["#", "Job", "Rows", "Owed", "At"]
    assert all(len(line) <= 50 for line in shown.splitlines())


def test_the_name_of_a_setting_is_never_broken(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    screen.console.width = 80
    names = ("ONACCOUNT_KAFKA", "ONACCOUNT_KAFKA_SASL_MECHANISM")
    meaning = "SASL mechanism, where the protocol is one of SASL_*, and nothing else at all."
    screen.table(("Setting", "Meaning"), [(name, meaning) for name in names])
    shown = capsys.readouterr().out
    assert all(f"{name} " in shown for name in names)
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_a_refusal_says_by_which_command_it_is_mended(capsys: pytest.CaptureFixture[str]) -> None:
    refused = {"type": "command.refused", "environment": 2890, "reason": "gdpr_not_accepted",
               "message": "not yet"}  # fmt: skip
    assert outcome(Screen(), refused) == 1
    assert "onaccount env accept-gdpr 2890" in capsys.readouterr().out


def test_what_is_open_of_some_months_is_told_of_those_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found: Json = {"count": 3, "amount": 5000}
    assert how_much(found, None, "EUR") == "3 sales, €50.00 not yet invoiced"
    of_october = [{"account": "A1", "period": "2026-10", "sales": 1, "amount": 2000}]
    assert how_much(found, of_october, "EUR") == "1 sale, €20.00 not yet invoiced"
    assert how_much(found, [], "EUR") == "nothing waits to be invoiced"
    show_accounts(Screen(), [], "EUR")
    assert capsys.readouterr().out == ""
