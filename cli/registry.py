"""The registry as the command line sees it: customers and accounts of one environment, by name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from cli.amounts import Misuse
from cli.client import Client
from cli.messages import Json
from cli.replies import newest
from schemas.values import state_key

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SEARCHED = ("email", "street", "postcode", "city", "chamber_number", "vat_number")
NUMBERS = ("postcode", "chamber_number", "vat_number")
MOST_NAMED = 5
PART_OF_ID = 8
"""Letters of an id that are looked for in ids: three digits of a name stand in many of them."""


def folded(text: str) -> str:
    """A text without case and accents, as a person who searches means it."""
    if text.isascii():  # most are, and a search folds all of a venue's customers
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def is_named(customer: Mapping[str, Any], text: str) -> bool:
    """Whether a text is all of a customer's id, name or e-mail address, and not words of them."""
    person = " ".join(str(customer.get(p) or "") for p in ("first_name", "infix", "last_name"))
    known = (name_of(customer), person, str(customer.get("email") or ""), customer["customer_id"])
    return folded(text) in {folded(one) for one in known if one.strip()}


def name_of(customer: Mapping[str, Any]) -> str:
    """How a customer is called: the company, else the person."""
    person = (customer.get(part) for part in ("first_name", "infix", "last_name"))
    return str(customer.get("company") or " ".join(part for part in person if part))


class Registry:
    """One environment as registry.state has it now."""

    def __init__(self, environment: int, states: Iterable[Json]) -> None:
        self.environment = environment
        self.settings: Json | None = None
        self.customers: dict[str, Json] = {}
        self.accounts: dict[str, Json] = {}
        for state in states:
            match state.get("type"):
                case "environment.state":
                    self.settings = state
                case "customer.state":
                    self.customers[state["customer_id"]] = state
                case "account.state":
                    self.accounts[state["account"]] = state

    @property
    def currency(self) -> str:
        """What its amounts are in."""
        return str((self.settings or {}).get("currency") or "EUR")

    @property
    def zone(self) -> ZoneInfo:
        """In which its days begin."""
        return ZoneInfo(str((self.settings or {}).get("time_zone") or "Europe/Amsterdam"))

    def tied_to(self, customer_id: str) -> list[tuple[Json, str]]:
        """The accounts of a customer, each with its role: holder or viewer."""
        return self._ties.get(customer_id, [])

    @cached_property
    def _ties(self) -> dict[str, list[tuple[Json, str]]]:
        """By customer, gathered once: a list of thousands asks for those of each."""
        found: dict[str, list[tuple[Json, str]]] = {}
        for account in sorted(self.accounts.values(), key=lambda one: str(one["account"])):
            holder = account.get("holder")
            if holder:
                found.setdefault(holder, []).append((account, "holder"))
            for viewer in dict.fromkeys(account.get("viewers", ())):
                if viewer != holder:
                    found.setdefault(viewer, []).append((account, "viewer"))
        return found

    def found(self, text: str) -> list[Json]:
        """The customers with all these words in a name, address, number, or account; by name.

        As where accounts are chosen: parts of its numbers, or words of what it is called, where 3
        is a number of its own. Else bedrijf 3, who is gone, would mean whoever of the name of
        bedrijf has a 3 in an account."""
        words = folded(text).split()
        hits = []
        for customer in self.customers.values():
            person = " ".join(str(customer.get(p) or "") for p in ("first_name", "last_name"))
            about = (str(customer.get(part) or "") for part in SEARCHED)
            tied = [account["account"] for account, _ in self.tied_to(customer["customer_id"])]
            numbers = folded(" ".join((*(str(customer.get(p) or "") for p in NUMBERS), *tied)))
            whole = folded(" ".join((name_of(customer), person, *about, *tied)))
            id_ = str(customer["customer_id"])
            others = [word for word in words if len(word) < PART_OF_ID or word not in id_]
            if _fits(others, numbers, whole):
                hits.append(customer)
        return sorted(hits, key=lambda one: (bool(one.get("erased")), folded(name_of(one))))

    def account(self, number: str) -> Json:
        """The account of this number; raises Misuse where there is none."""
        if number not in self.accounts:
            raise no_account(self.environment, number)
        return self.accounts[number]

    def customer(self, text: str) -> Json:
        """The one customer that is meant: by id, or by words that fit no other.

        Raises Misuse where that is nobody, or several.
        """
        if not text.strip():  # which would fit whoever is alone there
            raise Misuse("Say which customer: its id, or words of its name.")
        if UUID.fullmatch(text.strip().lower()):
            if (known := self.customers.get(text.strip().lower())) is not None:
                return known
            raise Misuse(
                f"Environment {self.environment} has no customer {text}; `onaccount customer find "
                f"{self.environment}` shows who there is."
            )
        found = self.found(text)
        called_so = [one for one in found if folded(name_of(one)) == folded(text)]
        if len(found) == 1 or len(called_so) == 1:
            return (called_so or found)[0]
        if not found:
            raise Misuse(
                f"Environment {self.environment} has no customer {text!r}; `onaccount customer "
                f"find {self.environment}` shows who there is."
            )
        named = [f"{name_of(one)} ({one['customer_id']})" for one in found[:MOST_NAMED]]
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        raise Misuse(
            f"{text!r} fits {len(found)} customers: {', '.join(named)}{more}; give an id, or more "
            "of the name."
        )

    def chosen(self, numbers: Sequence[str], *, everyone: bool, matching: str | None) -> list[str]:
        """The accounts that are meant: those named, all that are not closed, or those that fit.

        Raises Misuse unless exactly one way was taken, or where nothing fits.
        """
        if sum((bool(numbers), everyone, matching is not None)) != 1:
            raise Misuse("Name the accounts, or give --all, or --matching with words to look for.")
        if numbers:
            return list(dict.fromkeys(numbers))
        words = folded(matching or "").split()
        if matching is not None and not words:  # which would fit them all
            raise Misuse("--matching needs words to look for; all accounts are --all.")
        found = []
        for account in self.accounts.values():
            holder = self.customers.get(account.get("holder") or "", {})
            called = folded(f"{account['description']} {name_of(holder)}")
            number = str(account["account"])
            if account["status"] != "closed" and _fits(words, folded(number), called):
                found.append(number)
        if not found:
            raise Misuse(f"No open account of environment {self.environment} fits.")
        return sorted(found)


