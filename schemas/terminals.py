"""What a till asks about accounts and is told (topics pos.terminals and pos.directories)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.base import Message, Part
from schemas.values import (
    Account,
    Count,
    Environment,
    Terminal,
    Text,
    TillTime,
    Uuid,
    Word,
    entries,
)

MAX_ACCOUNTS_A_PAGE = 500

DirectoryRefusal = Literal["environment_unknown", "gdpr_not_accepted", "module_inactive"]
"""Why nothing stands behind a till's on-account button."""

SearchRefusal = Literal[
    "environment_unknown", "gdpr_not_accepted", "module_inactive", "search_id_reused"
]
"""Why a search finds nothing."""


class TerminalSignedOn(Message):
    """Somebody signed on at a till: which accounts may it show?"""

    answer_ids: ClassVar[tuple[str, ...]] = ("session_id", "environment", "terminal")

    type: Literal["terminal.signed_on"] = "terminal.signed_on"
    session_id: Uuid
    environment: Environment
    terminal: Terminal
    at: TillTime


class TerminalSearched(Message):
    """Somebody looks for an account that the overview does not show."""

    answer_ids: ClassVar[tuple[str, ...]] = ("search_id", "environment", "terminal")

    type: Literal["terminal.searched"] = "terminal.searched"
    search_id: Uuid
    environment: Environment
    terminal: Terminal
    query: Text


class DirectoryAccount(Part):
    """One account as a till shows it. `name` is the holder's, else the description."""

    account: Account
    name: Text
    description: Text


class FoundAccount(DirectoryAccount):
    """An account that was searched for; `reason` says why it can't be charged."""

    chargeable: bool
    reason: Word | None = None


class DirectoryPage(Message):
    """One page of what stands behind the button; pages count from 1 and there is at least one."""

    type: Literal["directory.page"] = "directory.page"
    session_id: Uuid
    environment: Environment
    terminal: Terminal
    page: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    pages: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    version: Count
    accounts: Annotated[tuple[DirectoryAccount, ...], entries(MAX_ACCOUNTS_A_PAGE)]
    reason: DirectoryRefusal | None = None


class DirectoryFound(Message):
    """The accounts that a search found; `more`: there are others, which more words would find."""

    type: Literal["directory.found"] = "directory.found"
    search_id: Uuid
    environment: Environment
    terminal: Terminal
    accounts: Annotated[tuple[FoundAccount, ...], entries(MAX_ACCOUNTS_A_PAGE)]
    reason: SearchRefusal | None = None
    more: bool | None = None
