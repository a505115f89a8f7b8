"""The content of a message, as a digest: what "the same id with the same content" rests on.

Content is all fields of the contract but type, at, by, terminal, operator and note. Two things
are decided here and can never be taken back, since digests are kept for ever:

- sale.requested and sale.recorded have one content, for a record of a sale under the id and
  content of a request *is* that sale. Therefore `valid_s`, which a record does not have, is left
  out: otherwise each recorded sale whose request had it would be refused as another one.
- For everything else the type counts (the contract leaves it out for the sake of sales):
  environment.deactivate under the id of an environment.activate is no repetition of it.

The lists below are version 1. A field that is added to the contract is appended to them, and does
not show in the digest where it is absent; so old digests stay true. Texts count as written: a
quantity "1.0" is not "1".
"""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final

from schemas.base import Message, Part
from schemas.pos import Sale, SaleCancelled, SaleRecorded, SaleRequested
from schemas.steps import RegistryApply

_UNIT = "\x1f"
_LINE = "\x1e"
_NONE = "\x00"  # no text of a message may hold any of the three

_COMMAND = ("command_id", "environment")
_SETTINGS = (
    "name", "legal_name", "street", "postcode", "city", "country", "vat_number",
    "chamber_number", "iban", "currency", "time_zone", "language", "finance_email",
    "finance_copy", "reply_to", "payment_days", "limit_release", "number_format",
    "credit_note_format", "default_limit", "default_on_account", "default_in_overview",
    "schedule", "import_enabled", "viewer_statements", "logo", "colour",
)  # fmt: skip
_CUSTOMER = (
    "customer_id", "first_name", "infix", "last_name", "company", "email", "email_fictitious",
    "street", "postcode", "city", "country", "vat_number", "chamber_number", "peppol_id",
    "language",
)  # fmt: skip
_ACCOUNT = ("description", "status", "limit", "on_account", "in_overview")
_LINK = (*_COMMAND, "account", "customer_id", "role")
_INVOICE = (*_COMMAND, "invoice_id")

CONTENT_V1: Final[dict[str, tuple[str, ...]]] = {
    "terminal.signed_on": ("session_id", "environment"),
    "terminal.searched": ("search_id", "environment", "query"),
    "environment.configure": (*_COMMAND, *_SETTINGS),
    "environment.accept_gdpr": (*_COMMAND, "accepted_by", "document"),
    "environment.activate": _COMMAND,
    "environment.deactivate": _COMMAND,
    "customer.register": (*_COMMAND, *_CUSTOMER),
    "customer.change": (*_COMMAND, *_CUSTOMER),
    "customer.erase": (*_COMMAND, "customer_id"),
    "account.open": (*_COMMAND, "account", *_ACCOUNT, "holder"),
    "account.change": (*_COMMAND, "accounts", *_ACCOUNT, "raise_limit_by", "only_if_unused"),
    "account.link": _LINK,
    "account.unlink": _LINK,
    "registry.republish": _COMMAND,
    "registry.apply": (*_COMMAND, "steps"),
    "unbooked.dismiss": (*_COMMAND, "sale_id", "content"),
    "import.uploaded": (
        "job_id", "environment", "file_name", "sha256", "part", "parts", "content", "mode",
        "sheet", "mapping", "defaults",
    ),
    "import.confirmed": ("job_id", "environment"),
    "import.cancelled": ("job_id", "environment"),
    "import.undo": ("job_id", "environment"),
    "invoices.run": ("run_id", "environment", "period", "accounts", "mode", "send"),
    "invoices.republish": _COMMAND,
    "invoice.approve": _INVOICE,
    "invoice.send": (*_INVOICE, "to", "credit_note_id"),
    "invoice.delete": _INVOICE,
    "invoice.correct": (*_INVOICE, "reason", "exclude_sales", "account"),
    "exchange_rate.set": (*_COMMAND, "currency", "rate", "from"),
    "payment.record": ("payment_id", "environment", "invoice_id", "number", "amount", "method"),
    "payment.refund": (
        "refund_id", "environment", "invoice_id", "number", "amount", "method", "reverses",
    ),
    "statement.request": (
        "statement_id", "environment", "account", "from", "until", "format", "to",
    ),
    "pending.request": ("request_id", "environment", "account", "sale_id", "mails"),
    "document.request": ("request_id", "environment", "invoice_id", "credit_note_id", "format"),
}  # fmt: skip
"""The content of every message that somebody asks something with, but for sales."""

