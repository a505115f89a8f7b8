"""Going from a guest to an account: who is meant, which accounts, which numbers are free."""

import struct
from base64 import b64encode
from types import SimpleNamespace
from typing import Any

import pytest

from cli.amounts import Misuse
from cli.commands.env import FOR_INVOICES, needs
from cli.commands.limits import standings
from cli.logo import logo_told
from cli.registry import Registry, is_named
from cli.series import TAKEN, numbers, open_all, skipped

ZOE, TWELVE, GONE = (f"0191b0c4-7e3a-7cc1-9a51-12345678900{n}" for n in range(3))


def customer(id_: str, **fields: Any) -> dict[str, Any]:
    return {"type": "customer.state", "environment": 2890, "customer_id": id_, "version": 1,
            "erased": False, **fields}  # fmt: skip


def account(number: str, **fields: Any) -> dict[str, Any]:
    return {"type": "account.state", "environment": 2890, "account": number, "version": 1,
            "description": "", "status": "active", "limit": 5_000, "on_account": True,
            "in_overview": False, "viewers": [], **fields}  # fmt: skip


def registry() -> Registry:
    return Registry(
        2890,
        [
            {"type": "environment.state", "environment": 2890, "currency": "EUR",
             "limit_release": "issued"},
            customer(ZOE, first_name="Zoë", last_name="Müller", email="zoe@test.nl"),
            customer(TWELVE, company="Twelve B.V.", city="Houten"),
            customer(GONE, erased=True),
            account("28900001", holder=TWELVE, viewers=[ZOE]),
            account("28900002", holder=ZOE, description="Tafel 9"),
            account("28900003", description="Tafel 10", status="closed"),
        ],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "who"),
    [("zoe muller", ZOE), ("MÜLLER", ZOE), ("houten", TWELVE), (TWELVE.upper(), TWELVE),
     ("28900002", ZOE), ("twelve b.v.", TWELVE), (GONE, GONE), (ZOE[:-1] + "0", ZOE)],
)  # fmt: skip
def test_a_customer_is_meant_by_an_id_or_by_words_that_fit_no_other(text: str, who: str) -> None:
    assert registry().customer(text)["customer_id"] == who


@pytest.mark.parametrize(
    ("text", "says"),
    [("0191", "has no customer"), ("jansen", "has no customer 'jansen'"),
     ("28900001", "fits 2 customers"),
     ("0191b0c4-7e3a-7cc1-9a51-123456789009", "has no customer")],
)  # fmt: skip
def test_who_is_nobody_or_several_is_told_with_what_to_do(text: str, says: str) -> None:
    with pytest.raises(Misuse, match=says):
        registry().customer(text)


@pytest.mark.parametrize(
    ("words", "meant"),
    [("bedrijf 3", []), ("3", [TWELVE, ZOE]), ("28900 3", [ZOE, TWELVE]),
     ("bedrijf 28900301", [ZOE]), ("bedrijf 12", [ZOE]), ("kade 1", []),
     ("89001", [TWELVE]), ("bedrijf", [ZOE, TWELVE])],
)  # fmt: skip
def test_a_number_in_a_name_is_no_part_of_another_number(words: str, meant: list[str]) -> None:
    """Bedrijf 3 was erased: who names it again must not mean Bedrijf 4 for its account's sake."""
    known = Registry(2890, [
        customer(ZOE, company="Bedrijf 12", street="Kade 12a"),
        customer(TWELVE, company="Bedrijf 4", vat_number="NL890012345B01"),
        account("28900301", holder=ZOE), account("28900003", holder=TWELVE),
    ])  # fmt: skip
    assert {one["customer_id"] for one in known.found(words)} == set(meant)


def test_who_is_named_wholly_is_named_by_more_than_words() -> None:
    (zoe,) = (one for one in registry().customers.values() if one["customer_id"] == ZOE)
    for text in (ZOE, ZOE.upper(), " zoe  MULLER", "Zoe@test.nl"):
        assert is_named(zoe, text)
    for text in ("zoe", "muller", "test.nl", "28900002", " ", ""):
        assert not is_named(zoe, text)


