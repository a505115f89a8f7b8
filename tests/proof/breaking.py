"""Statements that must not go through, on a venue with something of everything to break."""

from __future__ import annotations

from tests.services.authorizer.support import (
    GUEST,
    cancelled,
    command,
    credit_note,
    invoice,
    payment,
    recorded,
    refund,
    requested,
    uid,
    venue,
)
from tests.services.ledger.support import approved, issued, ledger, post
from tests.support.databases import Database

ACCOUNT = f"environment = 2890 AND account = '{GUEST}'"


async def sell_on(database: Database) -> None:
    """A venue with a sale in each state, what an invoice does to it, and the ledger's entries."""
    async with venue(database) as bench:
        await bench.order(command("customer.register", "c", customer_id=uid("jo"), company="Jo"),
                          command("customer.register", "z", customer_id=uid("zoe"), company="Zoe"),
                          command("account.link", "l", account=GUEST, customer_id=uid("jo"),
                                  role="holder"))  # fmt: skip
        await bench.sell(
            requested("approved", 300, 200), cancelled("part", "approved", 100),
            requested("declined", 10**6), cancelled("early", "awaited"),
            cancelled("gone", "called off"), recorded("called off", 100),
            recorded("other", 50, account="nope"),
        )  # fmt: skip
        await bench.account_for(
            invoice("i", 400), credit_note("n", 30), payment("p", 20), refund("r", 10)
        )
    async with ledger(database) as bench:
        await post(bench, approved("approved", {"21": 500}), issued("i", {"21": 400}))


def sale(name: str) -> str:
    return f"sale_id = '{uid(name)}'"


