"""Accounts on a real PostgreSQL: opened, changed by the thousand, tied to a holder."""

from typing import Any

import pytest

from tests.services.authorizer.support import (
    GUEST,
    JO,
    VENUE,
    changes,
    command,
    invoice,
    payment,
    register,
    requested,
    uid,
    venue,
)
from tests.support.databases import Database


async def test_an_account_takes_its_environments_defaults(postgres: Database) -> None:
    defaults = {"default_limit": 5000, "default_on_account": True, "default_in_overview": True}
    async with venue(postgres, **defaults) as bench:
        await bench.order(
            command("account.open", 1, account="28900002"),
            command("account.open", 2, account="28900003", limit=None, on_account=False),
            command("account.open", 3, account="007", limit=0, status="inactive"),
        )
        states = bench.told()
        found = [
            tuple(states[f"account:{VENUE}:{n}"][f] for f in ("limit", "on_account", "status"))
            for n in ("28900002", "28900003", "007")
        ]
        assert found == [
            (5000, True, "active"), (None, False, "active"), (0, True, "inactive"),
        ]  # fmt: skip


async def test_a_limit_may_be_lowered_to_nothing_and_no_further(postgres: Database) -> None:
    async with venue(postgres) as bench:
        lowered, below = await bench.order(
            command("account.change", 1, accounts=[GUEST], raise_limit_by=-1000),
            command("account.change", 2, accounts=[GUEST], raise_limit_by=-1),
        )
        assert changes(lowered) == [("account", GUEST, "changed")]
        assert below["reason"] == "invalid"
        assert bench.told()[f"account:{VENUE}:{GUEST}"]["limit"] == 0


async def test_null_of_what_cant_be_cleared_is_refused_and_no_account_gets_without_a_limit_by_it(
    postgres: Database,
) -> None:
    """A program that writes null for whatever it does not give means no limit by none of these."""
    nothing = dict.fromkeys(("status", "limit", "on_account", "in_overview", "holder"))
    async with venue(postgres) as bench:
        before = bench.told()[f"account:{VENUE}:{GUEST}"]["limit"]
        opened, changed = await bench.order(
            command("account.open", 1, account="28900002", **nothing),
            command("account.change", 2, accounts=[GUEST], limit=None, raise_limit_by=None),
        )
        assert opened["reason"] == changed["reason"] == "invalid"
        assert f"account:{VENUE}:28900002" not in bench.told()
        assert before is not None
        assert bench.told()[f"account:{VENUE}:{GUEST}"]["limit"] == before