def test_an_account_that_is_not_there_is_told_so_with_where_to_look() -> None:
    assert registry().account("28900002")["description"] == "Tafel 9"
    with pytest.raises(Misuse, match="no account 2890 01; `onaccount account list 2890`"):
        registry().account("2890 01")


def test_a_customers_accounts_are_those_it_holds_and_those_it_may_see() -> None:
    tied = [(a["account"], role) for a, role in registry().tied_to(ZOE)]
    assert tied == [("28900001", "viewer"), ("28900002", "holder")]


def test_a_list_of_thousands_of_customers_goes_through_their_accounts_once() -> None:
    """Goal: what a customer holds is not looked for among all accounts again for each. Method:
    the accounts count how often they are asked for their holder."""
    asked = 0

    class Counted(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            nonlocal asked
            asked += key == "holder"
            return super().get(key, default)

    ids = [f"0191b0c4-7e3a-7cc1-9a51-{n:012}" for n in range(500)]
    accounts = [Counted(account(str(n), holder=id_)) for n, id_ in enumerate(ids)]
    known = Registry(2890, [*(customer(id_, company="De Club") for id_ in ids), *accounts])
    found = known.found("club")
    assert [[a["account"] for a, _ in known.tied_to(one["customer_id"])] for one in found] == [
        [str(n)] for n in range(500)
    ]
    assert asked == 500


def test_accounts_are_chosen_by_number_by_words_or_all_that_are_not_closed() -> None:
    known = registry()
    assert known.chosen(["1", "2", "1"], everyone=False, matching=None) == ["1", "2"]
    assert known.chosen([], everyone=True, matching=None) == ["28900001", "28900002"]
    assert known.chosen([], everyone=False, matching="tafel") == ["28900002"]
    assert known.chosen([], everyone=False, matching="muller") == ["28900002"]
    for ways in (
        {"everyone": False, "matching": None},
        {"everyone": True, "matching": "x"},
        {"everyone": False, "matching": "nothing"},
        {"everyone": False, "matching": " "},  # of a script whose variable is empty
    ):
        with pytest.raises(Misuse):
            known.chosen([], **ways)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("bedrijf 12", ["28900031"]),
        ("BEDRIJF", ["28900012", "28900031", "28900112", "A-7"]),
        ("12", ["28900012", "28900031", "28900112"]),
        ("2890 001", ["28900012", "28900112"]),
        ("bedrijf 28900112", ["28900112"]),
        ("bedrijf 1", []),
    ],
)
def test_a_number_among_words_is_one_of_its_own_and_no_part_of_an_accounts(
    words: str, meant: list[str]
) -> None:
    called = {"28900012": "Bedrijf 3", "28900031": "Bedrijf 12", "28900112": "Bedrijf 120",
              "A-7": "Bedrijf zonder"}  # fmt: skip
    known = Registry(2890, [
        {"type": "account.state", "account": number, "description": name, "status": "active"}
        for number, name in called.items()
    ])  # fmt: skip
    if meant:
        assert known.chosen([], everyone=False, matching=words) == meant
    else:
        with pytest.raises(Misuse, match="No open account"):
            known.chosen([], everyone=False, matching=words)


def test_a_series_takes_the_free_numbers_of_its_environment() -> None:
    assert numbers(2890, 3, ["28900001", "28900003"]) == ["28900002", "28900004", "28900005"]
    assert numbers(7, 2, [f"7{n:04}" for n in range(1, 10_000)]) == ["710000", "710001"]
    for count in (0, -1, 10_001):
        with pytest.raises(Misuse, match="1 to 10,000"):
            numbers(2890, count, [])


def test_numbers_that_a_series_skips_are_counted_where_they_get_longer_too() -> None:
    assert skipped(2890, ["28900001"]) == 0
    assert skipped(2890, ["28900002", "28900004", "28900005"]) == 1
    assert skipped(2890, ["28909998", "28909999", "289010000", "289010002"]) == 1


