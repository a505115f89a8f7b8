"""What takes an import back: of each thing that it made or changed, what is done and what stays.

Accounts that nobody used are closed, customers that nobody uses are erased, and a field goes back
to what it was where it still is what the import made of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from services.importer.domain.fields import called
from services.importer.domain.messages import Tongue, say
from services.importer.domain.result_sentences import RESULTS
from services.importer.domain.undo_sentences import UNDO

Kind = Literal["account", "link", "customer"]
Act = Literal["close", "restore", "probe", "unlink", "erase", "keep"]

KINDS: Final[tuple[Kind, ...]] = ("account", "link", "customer")
"""In this order: a customer is erased once its accounts are closed and its links are cut."""

NEVER_NULL: Final = frozenset({"status", "on_account", "in_overview"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A customer or an account that an import made or changed, or the link between two that it
    found (`id` is the account's).

    `given` are the fields as the import left them, `before` as they had been (nothing for what
    it made). `holder` is the customer whom it made the holder of the account.
    """

    kind: Kind
    id: str
    made: bool
    given: Mapping[str, Any]
    before: Mapping[str, Any]
    holder: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A thing as the registry has it now: an account with its holder, or a customer."""

    fields: Mapping[str, Any]
    holder: str | None = None
    erased: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is done about a thing: a registry command (`type` with its `body`), or nothing.

    `kept` says what stays of it and why; empty where all of it goes.
    """

    act: Act
    type: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    kept: str = ""


def undo_account(touched: Touched, now: Standing | None, tongue: Tongue) -> tuple[Step, ...]:
    """Close the account or put it back. `now` None: it is not known any more (or not yet)."""
    if now is None:
        return ()
    if touched.made:
        return _close(touched, now, tongue)
    back, kept = _back(touched, now, tongue)
    if back:
        body = {"accounts": [touched.id], **back}
        return (Step(act="restore", type="account.change", body=body, kept=kept),)
    return (Step(act="restore", kept=kept),) if kept else ()


def undo_link(touched: Touched, now: Standing | None, tongue: Tongue) -> tuple[Step, ...]:
    """Take the holder from an account again, unless it was bought on.

    That is asked with a change of nothing first: an amount that is not invoiced needs its buyer.
    """
    if now is None or now.holder is None:
        return ()
    if now.holder != touched.holder:
        return (Step(act="keep", kept=say(UNDO["other_holder"], tongue)),)
    probe = {"accounts": [touched.id], "only_if_unused": True}
    link = {"account": touched.id, "customer_id": touched.holder, "role": "holder"}
    return (
        Step(act="probe", type="account.change", body=probe),
        Step(act="unlink", type="account.unlink", body=link),
    )


def _close(touched: Touched, now: Standing, tongue: Tongue) -> tuple[Step, ...]:
    if now.fields.get("status") == "closed":
        return ()
    if now.holder is not None and now.holder != touched.holder:
        return (Step(act="keep", kept=say(UNDO["other_holder"], tongue)),)
    # Whether it was bought on the registry alone knows, at the moment when it is asked.
    body = {"accounts": [touched.id], "status": "closed", "only_if_unused": True}
    return (Step(act="close", type="account.change", body=body),)


def undo_customer(
    touched: Touched, now: Standing | None, in_use: Sequence[str], tongue: Tongue
) -> tuple[Step, ...]:
    """Erase the customer or put it back. `in_use`: the accounts that it holds or looks at, but
    those that this undo closed."""
    if now is None or now.erased:
        return ()
    if not touched.made:
        back, kept = _back(touched, now, tongue)
        if back:
            body = {"customer_id": touched.id, **back}
            return (Step(act="restore", type="customer.change", body=body, kept=kept),)
        return (Step(act="restore", kept=kept),) if kept else ()
    if in_use:
        numbers = ", ".join(in_use[:5]) + (" ..." if len(in_use) > 5 else "")
        held = say(RESULTS["account" if len(in_use) == 1 else "accounts"], tongue, value=numbers)
        return (Step(act="keep", kept=say(UNDO["in_use"], tongue, value=held)),)
    # That an address is fictitious the registry adds by itself.
    told = {*touched.given, *(now.fields.keys() - {"email_fictitious"})}
    if changed := [name for name in sorted(told) if not _same(name, touched, now)]:
        why = say(UNDO["changed_since"], tongue, value=_listed(changed, tongue))
        return (Step(act="keep", kept=why),)
    return (Step(act="erase", type="customer.erase", body={"customer_id": touched.id}),)


def _back(touched: Touched, now: Standing, tongue: Tongue) -> tuple[dict[str, Any], str]:
    """The fields that go back, and why the others do not. A command repeats what a row says, also
    what it found so already."""
    given = [name for name, value in touched.given.items() if value != touched.before.get(name)]
    unchanged = [name for name in given if _same(name, touched, now)]
    since = sorted(set(given) - set(unchanged))
    back = {
        name: touched.before.get(name)
        for name in unchanged
        if not (name in NEVER_NULL and touched.before.get(name) is None)
    }
    return back, say(UNDO["changed_since"], tongue, value=_listed(since, tongue)) if since else ""


def _listed(names: Sequence[str], tongue: Tongue) -> str:
    return ", ".join(called(name, tongue) for name in names)


def _same(name: str, touched: Touched, now: Standing) -> bool:
    given, stands = touched.given.get(name), now.fields.get(name)
    if name == "limit":  # none is not nothing: null is no limit, and 0 is one
        return bool(given == stands)
    return (given or None) == (stands or None)


def left(reason: str | None, message: str | None, tongue: Tongue) -> str:
    """Why something stays that the registry refused to take back."""
    sentence = UNDO.get(reason or "")
    return say(sentence, tongue) if sentence else say(UNDO["refused"], tongue, value=message or "")
