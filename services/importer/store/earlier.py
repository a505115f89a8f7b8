"""What the rows of a workbook so far make and change, found again while later ones are planned.

It is of no use to anybody else, and a worker that dies plans anew. So it stands in a database of
this process alone (SQLite's; on disk once it is larger than its cache), and goes with the plan.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

from pydantic_core import to_json

from runtime.sql import statements
from services.importer.domain.book import Book, KnownAccount, KnownCustomer
from services.importer.domain.ids import customer_id
from services.importer.domain.names import email_key, looked_up_by, name_keys
from services.importer.domain.planning import RowPlan

sql = statements("services.importer", "sql/earlier.sql")

_SETTINGS: Final = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -2000;"

Who = int | str
"""The row that makes a customer, or the id of one that the registry has."""


class Earlier:
    """Use as `with Earlier(environment=..., job_id=..., counted=...) as earlier`, for one plan.

    `counted`: whether rows may say how many accounts somebody has; what anybody holds is asked of
    it only then. `last_in_series` is the highest number of the environment's series so far.
    """

    def __init__(self, *, environment: int, job_id: str, counted: bool) -> None:
        self._environment = environment
        self._job_id = job_id
        self.counted = counted
        self.last_in_series = 0
        self._linking = False
        # An empty name: a file of nobody else's, which the system forgets with us.
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.executescript(_SETTINGS + sql.make + (sql.make_held if counted else ""))
        self._file.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    # --- what was kept ------------------------------------------------------------------------

    def alike(self, keys: Iterable[str]) -> list[Who]:
        """Who may be meant by these e-mail addresses and names, and perhaps some more."""
        return [who for (who,) in self._ask(sql.alike, [hash(key) for key in keys])]

    def customers(self, who: Iterable[Who]) -> dict[str, KnownCustomer]:
        """Those of them that the rows so far make or change, by id."""
        found = {}
        for one, fields, said_by in self._ask(sql.customers, list(who)):
            made_by = one if isinstance(one, int) else None
            given = json.loads(fields)
            customer = KnownCustomer(
                customer_id=self._id(one),
                fields=given,
                made_by=made_by,
                said_by=json.loads(said_by) if said_by else dict.fromkeys(given, made_by or 0),
            )
            found[customer.customer_id] = customer
        return found

    def accounts(self, numbers: Iterable[str]) -> list[tuple[KnownAccount, Who | None]]:
        """Those of these numbers that the rows so far have, with who holds each."""
        return self._accounts(self._ask(sql.accounts, list(numbers)))

    def held(self, who: Iterable[Who]) -> list[KnownAccount]:
        """The accounts that the rows so far have of these."""
        return [account for account, _ in self._accounts(self._ask(sql.held, list(who)))]

    def _ask(self, statement: str, values: list[Any]) -> list[Any]:
        return self._file.execute(statement, (json.dumps(values),)).fetchall() if values else []

    def _accounts(self, rows: Iterable[Any]) -> list[tuple[KnownAccount, Who | None]]:
        return [
            (
                KnownAccount(
                    account=account,
                    fields=json.loads(fields),
                    holder=None if holder is None else self._id(holder),
                    row=row,
                ),
                holder,
            )
            for account, row, fields, holder in rows
        ]

    def _id(self, who: Who) -> str:
        return who if isinstance(who, str) else customer_id(self._job_id, self._environment, who)

    # --- what is kept -------------------------------------------------------------------------

    def keep(self, book: Book) -> None:
        """Keep what the rows that this book was made for have made and changed."""
        customers = [book.customers[i] for i in book.changed_customers]
        add = self._file.executemany
        add(sql.add_customers, [(_who(c), _json(c.fields), _said(c)) for c in customers])
        keys = [(hash(key), _who(c)) for c in customers for key in _keys(c.fields)]
        add(sql.add_keys, keys)
        accounts = [book.accounts[a] for a in book.changed_accounts]
        add(
            sql.add_accounts,
            [(a.account, a.row, _json(a.fields), _holder(a, book)) for a in accounts],
        )
        self.last_in_series = book.last_in_series

    def linked(self, plans: Sequence[RowPlan], book: Book) -> list[KnownCustomer]:
        """Whom these rows make the holder of an account that there was; once there was such a row,
        also whom a later one changes: a preview tells their names as they will be."""
        links = {
            str(command.body["customer_id"])
            for plan in plans
            for command in plan.commands
            if command.type == "account.link"
        }
        self._linking = self._linking or bool(links)
        if not self._linking:
            return []
        changed = [book.customers[i] for i in book.changed_customers]
        late = {c.customer_id for c in changed if c.made_by is None or c.made_by < plans[0].row}
        return [book.customers[i] for i in sorted(links | late)]


def _who(customer: KnownCustomer) -> Who:
    return customer.customer_id if customer.made_by is None else customer.made_by


def _holder(account: KnownAccount, book: Book) -> Who | None:
    if account.holder is None:
        return None
    holder = book.customers.get(account.holder)
    return account.holder if holder is None else _who(holder)


def _json(value: Any) -> str:
    return to_json(value).decode()


def _said(customer: KnownCustomer) -> str | None:
    """What `said_by` is kept as: nothing where the row that makes the customer said it all."""
    made_by, said_by = customer.made_by, customer.said_by
    if made_by is not None and said_by == dict.fromkeys(customer.fields, made_by):
        return None
    return _json(said_by)


def _keys(fields: Mapping[str, Any]) -> frozenset[str]:
    mail = email_key(fields.get("email"), fields.get("email_fictitious"))
    return frozenset(map(looked_up_by, name_keys(fields))) | ({mail} if mail else frozenset())