NULL_COUNTS: Final[dict[str, frozenset[str]]] = {
    "environment.configure": frozenset(_SETTINGS),
    "customer.change": frozenset(_CUSTOMER),
    "account.change": frozenset(_ACCOUNT),
    "account.open": frozenset({"limit"}),
}
"""Where null is something else than absent. Elsewhere both are the same content."""


def digest(message: Message) -> bytes:
    """The SHA-256 of a message's content, 32 bytes; equal for equal content, in every version.

    Takes what is asked of a service (sale.*, terminal.*, commands, uploads, requests). Raises
    KeyError for what a service says itself: nobody repeats that with other content.
    """
    if type(message) is SaleRequested or type(message) is SaleRecorded:
        return sha256(_sale(message).encode()).digest()
    if isinstance(message, SaleCancelled):
        return sha256(_cancellation(message).encode()).digest()
    if type(message) is RegistryApply:
        return sha256(_steps(message).encode()).digest()
    return sha256(canonical(message).encode()).digest()


def _sale(sale: Sale) -> str:
    head = (
        f"1:sale\x1f{sale.sale_id}\x1f{sale.environment}\x1f{sale.account}\x1f{sale.currency}"
        f"\x1f{sale.total}"
    )
    lines = "".join(
        [
            f"\x1e{line.description}\x1f{_NONE if line.product is None else line.product}"
            f"\x1f{line.quantity}\x1f{line.unit_price}\x1f{line.vat_rate}\x1f{line.total}"
            for line in sale.lines
        ]
    )
    if type(sale) is SaleRecorded:
        for name, value in (
            ("moved_from", sale.moved_from),
            ("moved_content", sale.moved_content),
        ):
            if value is not None:
                lines += f"\x1e\x1e{name}\x1f{value}"
    return head + lines


def _cancellation(given: SaleCancelled) -> str:
    parts = [
        "1:sale.cancelled", given.cancellation_id, given.sale_id, given.environment,
        given.account, given.reason, given.amount,
    ]  # fmt: skip
    head = _UNIT.join(_NONE if part is None else str(part) for part in parts)
    if given.lines is None:
        return head
    lines = (
        (line.description, line.product, line.quantity, line.unit_price, line.vat_rate, line.total)
        for line in given.lines
    )
    return head + "".join(
        _LINE + _UNIT.join(_NONE if part is None else str(part) for part in line) for line in lines
    )


def canonical(message: Message) -> str:
    """The text under the digest of a command, an upload or a request: JSON with sorted keys."""
    kind: str = message.type
    fields = CONTENT_V1[kind]
    nulls = NULL_COUNTS.get(kind, frozenset())
    given = message.model_dump(mode="json", exclude_unset=True, by_alias=True)
    defaults = {
        info.alias or name: info.default for name, info in type(message).model_fields.items()
    }
    content = {
        name: given[name]
        for name in fields
        if name in given
        and (name in nulls if given[name] is None else given[name] != defaults[name])
    }
    return "1:" + kind + json.dumps(content, sort_keys=True, separators=(",", ":"))


def _steps(given: RegistryApply) -> str:
    """`canonical`, by hand as an import has two steps a row; a test compares the two."""
    steps = ",".join(map(_step, given.steps))
    return (
        f'1:registry.apply{{"command_id":{quoted(given.command_id)},'
        f'"environment":{given.environment},"steps":[{steps}]}}'
    )


def _step(step: Part) -> str:
    given, values = step.__pydantic_fields_set__, step.__dict__
    parts = [
        name + (quoted(value) if type(value := values[field]) is str else _plain(value))
        for field, name in _names(type(step))
        if field in given
    ]
    return "{" + ",".join(parts) + "}"


@cache
def _names(step: type[Part]) -> tuple[tuple[str, str], ...]:
    """A step's fields, sorted; none has an alias."""
    return tuple((name, f"{quoted(name)}:") for name in sorted(step.model_fields))


def _plain(value: Any) -> str:
    return str(value) if type(value) is int else json.dumps(value, separators=(",", ":"))