class Taken:
    """Stands for the topics at the far edge: every command is applied; what was `there` stays."""

    def __init__(self, *there: str) -> None:
        self.asked: list[dict[str, Any]] = []
        self.there = there

    async def ask(self, message: dict[str, Any], *, timeout_s: float) -> Any:
        self.asked.append(message)
        how = "unchanged" if message["account"] in self.there else "created"
        changes = [{"kind": "account", "id": message["account"], "change": how}]
        ids = {name: message[name] for name in ("command_id", "environment")}
        return SimpleNamespace(message={"type": "command.applied", **ids, "changes": changes})


async def test_each_of_a_series_is_described_with_its_number() -> None:
    series, client = ["28900009", "28900010", "289010000"], Taken()
    for fields in ({"description": "Tafel", "limit": 0}, {"description": None}):
        await open_all(
            client, 2890, series, lambda done, of: None, by="me", timeout_s=1, **fields  # type: ignore[arg-type]
        )  # fmt: skip
    assert [one["account"] for one in client.asked] == [*series, *series]
    assert [one.get("description") for one in client.asked] == [
        "Tafel 9", "Tafel 10", "Tafel 10000", None, None, None,
    ]  # fmt: skip


async def test_of_two_who_open_a_series_at_once_each_account_is_one_ones() -> None:
    """The other's is as we asked for it: to the registry that is nothing to refuse."""
    series, client = ["28900001", "28900002"], Taken("28900001")
    said = await open_all(
        client, 2890, series, lambda done, of: None, by="me", timeout_s=1, limit=0  # type: ignore[arg-type]
    )  # fmt: skip
    assert [one["type"] for one in said] == ["command.refused", "command.applied"]
    assert (said[0]["reason"], said[0]["environment"]) == (TAKEN, 2890)


def test_who_is_named_by_no_word_is_not_the_only_one_there_is() -> None:
    known = Registry(2890, [customer("0191b0c4-7e3a-7cc1-9a51-000000000001", company="De Club")])
    with pytest.raises(Misuse, match="Say which customer"):
        known.customer(" ")


def test_what_is_used_of_a_limit_is_what_counts_against_it() -> None:
    known = registry()
    balances = {"2890:28900001": {"unbilled": 1_000, "billed": 500},
                "2890:28900002": {"unbilled": -300, "billed": 0}}  # fmt: skip
    rows = {row["account"]: row for row in standings(known, balances)}
    assert (rows["28900001"]["used"], rows["28900001"]["available"]) == (1_000, 4_000)
    assert (rows["28900002"]["used"], rows["28900002"]["name"]) == (0, "Zoë Müller")
    known.settings = {"limit_release": "paid"}
    paid = {row["account"]: row for row in standings(known, balances)}
    assert paid["28900001"]["used"] == 1_500
    balances["2890:28900001"]["billed"] = -675  # the worked example of docs/money.md, at its end
    assert standings(known, balances)[0]["used"] == 1_000


def test_an_environment_says_what_it_needs_to_sell_and_to_invoice() -> None:
    state = {"environment": 2890, "active": False, "legal_name": "De Twaalf", "iban": "NL91"}
    terms, switch, data = needs(state)
    assert "accept-gdpr 2890" in terms
    assert "activate 2890" in switch
    assert "--vat-number" in data
    assert "--iban" not in data
    whole = dict.fromkeys(FOR_INVOICES, "x") | {
        "environment": 2890,
        "active": True,
        "gdpr": {"at": 1},
    }
    assert needs(whole) == []
    (blank,) = needs(whole | {"legal_name": "  "})  # which no invoice takes for a name
    assert "--legal-name" in blank
    meeting = {"number_format": "{year}-{seq:05}", "credit_note_format": "{year}-0{seq:04}"}
    (formats,) = needs(whole | meeting)
    assert "--credit-note-format" in formats
    assert needs(whole | meeting | {"credit_note_format": "C{year}-{seq:05}"}) == []


def test_a_logo_is_told_by_its_kind_and_size_and_never_printed() -> None:
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 1200, 400) + bytes(9)
    assert logo_told(b64encode(png).decode()) == "PNG, 1,200 x 400 pixels, 33 bytes"
    assert logo_told(b64encode(b"<svg/>").decode()) == "SVG, 6 bytes"
    assert logo_told(None) == "none: documents bear the name"