BROKEN = {
    # the five sums only rise, and what is reversed is never more than what was approved
    "a lower sum": f"UPDATE account SET approved = approved - 1 WHERE {ACCOUNT}",
    "less reversed": f"UPDATE account SET reversed = 0 WHERE {ACCOUNT}",
    "less issued": f"UPDATE account SET issued = issued - 1 WHERE {ACCOUNT}",
    "less credited": f"UPDATE account SET credited = 0 WHERE {ACCOUNT}",
    "less paid": f"UPDATE account SET paid = paid - 1 WHERE {ACCOUNT}",
    "less refunded": f"UPDATE account SET refunded = 0 WHERE {ACCOUNT}",
    "more reversed than approved": f"UPDATE account SET reversed = approved + 1 WHERE {ACCOUNT}",
    "a limit below zero": f"UPDATE account SET credit_limit = -1 WHERE {ACCOUNT}",
    "an unknown status": f"UPDATE account SET status = 'open' WHERE {ACCOUNT}",
    "the same account twice": f"INSERT INTO account SELECT * FROM account WHERE {ACCOUNT}",
    "a second holder": "INSERT INTO account (environment, account, status, on_account, in_overview,"
    " version, description, searched, holder, changed_at) SELECT environment, account, status,"
    " on_account, in_overview, version, description, searched, NULL, changed_at FROM account",
    "a holder that is not there": f"UPDATE account SET holder = gen_random_uuid() WHERE {ACCOUNT}",
    "a customer of no environment": "INSERT INTO customer SELECT 1, gen_random_uuid(), version, "
    "erased, fields, name, searched, changed_at FROM customer",
    "several accounts, one of no environment": "INSERT INTO account (environment, account, status,"
    " on_account, in_overview, version, description, searched, changed_at) SELECT n, 'new', status,"
    " on_account, in_overview, version, description, searched, changed_at FROM account, "
    f"unnest(ARRAY[2890, 1]) AS n WHERE {ACCOUNT}",
    # an answer stands
    "a changed answer": f"UPDATE sale SET answer = 'x' WHERE {sale('approved')}",
    "an approval taken back": f"UPDATE sale SET state = 'declined' WHERE {sale('approved')}",
    "another total": f"UPDATE sale SET total = 1 WHERE {sale('approved')}",
    "another account's sale": f"UPDATE sale SET account = 'x' WHERE {sale('approved')}",
    "a changed time": f"UPDATE sale SET decided_at = now() WHERE {sale('approved')}",
    "a changed answer to a recorded sale": f"UPDATE sale SET answer = 'x' WHERE {sale('other')}",
    "a recorded sale decided again": f"UPDATE sale SET state = 'approved' WHERE {sale('other')}",
    "another content under an id": f"UPDATE sale SET digest = sha256('x') WHERE {sale('declined')}",
    "a content that is none": f"UPDATE sale SET digest = 'x' WHERE {sale('declined')}",
    "an answer forgotten": "UPDATE sale SET state = 'awaited', digest = NULL, answer = NULL, "
    f"decided_at = NULL, cancelled_first = true WHERE {sale('declined')}",
    "the same sale twice": f"INSERT INTO sale SELECT * FROM sale WHERE {sale('approved')}",
    "sold though called off": f"UPDATE sale SET cancelled_first = true WHERE {sale('approved')}",
    "sold though called off since": f"UPDATE sale SET called_off = true WHERE {sale('approved')}",
    "awaited without a cancellation": "UPDATE sale SET cancelled_first = false "
    f"WHERE {sale('awaited')}",
    # reversals
    "more taken off than sold": f"UPDATE sale SET reversed = total + 1 WHERE {sale('approved')}",
    "less taken off than before": f"UPDATE sale SET reversed = 0 WHERE {sale('approved')}",
    "taken off no line": f"UPDATE sale SET reversed_lines = NULL WHERE {sale('approved')}",
    "taken off a declined sale": f"UPDATE sale SET reversed = 1 WHERE {sale('declined')}",
    "the same cancellation twice": "INSERT INTO cancellation SELECT * FROM cancellation",
    # what counts once
    "the same invoice twice": "INSERT INTO invoice_effect SELECT * FROM invoice_effect",
    "an invoice below zero": "INSERT INTO invoice_effect VALUES "
    f"(2890, 'issued', gen_random_uuid(), '{GUEST}', -1)",
    "the same command twice": "INSERT INTO command SELECT * FROM command",
    "the same refusal twice": "INSERT INTO refusal SELECT 2890, 'sale', sale_id, digest, 'k', "
    "'sale.declined', now(), 'a' FROM sale CROSS JOIN generate_series(1, 2) WHERE digest IS NOT "
    "NULL",
    "cleared by nobody": "UPDATE unbooked SET cleared_at = now() WHERE cleared_at IS NULL",
}  # fmt: skip


FORBIDDEN = {
    "authorizer": [
        *(f"DELETE FROM {table}" for table in
          ("sale", "cancellation", "refusal", "unbooked", "command", "invoice_effect", "account",
           "customer", "environment")),
        f"DELETE FROM customer WHERE customer_id = '{uid('zoe')}'",  # whom nothing refers to
        "TRUNCATE sale", "UPDATE cancellation SET answer = 'x'", "UPDATE command SET answer = 'x'",
        "UPDATE refusal SET answer = 'x'", "UPDATE invoice_effect SET amount = 0",
        "UPDATE account SET account = 'x'", "UPDATE sale SET sale_id = gen_random_uuid()",
        "UPDATE unbooked SET reason = 'x'", "ALTER TABLE sale DISABLE TRIGGER answer_stands",
        "DROP TRIGGER sums_only_rise ON account", "SET session_replication_role = replica",
        "ALTER TABLE account DROP CONSTRAINT account_check",
        "SELECT * FROM ledger.entry", "SELECT * FROM invoicer.invoice", "SET ROLE ledger",
    ],
    "ledger": [
        "DELETE FROM entry", "UPDATE entry SET amounts = '{1,-1}'", "TRUNCATE entry",
        "UPDATE entry SET at = now()", "DELETE FROM balance", "UPDATE balance SET currency = 'USD'",
        "ALTER TABLE entry DROP CONSTRAINT entry_is_journal", "DROP TABLE entry",
        "SELECT * FROM authorizer.account", "SET ROLE authorizer",
    ],
}  # fmt: skip


