"""What each statement locks, and what it leaves alone: found by mutation (docs/proof.md).

Schedules show that what is decided is right; a lock that is missing shows there only by chance, and
one that takes too much never does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from runtime.transaction import Tx
from services.authorizer.store import directory, invoices, registry, sales
from services.ledger import store
from services.ledger.domain import AccountKey
from tests.services.authorizer.support import GUEST, VENUE, command, requested, uid, venue
from tests.services.ledger.support import approved, ledger, post
from tests.support.databases import Database
from tests.support.handlers import HandlerBench

OTHER = "28900002"
Lock = Callable[[Tx], Awaitable[Any]]


async def waits(bench: HandlerBench, first: Lock, second: Lock) -> bool:
    """Whether who does `second` waits for who did `first` and has not committed."""
    async with bench.transaction() as one:
        await first(one)
        async with bench.database.connection() as connection:
            block = connection.transaction()
            await block.start()
            await connection.execute("SET LOCAL lock_timeout = '150ms'")
            try:
                await second(await bench.guard.open(connection))
            except asyncpg.LockNotAvailableError:
                return True
            finally:
                await block.rollback()
    return False


@pytest.mark.parametrize(("number", "held_up"), [(VENUE, True), (VENUE + 1, False)])
async def test_commands_of_one_environment_are_decided_one_after_another(
    postgres: Database, number: int, held_up: bool
) -> None:
    async with venue(postgres) as bench:
        await bench.order(command("environment.configure", 1, environment=VENUE + 1))
        mine, other = (
            command("registry.republish", n, environment=of) for n, of in ((1, VENUE), (2, number))
        )
        assert held_up is await waits(
            bench,
            lambda tx: registry.open_registry(tx, [mine]),
            lambda tx: registry.open_registry(tx, [other]),
        )


@pytest.mark.parametrize(("number", "held_up"), [(VENUE, True), (VENUE + 1, False)])
async def test_no_command_comes_between_a_sign_ons_revision_and_its_accounts(
    postgres: Database, number: int, held_up: bool
) -> None:
    async with venue(postgres) as bench:
        await bench.order(command("environment.configure", 1, environment=VENUE + 1))
        change = command("environment.configure", 2, environment=number)
        assert held_up is await waits(
            bench,
            lambda tx: directory.venues(tx, [VENUE]),
            lambda tx: registry.open_registry(tx, [change]),
        )


@pytest.mark.parametrize("query", [registry.sql.lock_accounts, registry.sql.lock_whole_accounts])
@pytest.mark.parametrize(("account", "held_up"), [(GUEST, True), (OTHER, False)])
async def test_a_command_locks_the_accounts_that_it_changes_and_no_other(
    postgres: Database, query: str, account: str, held_up: bool
) -> None:
    async with venue(postgres) as bench:
        await bench.order(command("account.open", 2, account=OTHER))

        def lock(of: str) -> Lock:
            return lambda tx: tx.fetch(query, [VENUE], [of])

        assert held_up is await waits(bench, lock(GUEST), lock(account))


@pytest.mark.parametrize(("account", "held_up"), [(GUEST, True), (OTHER, False)])
async def test_what_an_invoice_moves_is_locked_and_nothing_else(
    postgres: Database, account: str, held_up: bool
) -> None:
    async with venue(postgres) as bench:
        await bench.order(command("account.open", 2, account=OTHER))

        def lock(of: str) -> Lock:
            return lambda tx: tx.fetch(invoices.sql.lock_accounts, [VENUE], [of])

        assert held_up is await waits(bench, lock(GUEST), lock(account))


@pytest.mark.parametrize(("account", "held_up"), [(GUEST, True), (OTHER, False)])
async def test_a_journal_locks_its_own_account_s_balance_alone(
    postgres: Database, account: str, held_up: bool
) -> None:
    async with ledger(postgres) as bench:
        await post(bench, approved("a", {"21": 1}), approved("b", {"21": 1}, account=OTHER))

        def lock(of: str) -> Lock:
            return lambda tx: store.lock(tx, {AccountKey(VENUE, of): "EUR"})

        assert held_up is await waits(bench, lock(GUEST), lock(account))


@pytest.mark.parametrize(
    ("number", "account", "held_up"),
    [(VENUE, GUEST, True), (VENUE, OTHER, False), (VENUE + 1, GUEST, False)],
)
async def test_a_sale_locks_its_own_account_alone(
    postgres: Database, number: int, account: str, held_up: bool
) -> None:
    async with venue(postgres) as bench:
        await bench.order(
            command("environment.configure", 1, environment=VENUE + 1),
            command("environment.accept_gdpr", 2, environment=VENUE + 1, accepted_by="Jo",
                    document="terms-1"),
            command("account.open", 3, environment=VENUE + 1, account=GUEST),
            command("account.open", 4, account=OTHER),
        )  # fmt: skip

        def lock(environment: int, of: str) -> Lock:
            return lambda tx: tx.fetch(sales.sql.lock_accounts, [VENUE], [environment], [of])

        assert held_up is await waits(bench, lock(VENUE, GUEST), lock(number, account))


@pytest.mark.parametrize(
    "held",
    [(invoices.sql.share_environments, [VENUE]),
     (sales.sql.lock_accounts, [VENUE], [VENUE], [GUEST])],
    ids=["invoices", "sales"],
)  # fmt: skip
async def test_who_changes_the_rules_waits_for_what_goes_by_them(
    postgres: Database, held: tuple[Any, ...]
) -> None:
    """By which rule a limit is released must not change between a sale's sums and its decision."""
    off = command("environment.deactivate", "off")
    async with venue(postgres) as bench:
        assert await waits(
            bench,
            lambda tx: tx.fetch(*held),
            lambda tx: registry.open_registry(tx, [off]),
        )