def _fits(words: Sequence[str], number: str, called: str) -> bool:
    """Whether an account or a customer is meant: by words of what it is called, where 12 is a
    number of its own and no part of 112, or by parts of its own number. Not by some of each:
    bedrijf 12 is not each bedrijf whose account has a 12 in it."""
    return all(word in number for word in words) or all(
        word == number
        or (re.search(rf"(?<!\d){word}(?!\d)", called) if word.isdecimal() else word in called)
        for word in words
    )


def not_there(environment: int) -> Misuse:
    """What is said of an environment that nobody began: a list of nothing would say it is empty."""
    begin = f"`onaccount env configure {environment} --name NAME` begins one"
    return Misuse(f"There is no environment {environment}; {begin}.")


def no_account(environment: int, number: str) -> Misuse:
    """What is said of an account that nobody opened."""
    shown = f"`onaccount account list {environment}` shows which it has"
    return Misuse(f"Environment {environment} has no account {number}; {shown}.")


async def settings_read(client: Client, environment: int) -> Registry:
    """As `settings_of`, of an environment that need not be there."""
    wanted = state_key("environment", environment, environment).encode()
    read = await client.read("registry.state", wanted=lambda record: record.key == wanted)
    return Registry(environment, newest(read).values())


async def settings_of(client: Client, environment: int) -> Registry:
    """As `registry_of`, without customers and accounts: in a large venue those take long."""
    registry = await settings_read(client, environment)
    if registry.settings is None:
        raise not_there(environment)
    return registry


async def account_read(client: Client, environment: int, number: str) -> Registry:
    """As `settings_of`, with this account; raises Misuse where there is no such account."""
    keys = {
        state_key(kind, environment, name).encode()
        for kind, name in (("environment", environment), ("account", number))
    }
    read = await client.read("registry.state", wanted=lambda record: record.key in keys)
    registry = Registry(environment, newest(read).values())
    if registry.settings is None:
        raise not_there(environment)
    registry.account(number)
    return registry


async def environments(client: Client) -> list[Json]:
    """All there are, as they stand."""
    states = await client.view(
        "registry.state", wanted=lambda record: (record.key or b"").startswith(b"environment:")
    )
    return [state for state in states.values() if state.get("type") == "environment.state"]


async def registry_of(client: Client, environment: int) -> Registry:
    """The environment's present state, read from registry.state; raises Misuse if there is none."""
    states = await client.view("registry.state", environment=environment)
    registry = Registry(environment, states.values())
    if registry.settings is None:
        raise not_there(environment)
    return registry
