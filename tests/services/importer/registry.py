"""A registry of one test: takes the importer's commands as the authorizer does, in plain values.

Goal: to follow an import to its end without the authorizer's code. Method: it keeps customers and
accounts, answers each command once (the same answer again for the same id) and tells the state of
what it touched.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from schemas.commands import Change, Command, CommandApplied, CommandRefused, RefusedStep
from schemas.registry import (
    AccountChange,
    AccountLink,
    AccountOpen,
    AccountState,
    AccountUnlink,
    CustomerChange,
    CustomerErase,
    CustomerRegister,
    CustomerState,
    EnvironmentState,
    Gdpr,
)
from schemas.steps import RegistryApply

COMMANDS: dict[str, type[Command]] = {
    "customer.register": CustomerRegister,
    "customer.change": CustomerChange,
    "account.open": AccountOpen,
    "account.change": AccountChange,
    "account.link": AccountLink,
}
NOW = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
CUSTOMER = tuple(CustomerRegister.model_fields)[1:]


@dataclass
class Registry:
    """`refuse` maps an account number or a company to the message its command is refused with."""

    environment: int = 2890
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    refuse: dict[str, str] = field(default_factory=dict)
    asked: list[Any] = field(default_factory=list)
    answered: dict[str, Any] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    version: int = 0

    def environment_state(
        self,
        *,
        gdpr: bool = True,
        import_enabled: bool = True,
        language: str = "en",
        default_on_account: bool = False,
    ) -> EnvironmentState:
        self.version += 1
        told = Gdpr(accepted_by="M. de Vries", document="terms", at=NOW) if gdpr else None
        values: dict[str, Any] = dict.fromkeys(EnvironmentState.model_fields)
        values |= {
            "type": "environment.state", "environment": self.environment, "version": self.version,
            "active": True, "gdpr": told, "currency": "EUR", "time_zone": "Europe/Amsterdam",
            "language": language, "finance_copy": "report", "payment_days": 14,
            "limit_release": "issued", "number_format": "{year}-{seq:05}",
            "credit_note_format": "{year}-{seq:05}", "default_on_account": default_on_account,
            "default_in_overview": False, "import_enabled": import_enabled,
            "viewer_statements": False,
        }  # fmt: skip
        return EnvironmentState.model_validate(values)

    def ask(self, command: Any) -> tuple[Any, list[Any]]:
        """The outcome of a command, and the states that it changed."""
        if not isinstance(command, RegistryApply):
            self.asked.append(command)
        if command.command_id in self.answered:
            assert self.answered[command.command_id][0] == command, "an id with two contents"
            return self.answered[command.command_id][1], []
        take = self._apply if isinstance(command, RegistryApply) else self._decide
        outcome, states = take(command)
        self.answered[command.command_id] = (command, outcome)
        return outcome, states

    def _apply(self, command: RegistryApply) -> tuple[Any, list[Any]]:
        """Each step for itself, but those after a refused one."""
        changes: list[Change] = []
        refused: dict[int, RefusedStep] = {}
        states: list[Any] = []
        for step in command.steps:
            given = {name: getattr(step, name) for name in step.model_fields_set}
            after = given.pop("after", None)
            number = given.pop("step")
            if after in refused:
                refused[number] = RefusedStep(step=number, reason="depends", message="no")
                continue
            alone = COMMANDS[step.type](
                command_id=command.command_id, environment=command.environment, at=command.at,
                by=command.by, **given,
            )  # fmt: skip
            self.asked.append(alone)
            outcome, told = self._decide(alone)
            states += told
            if isinstance(outcome, CommandRefused):
                refused[number] = RefusedStep(
                    step=number, reason=outcome.reason, message=outcome.message
                )
            else:
                changes += [c.model_copy(update={"step": number}) for c in outcome.changes]
        applied = CommandApplied(
            command_id=command.command_id,
            environment=self.environment,
            changes=tuple(changes),
            refused=tuple(refused.values()) or None,
        )
        return applied, states

    def _decide(self, command: Any) -> tuple[Any, list[Any]]:
        match command:
            case AccountUnlink():
                return self._unlink(command)
            case CustomerErase():
                return self._erase(command)
            case AccountChange(only_if_unused=True) if self.used & set(command.accounts):
                return self._refused(command, "It was bought on.", "account_used"), []
        for key in (getattr(command, "account", None), getattr(command, "company", None)):
            if key in self.refuse:
                return self._refused(command, self.refuse[key]), []
        match command:
            case CustomerChange() if command.customer_id in self.erased:
                return self._refused(command, "This customer was erased.", "customer_erased"), []
            case CustomerRegister() | CustomerChange():
                known = command.customer_id in self.customers
                given = {
                    name: getattr(command, name)
                    for name in command.model_fields_set
                    if name not in ("type", "command_id", "environment", "at", "by", "customer_id")
                }
                fields = self.customers.setdefault(command.customer_id, {})
                if "email" in given and given["email"] != fields.get("email"):
                    given.setdefault("email_fictitious", None)  # that was said of the old one
                fields.update(given)
                change = "changed" if known else "created"
                return self._applied(command, "customer", command.customer_id, change), [
                    self.customer_state(command.customer_id)
                ]
            case AccountOpen():
                return self._open(command)
            case AccountChange():
                for number in command.accounts:
                    given = {
                        name: getattr(command, name)
                        for name in ("description", "status", "limit", "on_account", "in_overview")
                        if name in command.model_fields_set
                    }
                    self.accounts[number].update(given)
                states = [self.account_state(number) for number in command.accounts]
                return self._applied(command, "account", command.accounts[0], "changed"), states
            case AccountLink():
                if command.customer_id not in self.customers:
                    return self._refused(command, "there is no such customer"), []
                self.accounts[command.account]["holder"] = command.customer_id
                state = self.account_state(command.account)
                return self._applied(command, "account", command.account, "changed"), [state]
        raise AssertionError(f"{command.type} was not expected")

    def _open(self, command: AccountOpen) -> tuple[Any, list[Any]]:
        if command.account in self.accounts:
            return self._refused(command, "the account exists", "account_exists"), []
        if command.holder is not None and command.holder not in self.customers:
            return self._refused(command, "there is no such customer"), []
        self.accounts[command.account] = {
            "description": command.description or "",
            "status": command.status,
            "limit": command.limit if "limit" in command.model_fields_set else 0,
            "on_account": bool(command.on_account),
            "in_overview": bool(command.in_overview),
            "holder": command.holder,
        }
        state = self.account_state(command.account)
        return self._applied(command, "account", command.account, "created"), [state]

    def _unlink(self, command: AccountUnlink) -> tuple[Any, list[Any]]:
        self.accounts[command.account]["holder"] = None
        state = self.account_state(command.account)
        return self._applied(command, "account", command.account, "changed"), [state]

    def _erase(self, command: CustomerErase) -> tuple[Any, list[Any]]:
        held = [n for n, a in self.accounts.items() if a["holder"] == command.customer_id]
        if self.used & set(held):
            return self._refused(command, "It is not invoiced yet.", "open_amounts"), []
        for number in held:
            self.accounts[number]["holder"] = None
        self.customers[command.customer_id] = {}
        self.erased.add(command.customer_id)
        states = [self.customer_state(command.customer_id), *map(self.account_state, held)]
        return self._applied(command, "customer", command.customer_id, "changed"), states

    def customer_state(self, customer_id: str) -> CustomerState:
        self.version += 1
        return CustomerState(
            environment=self.environment, customer_id=customer_id, version=self.version,
            erased=customer_id in self.erased, **self.customers[customer_id],
        )  # fmt: skip

    def account_state(self, number: str) -> AccountState:
        self.version += 1
        return AccountState(
            environment=self.environment, account=number, version=self.version, viewers=(),
            **self.accounts[number],
        )  # fmt: skip

    def _applied(self, command: Any, kind: str, ident: str, change: Any) -> CommandApplied:
        return CommandApplied(
            command_id=command.command_id,
            environment=self.environment,
            changes=(Change(kind=kind, id=ident, change=change),),
        )

    def _refused(self, command: Any, message: str, reason: str = "refused") -> CommandRefused:
        return CommandRefused(
            command_id=command.command_id,
            environment=self.environment,
            reason=reason,
            message=message,
        )
