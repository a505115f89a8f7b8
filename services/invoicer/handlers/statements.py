"""statement.request: what happened on an account, or on all, in a period; answered or mailed.

The request records a job, to be taken up once every sale that was there when it was asked has
been seen. Answered by command.applied, and by document.part, statement.sent or
statement.undeliverable when it is made.
"""

from zoneinfo import ZoneInfo

from runtime.transaction import Tx
from schemas.invoices import StatementRequest
from schemas.registry import CustomerState, EnvironmentState
from services.invoicer import parties
from services.invoicer.admission import UNKNOWN
from services.invoicer.documents.model import Language
from services.invoicer.replies import Done, Refusal, change
from services.invoicer.statements.model import moments
from services.invoicer.store import registry
from services.invoicer.store.registry import Holding


async def request(asked: StatementRequest, tx: Tx) -> Done | Refusal:
    """Find out who is to get it; the job does the rest."""
    number = asked.environment
    environment = await registry.environment(tx, number)
    if environment is None:
        return UNKNOWN
    begin, end = moments(asked.from_, asked.until, ZoneInfo(environment.time_zone))
    # Of one zone Python compares what clocks show, and in the hour that comes twice they go back.
    if end.timestamp() <= begin.timestamp():
        return Refusal(reason="invalid", field="until", message="until must be later than from")
    holding: Holding | None = None
    if asked.account is not None:
        holding = (await registry.holdings(tx, number, [asked.account])).get(asked.account)
        if holding is None:
            return Refusal(
                reason="account_unknown",
                field="account",
                message="There is no such account here.",
            )
    recipients = await _recipients(asked, holding, environment, tx)
    if isinstance(recipients, Refusal):
        return recipients
    await tx.add_job(
        "statement",
        f"{number}/{asked.statement_id}",
        {
            "request": asked.model_dump(mode="json", by_alias=True),
            "recipients": list(recipients),
            "languages": recipients,
        },
        barrier=tx.ends,
    )
    return Done(changes=(change(asked.statement_id, "created", "statement"),))


async def _recipients(
    asked: StatementRequest, holding: Holding | None, environment: EnvironmentState, tx: Tx
) -> dict[str, Language] | Refusal:
    """Each address with its language."""
    if asked.to is None:
        return {}
    if asked.to not in ("holder", "viewers"):
        holder = None if holding is None else holding.holder
        return {asked.to: parties.language(holder, environment)}
    if holding is None:
        return Refusal(
            reason="account_required",
            field="account",
            message="A statement of all accounts goes to an address, not to holders or viewers.",
        )
    people: list[CustomerState] = []
    if asked.to == "viewers":
        people = await registry.viewers(tx, asked.environment, holding.account)
    elif holding.holder is not None:
        people = [holding.holder]
    if found := parties.readers(people, environment):
        return found
    reason = parties.mail_address(people[0])[1] if people else "no_address"
    return Refusal(reason=reason, field="to", message="There is nobody with an address to mail to.")
