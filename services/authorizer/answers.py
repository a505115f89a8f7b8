"""The answers to tills, as they stand on the wire.

sale.approved is written by hand, since it is written for every sale: the bytes are those of
`encode(SaleApproved(...))`, in a fifth of the time (a test compares them). All others go the
common way.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import Final

from pydantic import TypeAdapter
from pydantic_core import to_json as _json

from runtime.answers import Answer
from schemas.malformed import Malformed
from schemas.pos import (
    DeclineReason,
    ReversalRefusal,
    Sale,
    SaleApproved,
    SaleCancelled,
    SaleDeclined,
    SaleLine,
    SaleReversalRefused,
    SaleReversed,
)
from schemas.values import account_key
from schemas.wire import encode
from services.authorizer.domain.explanations import explain
from services.authorizer.domain.reversals import Taken
from services.authorizer.domain.sales import Approved, Declined

TOPIC: Final = "pos.decisions"
APPROVED: Final = "sale.approved"
DECLINED: Final = "sale.declined"

_lines = TypeAdapter(tuple[SaleLine, ...]).serializer.to_json


@lru_cache(maxsize=8)
def _stamp(moment: datetime) -> str:
    """A moment as JSON that many answers share: that of a batch's decision."""
    return _json(moment).decode()


def approved(sale: Sale, decision: Approved, decided_at: datetime) -> Answer:
    """sale.approved. The rates of the sale's lines were judged."""
    environment, sale_id, account, at = sale.environment, sale.sale_id, sale.account, sale.at
    stamp = _json(at).decode()
    booked = stamp if decision.booked_at is at else _json(decision.booked_at).decode()
    limit, available = decision.limit, decision.available
    value = (
        f'{{"type":"sale.approved","sale_id":"{sale_id}","environment":{environment},'
        f'"terminal":{quoted(sale.terminal)},"account":{quoted(account)},'
        f'"at":{stamp},"booked_at":{booked},"decided_at":{_stamp(decided_at)},'
        f'"currency":"{sale.currency}","total":{sale.total},'
        f'"lines":{_lines(sale.lines, exclude_defaults=True).decode()},'
        f'"online":{"true" if decision.online else "false"},'
        f'"over_limit":{"true" if decision.over_limit else "false"},'
        f'"limit":{"null" if limit is None else limit},"used":{decision.used},'
        f'"available":{"null" if available is None else available}'
        + (',"clock_off":true}' if decision.clock_off else "}")
    )
    return Answer(
        TOPIC,
        f"{environment}:{account}",
        f"sale.approved/{environment}/{sale_id}",
        APPROVED,
        decided_at,
        value.encode(),
    )


def declined_id(environment: int, sale_id: str, *, recorded: bool) -> str:
    """The ce_id of the decline that an id stands for.

    A till that records a sale after it was declined may be told another reason: another event.
    """
    return f"{DECLINED}/{environment}/{sale_id}" + ("/recorded" if recorded else "")


def declined(
    sale: Sale,
    decision: Declined,
    decided_at: datetime,
    *,
    language: str,
    house_currency: str | None,
    id: str,
) -> Answer:
    """sale.declined, with its explanation."""
    message = SaleDeclined(
        sale_id=sale.sale_id,
        environment=sale.environment,
        terminal=sale.terminal,
        account=sale.account,
        at=sale.at,
        decided_at=decided_at,
        currency=sale.currency,
        total=sale.total,
        reason=decision.reason,
        explanation=explain(
            decision,
            language,
            currency=sale.currency,
            house_currency=house_currency or sale.currency,
            environment=sale.environment,
            account=sale.account,
            total=sale.total,
            valid_s=getattr(sale, "valid_s", None),
        ),
        field=decision.field,
        limit=decision.limit,
        used=decision.used,
        available=decision.available,
    )
    key = account_key(sale.environment, sale.account)
    return Answer(TOPIC, key, id, DECLINED, decided_at, encode(message))


def reversed_(
    wanted: SaleCancelled,
    taken: Taken,
    decided_at: datetime,
    *,
    currency: str,
    available: int | None,
) -> Answer:
    """sale.reversed."""
    message = SaleReversed(
        cancellation_id=wanted.cancellation_id,
        sale_id=wanted.sale_id,
        environment=wanted.environment,
        terminal=wanted.terminal,
        account=wanted.account,
        at=wanted.at,
        decided_at=decided_at,
        currency=currency,
        amount=taken.amount,
        lines=taken.lines,
        reason=wanted.reason,
        available=available,
    )
    return Answer(
        TOPIC,
        account_key(wanted.environment, wanted.account),
        cancellation_ce_id(message.type, wanted.environment, wanted.cancellation_id),
        message.type,
        decided_at,
        encode(message),
    )


def cancellation_ce_id(type: str, environment: int, cancellation_id: str) -> str:
    return f"{type}/{environment}/{cancellation_id}"


def reversal_refused(
    wanted: SaleCancelled,
    reason: ReversalRefusal,
    decided_at: datetime,
    *,
    field: str | None = None,
    suffix: str = "",
) -> Answer:
    """sale.reversal_refused. `suffix` tells it from the answer that the id stands for."""
    message = SaleReversalRefused(
        cancellation_id=wanted.cancellation_id,
        sale_id=wanted.sale_id,
        environment=wanted.environment,
        terminal=wanted.terminal,
        account=wanted.account,
        at=wanted.at,
        decided_at=decided_at,
        reason=reason,
        field=field,
    )
    return Answer(
        TOPIC,
        account_key(wanted.environment, wanted.account),
        cancellation_ce_id(message.type, wanted.environment, wanted.cancellation_id) + suffix,
        message.type,
        decided_at,
        encode(message),
    )


def unreadable(given: Malformed, decided_at: datetime, *, language: str, suffix: str) -> Answer:
    """The answer to a sale or a cancellation that is wrong in itself, with what could be read."""
    known = {**given.ids, **given.fields, "decided_at": decided_at, "field": given.field}
    message: SaleDeclined | SaleReversalRefused
    if given.answered_by == DECLINED:
        reason = DeclineReason.INVALID_MESSAGE
        sentence = explain(Declined(reason, given.field), language, says=given.message)
        name = "sale_id"
        message = SaleDeclined.model_validate(
            {**known, "reason": reason, "explanation": sentence, "type": DECLINED}
        )
    else:
        name = "cancellation_id"
        message = SaleReversalRefused.model_validate(
            {**known, "reason": ReversalRefusal.INVALID_MESSAGE}
        )
    environment = int(given.ids["environment"])
    return Answer(
        TOPIC,
        account_key(environment, str(given.ids.get("account", ""))),
        f"{message.type}/{environment}/{given.ids[name]}{suffix}",
        message.type,
        decided_at,
        encode(message),
    )


def lines_of(answer: bytes) -> Sequence[SaleLine]:
    """The lines of an approved sale, out of its remembered answer."""
    return SaleApproved.model_validate_json(answer).lines


def booked_at_of(answer: bytes) -> datetime:
    """When an approved sale counts as made, out of its remembered answer."""
    return SaleApproved.model_validate_json(answer).booked_at
