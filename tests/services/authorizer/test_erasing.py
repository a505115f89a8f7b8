"""Erasing a customer: what goes at once, what stays, and what is said of it."""

import asyncio
from typing import Any

from schemas.entities import MAX_ACCOUNTS
from schemas.topics import TOPIC
from services.authorizer.domain.customers import MOST_TOLD_BYTES, erase
from services.authorizer.domain.entities import (
    Account,
    Applied,
    Customer,
    Effect,
    Environment,
    Refusal,
    Registry,
)
from services.authorizer.domain.standing import Sums
from services.authorizer.handlers import forget, invoices
from services.authorizer.outcomes import applied
from tests.services.authorizer.support import (
    GUEST,
    VENUE,
    Venue,
    cancelled,
    command,
    credit_note,
    invoice,
    payment,
    refund,
    requested,
    said,
    uid,
    venue,
)
from tests.services.authorizer.test_tills import searched, signed_on
from tests.support.databases import Database

ZOE = uid("Zoë")
WAITING = (
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def known(**fields: Any) -> Any:
    given = {"first_name": "Zoë", "last_name": 'van "Dam"', "email": "zoe@bar.nl"}
    return command("customer.register", "zoe", customer_id=ZOE, **(given | fields))


def tied(role: str = "holder", account: str = GUEST) -> Any:
    return command("account.link", ("link", account), account=account, customer_id=ZOE, role=role)


def erased() -> Any:
    return command("customer.erase", "erase", customer_id=ZOE)


async def messages(bench: Venue) -> list[str]:
    (outcome,) = await bench.order(erased())
    assert outcome["type"] == "command.applied", outcome
    return [warning["message"] for warning in outcome.get("warnings", ())]


async def test_nothing_of_a_name_is_left_in_what_tills_were_told(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.order(
            known(), tied(), command("account.change", "show", accounts=[GUEST], in_overview=True)
        )
        (page,) = await bench.ask(signed_on("a"))
        (found,) = await bench.ask(searched("b", "dam"))
        assert said(page)["accounts"][0]["name"] == 'Zoë van "Dam"'
        await bench.order(erased())
        (again,) = await bench.ask(signed_on("a"))
        (found_again,) = await bench.ask(searched("b", "dam"))
        assert said(again)["accounts"] == [{"account": GUEST, "name": "", "description": ""}]
        assert said(found_again)["accounts"][0]["name"] == ""
        assert (again.id, again.time) == (page.id, page.time)
        await bench.run_jobs([forget.JOB])
        assert (await bench.ask(signed_on("a")), await bench.ask(searched("b", "dam"))) == (
            [again],
            [found_again],
        )
        for table in (
            "directory", "search", "customer", "command", "session", "forgetting", "job",
        ):  # fmt: skip
            rows = await bench.rows(f"SELECT t::text AS row FROM {table} AS t")
            for row in rows:
                content = row["row"]
                for name in ("Zoë", "Dam", "dam"):
                    assert name not in content
                    assert name.encode().hex() not in content
        assert found.id == found_again.id


async def test_nothing_is_left_of_a_name_of_before_either(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.order(
            known(), tied(), command("account.change", "show", accounts=[GUEST], in_overview=True)
        )
        pages = await bench.ask(signed_on("a"))
        await bench.ask(searched("b", "dam"))
        for n, name in enumerate(("Bakker", "Bakker", 'van "Dam"', "Smit")):
            renamed = command(
                "customer.change", n, customer_id=ZOE, last_name=name, email=f"{n}@z.nl"
            )
            await bench.order(renamed)
            await bench.ask(signed_on(n))
        assert await bench.ask(signed_on("a")) == pages
        (row,) = await bench.rows("SELECT earlier_names FROM customer")
        assert row["earlier_names"] == ['Zoë van "Dam"', "Zoë Bakker"]
        await bench.order(erased())
        await bench.run_jobs([forget.JOB])
        for table in ("directory", "search", "customer", "forgetting", "job"):
            for row in await bench.rows(f"SELECT t::text AS row FROM {table} AS t"):
                for name in ("Zoë", "Dam", "Bakker", "Smit"):
                    assert name not in row["row"]
                    assert name.encode().hex() not in row["row"]


async def test_invoices_that_must_be_kept_are_told_with_what_is_not_paid(
    postgres: Database,
) -> None:
    async with venue(postgres) as bench:
        await bench.order(known(), tied())
        await bench.sell(requested("a", 900))
        note = credit_note("c", 200, frees=False)
        await bench.account_for(invoice("i", 1100), note, payment("p", 1000), refund("r", 101))
        assert await messages(bench) == [
            "Invoices that were made out to it keep its name and address, as the law asks; "
            "€0.01 of them is not paid yet."
        ]


async def test_who_is_not_known_or_erased_already_is_said_to_be(postgres: Database) -> None:
    async with venue(postgres) as bench:
        unknown, _, _, again, anew = await bench.order(
            command("customer.erase", "u", customer_id=ZOE), known(), erased(),
            command("customer.erase", "again", customer_id=ZOE),
            command("customer.register", "anew", customer_id=ZOE, last_name="Dam"),
        )  # fmt: skip
        assert (unknown["reason"], anew["reason"]) == ("customer_unknown", "customer_erased")
        assert again["changes"] == [{"kind": "customer", "id": ZOE, "change": "unchanged"}]


async def test_invoices_that_are_paid_are_told_without_what_is_left(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.order(known(), tied())
        await bench.sell(requested("a", 900))
        await bench.account_for(invoice("i", 900), payment("p", 900))
        assert await messages(bench) == [
            "Invoices that were made out to it keep its name and address, as the law asks."
        ]


async def test_a_description_that_names_the_customer_is_told(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.order(
            known(last_name="Dam", company="Dam en Zonen"),
            tied(),
            command("account.change", "d", accounts=[GUEST], description="rekening van ZOE DAM"),
        )
        assert await messages(bench) == [
            "Its description names the customer still; change it with account.change."
        ]


def test_what_was_paid_too_much_for_one_account_pays_nothing_of_another() -> None:
    sums = {"1": Sums(approved=900, issued=900), "2": Sums(approved=900, issued=900, paid=1800)}
    known = Registry(
        customers={(VENUE, ZOE): Customer(environment=VENUE, customer_id=ZOE)},
        accounts={
            (VENUE, n): Account(environment=VENUE, account=n, holder=ZOE, sums=its)
            for n, its in sums.items()
        },
    )
    outcome = erase(erased(), known, Environment(environment=VENUE))
    assert isinstance(outcome, Applied)
    (told,) = outcome.warnings
    assert told.message.endswith("; €9.00 of them is not paid yet.")


async def test_nothing_is_said_where_nothing_stays(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.order(known(), tied("viewer"))
        assert await messages(bench) == []


def test_of_who_holds_very_many_accounts_no_more_is_told_than_a_topic_takes() -> None:
    """Goal: as in test_steps. Method: numbers as long as they may be, of letters of three bytes."""
    numbers = [f"{'帐' * 58}{number:06}" for number in range(MAX_ACCOUNTS)]
    accounts = (Account(environment=VENUE, account=n, holder=ZOE) for n in numbers)
    known = Registry(
        customers={(VENUE, ZOE): Customer(environment=VENUE, customer_id=ZOE)},
        accounts={(VENUE, account.account): account for account in accounts},
    )
    outcome = erase(erased(), known, Environment(environment=VENUE))
    assert isinstance(outcome, Refusal)
    assert outcome.reason == "too_many_accounts"
    nameless = Applied(changes=(Effect("account", "", "changed"),) * MAX_ACCOUNTS)
    told = len(applied(VENUE, ZOE, nameless)) + MOST_TOLD_BYTES
    assert told + 100_000 < TOPIC["registry.outcomes"].max_value_bytes  # with its warnings
    fits = {(VENUE, f"{n}"): Account(environment=VENUE, account=f"{n}", holder=ZOE)
            for n in range(MAX_ACCOUNTS)}  # fmt: skip
    erasing = erase(
        erased(), Registry(customers=known.customers, accounts=fits), Environment(environment=VENUE)
    )
    assert isinstance(erasing, Applied)
    assert len(erasing.changes) == MAX_ACCOUNTS + 1


async def test_who_buys_while_being_erased_is_erased_or_kept_as_a_whole(
    postgres: Database,
) -> None:
    """Goal: never half erased. Method: a sale and the erasure at once, many times."""
    async with venue(postgres) as bench:
        for turn in range(12):
            account, who = f"2890y{turn:02}", uid(("guest", turn))
            await bench.order(
                command("customer.register", ("r", turn), customer_id=who, first_name="Jo"),
                command("account.open", ("o", turn), account=account, on_account=True, holder=who,
                        limit=None),
            )  # fmt: skip
            answers, (outcome,) = await asyncio.gather(
                bench.sell(requested(("s", turn), 100, account=account)),
                bench.order(command("customer.erase", ("e", turn), customer_id=who)),
            )
            assert said(answers[0])["type"] == "sale.approved"
            kept = outcome["type"] == "command.refused"
            assert not kept or outcome["reason"] == "open_amounts"
            (row,) = await bench.rows(
                "SELECT a.holder IS NOT NULL AS held, c.erased FROM account AS a, customer AS c "
                "WHERE a.account = $1 AND c.customer_id = $2", account, who,
            )  # fmt: skip
            assert (row["held"], row["erased"]) == (kept, not kept)


def about(name: str, amount: int) -> list[dict[str, Any]]:
    """The sales of an invoice or a credit note of one."""
    return [{"sale_id": uid(name), "amount": amount}]


async def credit_is_due(bench: Venue) -> None:
    """12.00 was invoiced and then taken back, and nobody has credited it yet."""
    await bench.order(known(), tied())
    await bench.sell(requested("a", 1200))
    await bench.account_for(invoice("i", 1200, sales=about("a", 1200)))
    await bench.sell(cancelled("back", "a"))


async def test_a_credit_that_is_due_hides_no_sale_that_is_still_to_be_invoiced(
    postgres: Database,
) -> None:
    """Else the sale would stay open for ever: its invoice would have nobody to go to."""
    async with venue(postgres, limit=None) as bench:
        await credit_is_due(bench)
        await bench.sell(requested("b", 1200))
        (refused,) = await bench.order(erased())
        assert (refused["reason"], refused["message"]) == (
            "open_amounts",
            f"€12.00 on account {GUEST} is not invoiced yet; invoice it, or give the account "
            "another holder, first.",
        )
        untied = command("account.unlink", 1, account=GUEST, customer_id=ZOE, role="holder")
        closed = command("account.change", 2, accounts=[GUEST], status="closed")
        for outcome in await bench.order(closed, untied):
            (warning,) = outcome["warnings"]
            assert warning["message"].startswith("€12.00 is not invoiced yet"), warning


async def test_a_credit_that_is_due_keeps_nobody_from_being_erased(postgres: Database) -> None:
    """The credit note goes to whom the invoice was made out to."""
    async with venue(postgres, limit=None) as bench:
        await credit_is_due(bench)
        assert len(await messages(bench)) == 1


async def test_what_was_credited_hides_nothing_and_is_no_more_due(postgres: Database) -> None:
    async with venue(postgres, limit=None) as bench:
        await credit_is_due(bench)
        back = credit_note("c", 1200, sales=about("a", 1200), frees=False)
        await bench.account_for(back, back)
        assert await messages(bench) == []


async def test_a_sale_that_was_set_free_is_to_be_invoiced_again(postgres: Database) -> None:
    async with venue(postgres, limit=None) as bench:
        await credit_is_due(bench)
        await bench.sell(requested("b", 700), requested("c", 500))
        await bench.account_for(
            invoice("j", 1200, sales=about("b", 700) + about("c", 500)),
            credit_note("n", 500, sales=about("c", 500)),
        )
        (refused,) = await bench.order(erased())
        assert refused["message"].startswith("€5.00 on account")


async def test_parts_that_were_taken_back_are_the_credit_that_is_due(postgres: Database) -> None:
    async with venue(postgres, limit=None) as bench:
        await bench.order(known(), tied())
        await bench.sell(requested("a", 800, 400), requested("b", 300), requested("c", 200))
        await bench.account_for(invoice("i", 1400, sales=about("a", 1200) + about("c", 200)))
        await bench.sell(
            cancelled("back", "a", 500), cancelled("off", "b", 299), cancelled("too", "c", 150)
        )
        (refused,) = await bench.order(erased())
        assert refused["message"].startswith("€0.01 on account")


async def test_a_sale_that_another_worker_has_in_hand_is_waited_for(postgres: Database) -> None:
    """Goal: no erasure between a sale's decision and its commit, nor between an invoice's and the
    credit that it makes due. Method: each is held open while the erasure begins."""
    async with venue(postgres, limit=None) as bench:
        await bench.order(known(), tied())
        await bench.sell(requested("a", 1200))
        issued = bench.incoming(invoice("i", 1200, sales=about("a", 1200)))
        async with bench.transaction() as tx:
            await invoices.add_up([issued], tx)
            late = asyncio.create_task(bench.sell(cancelled("back", "a"), requested("b", 1200)))
            while not (late.done() or await bench.rows(WAITING)):
                await asyncio.sleep(0.01)
            erasing = asyncio.create_task(bench.order(erased()))
            _, waiting = await asyncio.wait([late, erasing], timeout=0.2)
            assert waiting == {late, erasing}
        (_, sold), (refused,) = await late, await erasing
        assert (said(sold)["type"], refused["reason"]) == ("sale.approved", "open_amounts")
        assert refused["message"].startswith("€12.00 on account")


async def test_a_new_address_is_not_what_was_said_of_the_old_one(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.order(known(email="nobody@bar.nl", email_fictitious=True))
        for number, (change, told) in enumerate(
            (
                ({"city": "Houten"}, ("nobody@bar.nl", True)),
                ({"email": "zoe@bar.nl"}, ("zoe@bar.nl", None)),
            )
        ):
            await bench.order(command("customer.change", number, customer_id=ZOE, **change))
            state = bench.told()[f"customer:2890:{ZOE}"]
            assert (state["email"], state.get("email_fictitious")) == told


async def test_a_postcode_is_looked_at_again_when_the_country_changes(postgres: Database) -> None:
    async with venue(postgres) as bench:
        await bench.order(known(country="NL", postcode="3991 AB"))
        wrong = command("customer.change", 1, customer_id=ZOE, country="DE")
        right = command("customer.change", 2, customer_id=ZOE, country="DE", postcode="10115")
        refused, applied = await bench.order(wrong, right)
        assert (refused["reason"], refused["field"]) == ("invalid", "postcode")
        assert applied["type"] == "command.applied"
        wrong, right = (
            command("environment.configure", n, country=country, **more)
            for n, country, more in ((3, "DE", {}), (4, "DE", {"postcode": "10115"}))
        )
        await bench.order(command("environment.configure", 5, country="NL", postcode="3991 AB"))
        refused, applied = await bench.order(wrong, right)
        assert (refused["reason"], refused["field"]) == ("invalid", "postcode")
        assert applied["type"] == "command.applied"
