"""Commands of the registry as such: the same again, our own faults, and all told anew."""

import pytest

from runtime.sql import statements
from services.authorizer.handlers import registry, republish
from services.authorizer.metrics import COMMANDS, DECISIONS
from tests.services.authorizer.support import (
    JO,
    VENUE,
    cancelled,
    command,
    recorded,
    register,
    requested,
    said,
    venue,
)
from tests.support.databases import Database


async def test_a_command_is_answered_alike_for_ever_and_its_state_told_again(
    postgres: Database,
) -> None:
    commands = [register(), command("account.change", 1, accounts=["nope"], limit=1)]
    async with venue(postgres) as bench:
        first = await bench.handle(registry.carry_out_commands, commands)
        await bench.order(command("customer.change", 2, customer_id=JO, city="Delft"))
        bench.published.answers.clear()
        again = await bench.handle(registry.carry_out_commands, [*commands, *commands])
        assert again == first + first
        assert bench.told()[f"customer:{VENUE}:{JO}"]["city"] == "Delft"


async def test_another_command_under_a_known_id_is_refused_alike_each_time(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        other = command("account.open", "open", account="28900002")
        first = await bench.handle(registry.carry_out_commands, [other])
        assert said(first[0])["reason"] == "command_id_reused"
        assert await bench.handle(registry.carry_out_commands, [other]) == first
        assert await bench.rows("SELECT FROM account WHERE account = '28900002'") == []


async def test_a_command_that_our_own_fault_stopped_is_refused_for_good(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        broken = command("account.open", 1, account="28900002")
        first = await bench.handle(registry.refuse_poison, [broken])
        assert said(first[0])["reason"] == "not_processed"
        assert await bench.handle(registry.carry_out_commands, [broken]) == first
        assert await bench.handle(registry.refuse_poison, [broken]) == first


async def test_the_whole_state_is_told_again_with_the_same_versions(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.order(
            *(register(n) for n in range(3)),
            *(command("account.open", n, account=f"2890x{n:04}") for n in range(1_002)),
        )
        before = bench.told()
        bench.published.answers.clear()
        again = command("registry.republish", "again")
        assert (await bench.order(again))[0]["changes"] == []
        assert len(await bench.run_jobs([republish.JOB])) == len(before) == 1 + 3 + 1_003
        assert bench.told() == before
        await bench.order(again)
        assert await bench.run_jobs([republish.JOB]) == []


async def test_what_was_approved_and_taken_back_since_a_moment_is_told_again_as_it_was(
    postgres: Database,
) -> None:
    """After a power cut: the question may be gone with the answer, and its till has heard it."""
    async with venue(postgres) as bench:
        await bench.sell(requested("before", 100))
        ((since,),) = await bench.database.fetch("SELECT clock_timestamp()")
        first = requested("none", 100, sale_id="00000000-0000-0000-0000-000000000000")
        told = await bench.sell(
            *(first, requested("a", 100), requested("b", 100), cancelled("c", "a", 40)),
            *(requested("much", 10**9), cancelled("d", "nobody's", 1)),
        )
        insert = statements("services.authorizer", "sql/recover.sql").tell_again
        for _ in range(2):
            await bench.database.execute(insert, since)
        found = [a for a in await bench.run_jobs([republish.JOB]) if a.topic == "pos.decisions"]
        assert [a.type for a in told].count("sale.approved") == 3
        money = [a for a in told if a.type in ("sale.approved", "sale.reversed")]
        assert len(money) == 4
        assert sorted(found, key=lambda a: a.id) == sorted([*money, *money], key=lambda a: a.id)


async def test_what_was_not_committed_is_not_counted(postgres: Database) -> None:
    """Whoever fails after it has decided decides it again."""

    def counted() -> list[float]:
        of_sales = DECISIONS.labels("sale.approved")
        of_commands = COMMANDS.labels("environment.configure", "applied")
        return [one._value.get() for one in (of_sales, of_commands)]

    async with venue(postgres) as bench:
        sale, order = recorded("a", 100), command("environment.configure", "again")
        before = counted()

        async def in_vain() -> None:
            async with bench.transaction() as tx:
                await bench.decide_sales([bench.incoming(sale)], tx)
                await registry.carry_out_commands([bench.incoming(order)], tx)
                raise TimeoutError

        for _ in range(2):
            with pytest.raises(TimeoutError):
                await in_vain()
        await bench.sell(sale)
        await bench.order(order)
        assert counted() == [each + 1 for each in before]