async def test_a_number_unlike_its_environments_is_allowed_with_a_warning(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        (outcome,) = await bench.order(command("account.open", 1, account="0042"))
        assert changes(outcome) == [("account", "0042", "created")]
        assert (outcome["warnings"][0]["id"], outcome["warnings"][0]["field"]) == (
            "0042",
            "account",
        )


async def test_opening_an_account_again_changes_nothing_and_another_is_refused(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        same, fewer, other, nobody = await bench.order(
            command("account.open", 1, account=GUEST, limit=1000, on_account=True),
            command("account.open", 2, account=GUEST),
            command("account.open", 3, account=GUEST, limit=1001),
            command("account.open", 4, account="28900009", holder=uid("nobody")),
        )
        assert [changes(o)[0][2] for o in (same, fewer)] == ["unchanged", "unchanged"]
        assert other["reason"] == "account_exists"
        assert (nobody["reason"], nobody["field"]) == ("customer_unknown", "holder")


async def test_ten_thousand_accounts_are_changed_by_one_command_or_none_of_them(
    postgres: Database,
) -> None:
    numbers = [f"2890{n:06}" for n in range(10_000)]
    async with venue(postgres) as bench:
        async with bench.database.connection() as connection:
            await connection.execute(
                "INSERT INTO account (environment, account, credit_limit, status, on_account, "
                "in_overview, version, description, searched, changed_at) SELECT 2890, n, 100, "
                "'active', false, false, 1, '', '', now() FROM unnest($1::text[]) AS n",
                numbers[:-1],
            )
        wanted = {"accounts": numbers, "raise_limit_by": 50, "on_account": True}
        (refused,) = await bench.order(command("account.change", 1, **wanted))
        assert (refused["reason"], refused["field"]) == ("account_unknown", "accounts.9999")
        assert await bench.rows("SELECT FROM account WHERE credit_limit = 150") == []
        await bench.order(command("account.open", 2, account=numbers[-1], limit=100))
        (applied,) = await bench.order(command("account.change", 3, **wanted))
        assert len(applied["changes"]) == 10_000
        assert len(await bench.rows("SELECT FROM account WHERE credit_limit = 150")) == 10_000
        states = bench.told()
        assert all(states[f"account:{VENUE}:{n}"]["limit"] == 150 for n in numbers)


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"raise_limit_by": -1001}, "invalid", "raise_limit_by"),
        ({"raise_limit_by": 10**13}, "invalid", "raise_limit_by"),
        ({"raise_limit_by": 5, "limit": 5}, "invalid", "raise_limit_by"),
        ({"accounts": [GUEST, "nope"], "limit": 5}, "account_unknown", "accounts.1"),
        ({"limit": -1}, "invalid", "limit"),
        ({"status": "gone"}, "invalid", "status"),
    ],
)
async def test_a_change_that_can_not_be_is_refused_with_its_field(
    postgres: Database, fields: dict[str, Any], reason: str, field: str
) -> None:
    async with venue(postgres) as bench:
        (outcome,) = await bench.order(
            command("account.change", 1, **({"accounts": [GUEST]} | fields))
        )
        assert (outcome["reason"], outcome["field"]) == (reason, field)


async def test_no_limit_can_not_be_raised(postgres: Database) -> None:
    async with venue(postgres, limit=None) as bench:
        (outcome,) = await bench.order(
            command("account.change", 1, accounts=[GUEST], raise_limit_by=5)
        )
        assert outcome["reason"] == "no_limit"


async def test_an_account_is_changed_only_if_unused_where_that_is_asked(
    postgres: Database,
) -> None:
    close = {"accounts": [GUEST], "status": "closed", "only_if_unused": True}
    async with venue(postgres) as bench:
        await bench.sell(requested("a", 100))
        refused, closed = await bench.order(
            command("account.change", 1, **close),
            command("account.change", 2, **(close | {"only_if_unused": False})),
        )
        assert refused["reason"] == "account_used"
        assert "€1.00" in closed["warnings"][0]["message"]


async def test_an_account_has_one_holder(postgres: Database) -> None:
    link = {"account": GUEST, "role": "holder"}
    async with venue(postgres) as bench:
        outcomes = await bench.order(
            register("Jo"),
            register("Di"),
            command("account.link", 1, customer_id=JO, **link),
            command("account.link", 2, customer_id=JO, **link),
            command("account.link", 3, customer_id=uid("Di"), **link),
            command("account.unlink", 4, customer_id=uid("Di"), **link),
            command("account.unlink", 5, customer_id=JO, **link),
            command("account.link", 6, customer_id=uid("Di"), **link),
            command("account.link", 7, customer_id=uid("nobody"), **link),
            command("account.unlink", 8, account="nope", customer_id=JO, role="viewer"),
        )
        assert [o.get("reason") or changes(o)[0][2] for o in outcomes[2:]] == [
            "changed", "unchanged", "holder_exists", "unchanged", "changed", "changed",
            "customer_unknown", "account_unknown",
        ]  # fmt: skip
        assert bench.told()[f"account:{VENUE}:{GUEST}"]["holder"] == uid("Di")


async def test_what_was_invoiced_before_an_account_is_known_counts_when_it_is_opened(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        await bench.account_for(
            invoice("i", 500, account="28900002"), payment("p", 200, account="28900002")
        )
        await bench.order(
            command("account.open", 1, account="28900002", on_account=True, limit=1000)
        )
        (row,) = await bench.rows("SELECT issued, paid FROM account WHERE account = '28900002'")
        assert tuple(row) == (500, 200)