@pytest.mark.parametrize(("sale", "held_up"), [("a", True), ("b", False)])
async def test_who_may_take_a_sale_back_holds_it_and_no_other(
    postgres: Database, sale: str, held_up: bool
) -> None:
    """Its account may be another's word for it: the sale itself is what both would change."""
    async with venue(postgres) as bench:
        await bench.sell(requested("a", 100), requested("b", 100))

        def lock(of: str) -> Lock:
            return lambda tx: tx.fetch(sales.sql.recall_sales, [VENUE], [uid(of)])

        assert held_up is await waits(bench, lock("a"), lock(sale))


async def test_who_may_look_no_longer_is_one_customer_of_one_account(postgres: Database) -> None:
    """The others of that account, and that customer on others, look on."""
    async with venue(postgres) as bench:
        await bench.order(
            command("account.open", "other", account=OTHER),
            *(command("customer.register", who, customer_id=uid(who), company=who)
              for who in ("jo", "an")),
            *(command("account.link", f"{account} {who}", account=account, customer_id=uid(who),
                      role="viewer")
              for account in (GUEST, OTHER) for who in ("jo", "an")),
        )  # fmt: skip
        gone = command("account.unlink", "u", account=GUEST, customer_id=uid("jo"), role="viewer")
        (outcome,) = await bench.order(gone)
        assert outcome["type"] == "command.applied"
        left = await bench.rows("SELECT account, customer_id::text FROM account_viewer")
        assert {tuple(row) for row in left} == {
            (GUEST, uid("an")), (OTHER, uid("jo")), (OTHER, uid("an"))
        }  # fmt: skip


async def test_a_command_reads_the_customer_that_it_names_and_no_other(postgres: Database) -> None:
    """A venue has thousands."""
    async with venue(postgres) as bench:
        await bench.order(
            *(command("customer.register", who, customer_id=uid(who), company=who)
              for who in ("jo", "an")),
        )  # fmt: skip
        wanted = command("customer.change", "c", customer_id=uid("jo"), company="Jo B.V.")
        async with bench.transaction() as tx:
            known = await registry.open_registry(tx, [wanted])
        assert set(known.customers) == {(VENUE, uid("jo"))}


async def test_the_version_of_a_balance_is_asked_of_that_account_alone(postgres: Database) -> None:
    """Else each batch would read the balances of a whole venue once more."""
    async with ledger(postgres) as bench:
        await post(bench, approved("a", {"21": 1}), approved("b", {"21": 1}, account=OTHER))
        async with bench.database.connection() as connection:
            key = AccountKey(VENUE, GUEST)
            assert await store.versions(connection, [key]) == {key: 1}
            assert set(await store.balances(connection, [key])) == {key}