JOURNALS = {
    "out of balance": "'{receivable:unbilled,revenue:unbilled:21}', '{250,-249}'",
    "one leg": "'{receivable:unbilled}', '{0}'",
    "a leg of nothing": "'{bank,receivable:billed,vat:21}', '{5,-5,0}'",
    "one ledger account twice": "'{bank,receivable:billed,bank}', '{5,-6,1}'",
    "a ledger account that is none": "'{bank,cash}', '{5,-5}'",
    "a leg without a name": "'{bank,NULL}', '{5,-5}'",
    "a leg without an amount": "'{bank,receivable:billed}', '{5,NULL}'",
    "more names than amounts": "'{bank,receivable:billed,vat:21}', '{5,-5}'",
}

BOOKS = {
    "the same source twice": "INSERT INTO entry SELECT * FROM entry",
    "the same balance twice": "INSERT INTO balance SELECT * FROM balance",
    "a balance in no currency": "INSERT INTO balance (environment, account, currency) "
    "VALUES (2890, 'x', 'euro')",
    "fewer entries than none": "UPDATE balance SET version = -1",
}


def posting(legs: str, kind: str = "payment", **other: str) -> str:
    """A journal of its own, right but for what is said."""
    values = {"environment": "2890", "kind": f"'{kind}'", "source_id": "gen_random_uuid()",
              "entry_id": "gen_random_uuid()", "account": f"'{GUEST}'",
              "refers_to": "gen_random_uuid()", "currency": "'EUR'", "at": "now()"}  # fmt: skip
    columns = {**values, **other}
    return (
        f"INSERT INTO entry ({', '.join(columns)}, ledger_accounts, amounts, answer) "
        f"VALUES ({', '.join(columns.values())}, {legs}, '')"
    )


_LEGS = "'{bank,receivable:billed}', '{5,-5}'"
BOOKS |= {
    "an unknown kind": posting(_LEGS, "gift"),
    "a payment of nothing": posting(_LEGS, refers_to="NULL"),
    "a charge of something": posting(_LEGS, "charge"),
    "a currency that is none": posting(_LEGS, currency="'euro'"),
}


def row(table: str, **values: str) -> str:
    """One row of a table, as SQL."""
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(values.values())})"


def new_account(**other: str) -> str:
    values = {"environment": "2890", "account": "'new'", "status": "'active'", "version": "1",
              "on_account": "true", "in_overview": "true", "description": "''", "searched": "''",
              "changed_at": "now()"}  # fmt: skip
    return row("account", **{**values, **other})


def new_sale(**other: str) -> str:
    values = {"environment": "2890", "sale_id": "gen_random_uuid()", "state": "'approved'",
              "recorded": "false", "account": f"'{GUEST}'", "digest": "sha256('x')", "total": "1",
              "decided_at": "now()", "answer": "'x'"}  # fmt: skip
    return row("sale", **{**values, **other})


def new_answer(table: str, **other: str) -> str:
    """A cancellation, a command or a refusal with its answer."""
    values = {"environment": "2890", "digest": "sha256('x')", "decided_at": "now()",
              "answer": "'x'"}  # fmt: skip
    own = {
        "cancellation": {"cancellation_id": "gen_random_uuid()", "sale_id": "gen_random_uuid()",
                         "account": "'x'", "amount": "0", "type": "'sale.reversed'"},
        "command": {"command_id": "gen_random_uuid()", "type": "'command.applied'"},
        "refusal": {"kind": "'sale'", "id": "gen_random_uuid()", "key": "'k'", "type": "'t'"},
    }[table]  # fmt: skip
    return row(table, **{**values, **own, **other})


