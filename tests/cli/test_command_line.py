"""The command line: help that teaches, one sentence for what is wrong, exit codes that mean it."""

import asyncio
import io
import json
import os
import re
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from cli.__main__ import loading, takes_any_text, told_of
from cli.app import GROUPS, app
from cli.messages import repetition
from cli.replies import Expectation
from tests.cli.running import Run, runner

ID = "01890a5d-ac96-774b-bcce-b302099a8057"


@pytest.fixture
def onaccount(capsys: pytest.CaptureFixture[str]) -> Run:
    return runner(capsys)


def test_help_lists_every_group_and_where_to_start(onaccount: Run) -> None:
    told = onaccount("--help")
    assert told.status == 0
    assert all(name in told.out for name in GROUPS)
    assert "onaccount demo" in told.out
    assert onaccount("--version").out == f"{metadata.version('onaccount')}\n"


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_each_group_teaches_by_examples(group: str, onaccount: Run) -> None:
    told = onaccount(group, "--help")
    assert told.status == 0, told.err
    assert "Examples:" in told.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("evn", "show", "2890"), "Unknown command"),
        (("env", "show", "abc"), 'unable to convert "abc" into a whole number.'),
        (("env", "show"), "requires an argument. See `onaccount env show --help`"),
        (("customer", "show", "2890", "De", "Kraan"), "go between quotes"),
        (("env", "configure", "2890"), "Nothing to set"),
        (("account", "change", "2890", "1"), "Nothing to change"),
        (("account", "open", "2890", "1", "--limit", "1.000,00"), "a separator of thousands"),
        (("till", "sell", "2890", "1", "Pils"), "is not an item"),
        (("customer", "register", "2890"), "needs a name"),
        (("invoices", "run", "2890", "2026-13"), "is not a month"),
        (("invoices", "approve", "2890"), "give --all"),
        (("invoices", "approve", "2890", "--all", "--period", "2026-1"), "is not a month"),
        (("invoices", "approve", "2890", ID, "--period", "2026-10"), "goes with --all"),
        (("invoices", "list", "2890", "--period", "oktober"), "is not a month"),
        (("invoices", "pending", "2890", "--period", "2026"), "is not a month"),
        (("invoices", "pending", "2890", "--mails", "--account", "1"), "the whole venue"),
        (("invoices", "correct", "2890", "1", "--reason", "x", "--exclude", "7"), "no sale's id"),
        (("invoices", "send", "2890"), "give --undelivered"),
        (("invoices", "send", "2890", "2026-00001", "--undelivered"), "one of the two"),
        (("invoices", "send", "2890", "2026-00001", "--account", "1"), "goes with --undelivered"),
        (("invoices", "send", "2890", "--undelivered", "--to", "a@b.nl"), "needs one --account"),
        (("invoices", "statement", "2890", "--from", "2026-10-01"), "both --from and --until"),
        (("invoices", "payments", "import", "2890", "nothing.csv"), "There is no file"),
        (("import", "2890", "nothing.xlsx"), "There is no file"),
        (("import", "template", "nowhere/x.xlsx"), "There is no file or folder nowhere/x.xlsx"),
        (("env", "configure", "2890", "--logo", "nothing.png"), "There is no file"),
        (("env", "configure", "2890", "--logo", "/"), "/ is a folder"),
        (("env", "list", "--timeout", "nan"), "above 0"),
        (("migrate", "bank"), "No service is named bank"),
        (("stack", "up", "--workers", "bank=2"), "is not understood"),
        (("migrate",), "ONACCOUNT_POSTGRES_ADMIN"),
    ],
)
def test_what_is_not_understood_is_one_sentence_and_status_2(
    words: tuple[str, ...], says: str, onaccount: Run
) -> None:
    told = onaccount(*words)
    assert told.status == 2, told.err
    assert says in told.err
    assert "Traceback" not in told.err
    assert told.err.count("\n") == 1


def test_the_list_of_commands_says_what_each_is_for(onaccount: Run) -> None:
    shown = " ".join(onaccount("--help").out.replace("│", " ").split())
    for name, (_, purpose) in GROUPS.items():
        assert f"{name} {purpose}" in shown


def test_without_a_stack_one_is_told_how_to_get_one(onaccount: Run, tmp_path: Path) -> None:
    told = onaccount("account", "list", "2890", "--dir", str(tmp_path))
    assert told.status == 3
    assert "onaccount stack up" in told.err


