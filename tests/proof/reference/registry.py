"""The registry of one environment: what commands make of it (contract, part 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.proof.reference.answers import Expected, again, content_of
from tests.proof.reference.money import Sums

Message = Mapping[str, Any]
MOST = 10**13
DEFAULTS: dict[str, Any] = {
    "currency": "EUR", "language": "nl", "limit_release": "issued", "default_limit": None,
    "default_on_account": False, "default_in_overview": False,
}  # fmt: skip
FLAGS = ("description", "status", "limit", "on_account", "in_overview")


class Refused(Exception):
    """A command that changes nothing."""

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.field = reason, field


@dataclass(slots=True)
class House:
    """The environment's own record."""

    version: int = 0
    gdpr: tuple[str, str] | None = None
    active: bool = False
    settings: dict[str, Any] = field(default_factory=lambda: dict(DEFAULTS))


@dataclass(slots=True)
class Account:
    version: int
    settings: dict[str, Any]


Changes = list[tuple[str, str, str]]


class Registry:
    """Commands in, outcomes out. `sums` are there for accounts that are not open, too."""

    def __init__(self, environment: int) -> None:
        self.environment = environment
        self.house: House | None = None
        self.accounts: dict[str, Account] = {}
        self.sums: dict[str, Sums] = {}
        self.sold = False
        self._commands: dict[str, str] = {}

    def sums_of(self, account: str) -> Sums:
        return self.sums.setdefault(account, Sums())

    @property
    def release(self) -> str:
        assert self.house is not None
        return str(self.house.settings["limit_release"])

    def used(self, account: str) -> int:
        return self.sums_of(account).used(self.release)

    def command(self, message: Message) -> Expected:
        """Carry out one command, all of it or nothing."""
        id_, content = message["command_id"], content_of(message, typed=True)
        memory = ("command", id_)
        if id_ in self._commands:
            if self._commands[id_] == content:
                return again(memory)
            reused = Refused("command_id_reused")
            return self._refused(message, reused, ("reused command", id_, content))
        self._commands[id_] = content
        warnings: set[tuple[str, str]] = set()
        try:
            changes = self._carry_out(message, warnings)
        except Refused as refused:
            return self._refused(message, refused, memory)
        return Expected(
            type="command.applied",
            memory=memory,
            key=str(self.environment),
            says={
                "command_id": id_,
                "environment": self.environment,
                "changes": [{"kind": k, "id": i, "change": c} for k, i, c in changes],
                "warned of": warnings,
            },
        )

    def _refused(self, message: Message, refused: Refused, memory: Any) -> Expected:
        return Expected(
            type="command.refused",
            memory=memory,
            key=str(self.environment),
            says={"command_id": message["command_id"], "reason": refused.reason},
            may={} if refused.field is None else {"field": refused.field},
        )

    def _carry_out(self, message: Message, warnings: set[tuple[str, str]]) -> Changes:
        match message["type"]:
            case "environment.configure":
                return self._configure(message)
            case "environment.accept_gdpr":
                house = self.house or House()
                before = house.gdpr
                house.gdpr = (message["accepted_by"], message["document"])
                return self._environment_changed(house, house.gdpr != before)
        if self.house is None:
            raise Refused("environment_unknown", "environment")
        match message["type"]:
            case "environment.activate" | "environment.deactivate":
                active = message["type"] == "environment.activate"
                changed = self.house.active != active
                self.house.active = active
                if active and self.house.gdpr is None:
                    warnings.add(("environment", str(self.environment)))
                return self._environment_changed(self.house, changed)
        if self.house.gdpr is None:
            raise Refused("gdpr_not_accepted")
        if message["type"] == "account.open":
            return self._open(message, warnings)
        assert message["type"] == "account.change"
        return self._change(message, warnings)

    def _configure(self, message: Message) -> Changes:
        house = self.house or House()
        given = {k: DEFAULTS[k] if v is None else v for k, v in message.items() if k in DEFAULTS}
        if (
            self.sold
            and given.get("currency", house.settings["currency"]) != (house.settings["currency"])
        ):
            raise Refused("currency_fixed", "currency")
        before = dict(house.settings)
        house.settings.update(given)
        return self._environment_changed(house, house.settings != before)

    def _environment_changed(self, house: House, changed: bool) -> Changes:
        created, self.house = self.house is None, house
        if created or changed:
            house.version += 1
        how = "created" if created else "changed" if changed else "unchanged"
        return [("environment", str(self.environment), how)]

    def _open(self, message: Message, warnings: set[tuple[str, str]]) -> Changes:
        assert self.house is not None
        number = message["account"]
        given = {k: message[k] for k in FLAGS if k in message}
        if (before := self.accounts.get(number)) is not None:
            if {**before.settings, **given} != before.settings:
                raise Refused("account_exists", "account")
            how = "unchanged"
        else:
            how = "created"
            settings = {
                "description": "",
                "status": "active",
                "limit": self.house.settings["default_limit"] or 0,
                "on_account": self.house.settings["default_on_account"],
                "in_overview": self.house.settings["default_in_overview"],
                **given,
            }
            self.accounts[number] = Account(1, settings)
        if not number.startswith(str(self.environment)):
            warnings.add(("account", number))
        return [("account", number, how)]

    def _change(self, message: Message, warnings: set[tuple[str, str]]) -> Changes:
        """All of the accounts, or none."""
        after: dict[str, dict[str, Any]] = {}
        said: set[tuple[str, str]] = set()
        for number in dict.fromkeys(message["accounts"]):
            account = self.accounts.get(number)
            where = f"accounts.{message['accounts'].index(number)}"
            if account is None:
                raise Refused("account_unknown", where)
            if message.get("only_if_unused") and self._was_used(number):
                raise Refused("account_used", where)
            settings = account.settings | {k: message[k] for k in FLAGS if k in message}
            if (by := message.get("raise_limit_by")) is not None:
                if settings["limit"] is None:
                    raise Refused("no_limit", "raise_limit_by")
                settings["limit"] += by
                if not 0 <= settings["limit"] <= MOST:
                    raise Refused("invalid", "raise_limit_by")
            closes = settings["status"] == "closed" != account.settings["status"]
            if closes and self.sums_of(number).unbilled > 0:
                said.add(("account", number))
            after[number] = settings
        warnings |= said
        changes: Changes = []
        for number, settings in after.items():
            account = self.accounts[number]
            changed = account.settings != settings
            account.settings = settings
            account.version += changed
            changes.append(("account", number, "changed" if changed else "unchanged"))
        return changes

    def _was_used(self, number: str) -> bool:
        sums = self.sums_of(number)
        return bool(sums.approved or sums.issued)