BROKEN |= {
    "an account that begins below zero": new_account(reversed="-1"),
    "invoices below zero": new_account(issued="-1"),
    "credit notes below zero": new_account(credited="-1"),
    "payments below zero": new_account(paid="-1"),
    "refunds below zero": new_account(refunded="-1"),
    "an account of no environment": new_account(environment="99"),
    "a version that no reader takes": f"UPDATE account SET version = 0 WHERE {ACCOUNT}",
    "a sale in no state": new_sale(state="'sold'"),
    "an approval without an answer": new_sale(answer="NULL"),
    "a sale without a whole digest": new_sale(digest="'x'"),
    "a cancellation that adds": new_answer("cancellation", amount="-1"),
    "a refusal that takes back": new_answer("cancellation", type="'sale.reversal_refused'",
                                            amount="1"),
    "a cancellation answered otherwise": new_answer("cancellation", type="'sale.approved'"),
    "a cancellation without a whole digest": new_answer("cancellation", digest="'x'"),
    "a command answered otherwise": new_answer("command", type="'sale.approved'"),
    "a command without a whole digest": new_answer("command", digest="'x'"),
    "a refusal of nothing known": new_answer("refusal", kind="'import'"),
    "a refusal without a whole digest": new_answer("refusal", digest="'x'"),
    "an effect that is none": row("invoice_effect", environment="2890", kind="'drafted'",
                                  id="gen_random_uuid()", account="'x'", amount="1"),
    "an invoice of sales for nothing": row(
        "invoice_effect", environment="2890", kind="'issued'", id="gen_random_uuid()",
        account="'x'", amount="1", sales="ARRAY[gen_random_uuid()]", amounts="'{}'"),
    "a payment of sales": row(
        "invoice_effect", environment="2890", kind="'paid'", id="gen_random_uuid()",
        account="'x'", amount="1", sales="'{}'", amounts="'{}'"),
    "the same sale twice in the list": "INSERT INTO unbooked SELECT * FROM unbooked",
    "a sale in the list without a whole digest": row(
        "unbooked", environment="2890", sale_id="gen_random_uuid()", digest="'x'", reason="'r'",
        noted_at="now()"),
}  # fmt: skip


def new_environment(settings: str = "", **other: str) -> str:
    """An environment of its own, right but for what is said; of its settings something else."""
    found = """'{"currency": "EUR", "language": "nl", "limit_release": "issued"}'::jsonb"""
    values = {"environment": "7", "version": "1", "revision": "1", "active": "true",
              "settings": f"{found} || '{settings or '{}'}'", "changed_at": "now()"}  # fmt: skip
    return row("environment", **{**values, **other})


def viewing(account: str, customer: str) -> str:
    return row("account_viewer", environment="2890", account=account, customer_id=customer)


JO = f"customer_id = '{uid('jo')}'"
ERASED = "erased = true, fields = '{}', name = '', searched = ''"
BROKEN |= {
    "the same environment twice": new_environment(environment="2890"),
    "an environment below one": new_environment(environment="0"),
    "an environment's version that no reader takes": new_environment(version="0"),
    "a directory's version that no till takes": new_environment(revision="0"),
    "terms that nobody accepted": new_environment(gdpr_at="now()"),
    "a venue's currency that is none": new_environment('{"currency": "euro"}'),
    "a language that nothing is said in": new_environment('{"language": "de"}'),
    "a limit that is released never": new_environment('{"limit_release": "never"}'),
    "settings that are none": new_environment(settings="[]"),
    "a customer's version that no reader takes": f"UPDATE customer SET version = 0 WHERE {JO}",
    "a customer's fields that are none": f"UPDATE customer SET fields = '[]' WHERE {JO}",
    "an erased customer with a name": f"UPDATE customer SET erased = true WHERE {JO}",
    "an erased customer with a name of before":
        f"UPDATE customer SET {ERASED}, earlier_names = '{{Jo}}' WHERE {JO}",
    "a viewer of no account": viewing("'nope'", f"'{uid('jo')}'"),
    "a viewer that is not there": viewing(f"'{GUEST}'", "gen_random_uuid()"),
    "the same viewer twice": f"INSERT INTO account_viewer SELECT 2890, '{GUEST}', '{uid('jo')}' "
    "FROM generate_series(1, 2)",
}  # fmt: skip