@pytest.mark.parametrize("words", [("account", "list", "2890"), ("topics", "diff")])
def test_a_kafka_that_does_not_answer_is_one_sentence_and_status_3(words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", *words],
        env={**os.environ, "ONACCOUNT_KAFKA": "127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr.startswith("onaccount: Kafka does not answer at 127.0.0.1:1;")
    assert "ONACCOUNT_KAFKA_SECURITY says (PLAINTEXT)" in done.stderr
    assert done.stderr.count("\n") == 1


def test_with_json_trouble_is_json_too(onaccount: Run, tmp_path: Path) -> None:
    told = onaccount("env", "show", "2890", "--json", "--dir", str(tmp_path))
    assert told.status == 3
    assert "stack up" in json.loads(told.err)["error"]
    assert told.out == ""


def test_a_damaged_stack_file_is_one_sentence(onaccount: Run, tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text("{")
    told = onaccount("account", "list", "2890", "--dir", str(tmp_path))
    assert told.status == 1
    assert "can't be read" in told.err
    assert "Traceback" not in told.err


def test_what_describes_no_stack_is_one_sentence(onaccount: Run, tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text('{"postgres": {}}')
    told = onaccount("env", "list", "--dir", str(tmp_path))
    assert (told.status, "does not describe a stack" in told.err) == (1, True)


@pytest.mark.parametrize(("encoding", "text", "told"), [
    ("utf-8", "half a letter: \ud800", b"half a letter: \\ud800"),
    ("latin-1", "caf\u00e9: \u20ac3,50", b"caf\xe9: \\u20ac3,50"),
])  # fmt: skip
def test_what_cannot_be_printed_is_written_out(encoding: str, text: str, told: bytes) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    takes_any_text(out)
    print(text, end="", file=out, flush=True)
    assert out.buffer.getvalue() == told  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("sale.requested", ("till", "sell", "2890", "1", "Pils 3,50 21%")),
        ("sale.recorded", ("till", "sell", "2890", "1", "Pils 3,50 21%", "--offline")),
        ("sale.cancelled", ("till", "cancel", "2890", "1", ID)),
        ("payment.record", ("invoices", "pay", "2890", "2026-00001", "1,00")),
        ("payment.refund", ("invoices", "refund", "2890", "2026-00001", "1,00")),
        ("invoices.run", ("invoices", "run", "2890")),
        ("account.change", ("account", "change", "2890", "1", "--raise-limit-by", "50")),
        ("account.change", ("limits", "raise", "2890", "50", "1")),
        ("customer.register", ("customer", "register", "2890", "--company", "Twelve")),
    ],
)
def test_what_had_no_answer_and_would_count_twice_can_be_given_again_as_is_told(
    kind: str, words: tuple[str, ...]
) -> None:
    ids = ("sale_id", "cancellation_id", "payment_id", "refund_id", "run_id", "command_id")
    message = dict.fromkeys((*ids, "customer_id"), ID) | {"environment": 2890, "account": "1"}
    message["at"] = "2026-10-31T22:58:00.000Z"
    told = repetition({"type": kind, "amount": 100, **message})
    option = re.search(rf"`(--[a-z-]+) {ID}`", told)
    assert option, told
    app.parse_args([*words, option[1], ID], print_error=False, exit_on_error=False)


def test_a_refund_is_given_again_with_its_amount_for_nothing_may_be_left_of_it() -> None:
    told = repetition({"type": "payment.refund", "refund_id": ID, "amount": 1_250})
    assert f"with the amount 12.50 and `--refund-id {ID}`" in told


def test_a_sale_that_was_made_offline_is_given_again_with_its_time() -> None:
    at = "2026-10-31T22:58:00.000Z"
    told = repetition({"type": "sale.recorded", "sale_id": ID, "at": at})
    assert f"with `--at {at}` and `--sale-id {ID}`" in told


def test_what_may_be_given_again_anyway_is_to_be_looked_for_first() -> None:
    assert "look whether it was done" in repetition({"type": "environment.activate"})


@pytest.mark.parametrize(
    "words", [("till", "sell", "2890", "1"), ("sales", "assign", "2890", ID, "1")]
)
def test_what_is_sold_may_begin_with_what_is_taken_off(words: tuple[str, ...]) -> None:
    items = ["-3 x Fles 0,15 0%", "2 x Pils 3,50 21%"]
    _, given, _ = app.parse_args(
        [*words, *items, "--by", "anna"], print_error=False, exit_on_error=False
    )
    assert given.arguments["items"] == items
    assert "common" in given.arguments


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("limits", "raise", "2890", "-50,00", "1"), "by"),
        (("account", "change", "2890", "1", "--raise-limit-by", "-50,00"), "raise_limit_by"),
    ],
)
def test_a_limit_may_be_raised_by_less_than_nothing(words: tuple[str, ...], name: str) -> None:
    _, given, _ = app.parse_args(list(words), print_error=False, exit_on_error=False)
    assert given.arguments[name] == "-50,00"


def test_ctrl_c_while_its_code_is_loaded_ends_a_command_at_once() -> None:
    """Method: Python says of each module when it is loaded; the messages are among the last."""
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "cli", "env", "show", "2890"],
        env={**os.environ, "ONACCOUNT_KAFKA": "127.0.0.1:1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert any(line.strip().endswith("schemas.values") for line in process.stderr)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (out, err.splitlines()[-1]) == ("", "onaccount: stopped.")


def test_no_code_that_is_loaded_can_swallow_a_ctrl_c() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SWALLOWING], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "onaccount: stopped.\n")


SWALLOWING = """
import os, signal
from cli.__main__ import loading
with loading():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(10**6): pass
    except BaseException:
        pass
    print("it goes on", flush=True)
"""


def test_once_it_is_loaded_a_ctrl_c_is_heard_as_before_and_where_it_is_ignored_it_stays_so() -> (
    None
):
    before = signal.getsignal(signal.SIGINT)
    try:
        for handler in (signal.default_int_handler, signal.SIG_IGN):
            signal.signal(signal.SIGINT, handler)
            with loading():
                same = signal.getsignal(signal.SIGINT) is handler
            assert same == (handler is signal.SIG_IGN)
            assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_whoever_presses_ctrl_c_is_told_what_was_sent_and_had_no_answer() -> None:
    sale = {"type": "sale.requested", "sale_id": ID, "environment": 2890, "account": "1"}

    async def wait() -> None:
        asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGINT)
        await Expectation.of(sale).next(10)

    with pytest.raises(KeyboardInterrupt) as stopped:
        asyncio.run(wait())
    assert told_of(stopped.value).startswith("stopped. sale.requested was sent, and may be done")
    assert f"`onaccount till cancel 2890 1 {ID}`" in told_of(stopped.value)
    assert told_of(KeyboardInterrupt()) == "stopped."
