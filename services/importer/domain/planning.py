"""What a row will do: the registry commands that bring customer and account to what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from services.importer.domain.book import Book, KnownAccount, KnownCustomer
from services.importer.domain.cautions import cautions, renaming
from services.importer.domain.changes import NAME_FIELDS, as_asked, changes
from services.importer.domain.checking import problems_of
from services.importer.domain.claims import Claims
from services.importer.domain.house import House, Tally
from services.importer.domain.ids import customer_id
from services.importer.domain.matching import (
    Ambiguous,
    Match,
    OtherHolder,
    Torn,
    match,
)
from services.importer.domain.messages import Tongue, of_row
from services.importer.domain.names import display_name
from services.importer.domain.refusals import Problem
from services.importer.domain.rows import Entry

CommandType = Literal[
    "customer.register", "customer.change", "account.open", "account.change", "account.link"
]
Verdict = Literal["create", "change", "unchanged", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One registry command of a row.

    `body` holds its own fields (schemas/registry.py), without id, environment, at and by; sent
    once `after` (row, step), if any, was applied. `before` is what the fields were, for an undo.
    """

    step: int
    type: CommandType
    body: Mapping[str, Any]
    after: tuple[int, int] | None
    before: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPlan:
    """A row's fate: commands, or the problems that refuse it. Warnings refuse nothing."""

    row: int
    commands: tuple[Planned, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def verdict(self) -> Verdict:
        if self.problems:
            return "refused"
        if any(c.type in ("customer.register", "account.open") for c in self.commands):
            return "create"
        return "change" if self.commands else "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """Plans the rows of one job, in their order. `defaults`: the upload's own, for new accounts
    (limit, on_account, in_overview, status) and new customers (language).

    `house` is what the environment gives to who and what says nothing. `claims` and `tally` are
    what is remembered of the rows so far.
    """

    job_id: str
    tongue: Tongue
    defaults: Mapping[str, Any]
    house: House = field(default_factory=House)
    claims: Claims = field(default_factory=Claims)
    tally: Tally = field(default_factory=Tally)

    def plan(self, entry: Entry, book: Book) -> RowPlan:
        """Decide about one row, and note in the book what it makes and changes."""
        customer = match(entry, book)
        wrong = (*entry.problems, *self._taken(entry, book, customer))
        if wrong:
            # Who mends the row is to know all that is wrong with it at once.
            who = customer if isinstance(customer, KnownCustomer) else None
            wrong += self._wrong(entry, who)
        if refused := wrong or self._refusal(entry, customer):
            self.claims.note(entry)
            return RowPlan(row=entry.row, problems=refused)
        assert customer is None or isinstance(customer, KnownCustomer)
        steps: list[Planned] = []
        warnings = list(entry.warnings)
        if customer is None and entry.customer:
            customer = self._register(entry, book, steps)
        elif customer is not None:
            warnings += self._change(entry, book, customer, steps)
        after = _after(entry, customer, steps)
        known = book.accounts.get(entry.account or "")
        warnings += cautions(
            entry, customer, known, self.tongue, environment=book.environment, new=bool(steps)
        )
        if entry.account is not None:
            self._account(entry, book, customer, after, steps)
        elif entry.account_count is not None and customer is not None:
            self._accounts(entry, book, customer, after, steps)
        return RowPlan(row=entry.row, commands=tuple(steps), warnings=tuple(warnings))

    # --- what refuses a row -----------------------------------------------------------------

    def _taken(self, entry: Entry, book: Book, customer: Match) -> tuple[Problem, ...]:
        """An account that an earlier row has, or named for somebody else and was refused."""
        number = entry.account or ""
        account = book.accounts.get(number)
        if account is not None and account.row is not None:
            return (self._problem(entry, "account", "twice", number, other=account.row),)
        claimed = self.claims.by_another(entry)
        holder = account.holder if account else None
        holds = isinstance(customer, KnownCustomer) and holder == customer.customer_id
        if claimed is None or holds:
            return ()
        return (self._problem(entry, "account", "claimed", number, other=claimed),)

    def _refusal(self, entry: Entry, customer: Match) -> tuple[Problem, ...]:
        match customer:
            case Ambiguous(code=code):
                where = entry.name_column if code == "ambiguous" else "email"
                value = str(entry.customer.get(where) or entry.name or "")
                told = "ambiguous_new" if code == "ambiguous" and entry.account else code
                return (self._problem(entry, where, told, value),)
            case Torn(code=why, mailed=mailed):
                theirs, email = display_name(mailed.fields), entry.customer["email"]
                return (self._problem(entry, "email", why, email, theirs=theirs),)
            case OtherHolder(holder=holder):
                theirs, number = display_name(holder.fields), entry.account or ""
                return (self._problem(entry, "account", "other_holder", number, theirs=theirs),)
            case None if entry.customer and not any(entry.customer.get(f) for f in NAME_FIELDS):
                missing = "no_name" if entry.has_name_column else "no_name_column"
                message = of_row(missing, self.tongue)
                return (Problem(row=entry.row, column="", value="", message=message),)
            case KnownCustomer():
                return self._contradictions(entry, customer) or self._wrong(entry, customer)
        return self._wrong(entry, None)

    def _wrong(self, entry: Entry, who: KnownCustomer | None) -> tuple[Problem, ...]:
        return problems_of(entry, who, home=self.house.country, tongue=self.tongue)

    def _contradictions(self, entry: Entry, customer: KnownCustomer) -> tuple[Problem, ...]:
        return tuple(
            self._problem(
                entry,
                name,
                "contradicts",
                str(value or ""),
                other=customer.said_by[name],
                theirs=customer.fields.get(name) or "",
            )
            for name, value in changes(entry, customer).items()
            if name in customer.said_by
        )

    def _problem(self, entry: Entry, where: str, code: str, value: str, **words: object) -> Problem:
        column = entry.headers.get(where) or entry.headers.get("name", "")
        message = of_row(code, self.tongue, value=value, **words)
        return Problem(row=entry.row, column=column, value=value[:100], message=message)

    # --- the customer -----------------------------------------------------------------------

    def _register(self, entry: Entry, book: Book, steps: list[Planned]) -> KnownCustomer:
        fields = dict(entry.customer)
        if language := self.defaults.get("language"):
            fields.setdefault("language", language)
        customer = KnownCustomer(
            customer_id=customer_id(self.job_id, book.environment, entry.row),
            fields=fields,
            made_by=entry.row,
            said_by=dict.fromkeys(entry.customer, entry.row),
        )
        book.note_customer(customer)
        self.tally.no_account += entry.headers.keys().isdisjoint(("account", "account_count"))
        body = {"customer_id": customer.customer_id, **fields}
        steps.append(Planned(step=len(steps), type="customer.register", body=body, after=None))
        return customer

    def _change(
        self, entry: Entry, book: Book, customer: KnownCustomer, steps: list[Planned]
    ) -> list[Problem]:
        changed = changes(entry, customer)
        if not changed:
            customer.said_by.update(dict.fromkeys(entry.customer, entry.row))
            if entry.customer and customer.customer_id in book.customers:
                book.note_customer(customer)
            return []
        warnings = renaming(entry, customer, self.tongue)
        changed = as_asked(changed, entry, customer)
        before = {name: customer.fields.get(name) for name in changed}
        after = (customer.made_by, 0) if customer.made_by is not None else None
        body = {"customer_id": customer.customer_id, **changed}
        planned = Planned(
            step=len(steps), type="customer.change", body=body, after=after, before=before
        )
        steps.append(planned)
        customer.fields.update(changed)
        customer.said_by.update(dict.fromkeys(entry.customer, entry.row))
        book.note_customer(customer)
        return warnings

    # --- the accounts -----------------------------------------------------------------------

    def _account(
        self,
        entry: Entry,
        book: Book,
        customer: KnownCustomer | None,
        after: tuple[int, int] | None,
        steps: list[Planned],
    ) -> None:
        number = entry.account or ""
        account = book.accounts.get(number)
        holder = customer.customer_id if customer else None
        if account is None:
            self._open(entry, book, number, holder, after, steps)
            return
        stays_closed = account.fields.get("status") == "closed" and "status" not in entry.settings
        self.tally.closed += stays_closed
        self._change_accounts(entry, [account], after, steps)
        if holder is not None and account.holder is None:
            body = {"account": number, "customer_id": holder, "role": "holder"}
            steps.append(Planned(step=len(steps), type="account.link", body=body, after=after))
            account.holder = holder
        account.row = entry.row
        book.note_account(account)

    def _accounts(
        self,
        entry: Entry,
        book: Book,
        customer: KnownCustomer,
        after: tuple[int, int] | None,
        steps: list[Planned],
    ) -> None:
        """As many accounts as the row wants: those that are missing are opened, none is closed.

        One that was closed is not among them.
        """
        assert entry.account_count is not None
        held = [
            account
            for account in book.held_by(customer.customer_id)
            if account.fields.get("status") != "closed"
        ]
        self._change_accounts(entry, held, after, steps)
        for account in held:
            book.note_account(account)
        for number in book.next_accounts(entry.account_count - len(held)):
            self._open(entry, book, number, customer.customer_id, after, steps)

    def _open(
        self,
        entry: Entry,
        book: Book,
        number: str,
        holder: str | None,
        after: tuple[int, int] | None,
        steps: list[Planned],
    ) -> None:
        fields = {k: v for k, v in self.defaults.items() if k != "language"} | dict(entry.settings)
        body = {"account": number, **fields, **({"holder": holder} if holder else {})}
        steps.append(Planned(step=len(steps), type="account.open", body=body, after=after))
        if "limit" not in fields and self.house.default_limit == 0:
            self.tally.limit_nought += 1
        if holder is None:
            self.tally.no_holder += 1
        if "on_account" not in fields and self.house.default_on_account is False:
            self.tally.may_not_buy += 1
        fields = {"limit": self.house.default_limit, **fields}
        known = KnownAccount(account=number, fields=fields, holder=holder, row=entry.row)
        book.note_account(known)

    def _change_accounts(
        self,
        entry: Entry,
        accounts: list[KnownAccount],
        after: tuple[int, int] | None,
        steps: list[Planned],
    ) -> None:
        different = [
            a for a in accounts if any(a.fields.get(k) != v for k, v in entry.settings.items())
        ]
        if not different:
            return
        before = {a.account: {k: a.fields.get(k) for k in entry.settings} for a in different}
        body = {"accounts": [a.account for a in different], **entry.settings}
        planned = Planned(
            step=len(steps), type="account.change", body=body, after=after, before=before
        )
        steps.append(planned)
        for account in different:
            account.fields.update(entry.settings)


def _after(
    entry: Entry, customer: KnownCustomer | None, steps: list[Planned]
) -> tuple[int, int] | None:
    """What the row's accounts wait for: its own customer command, or another row's."""
    if steps:
        return (entry.row, steps[-1].step)
    if customer is not None and customer.made_by is not None:
        return (customer.made_by, 0)
    return None
