"""Whether a run can be carried out, and a number be given at all: said before the first one is."""

from zoneinfo import ZoneInfo

from runtime.transaction import Tx
from schemas.numbering import in_common, writes_numbers
from schemas.registry import EnvironmentState
from services.invoicer import euros, issuing
from services.invoicer.domain import month_of
from services.invoicer.replies import Refusal
from services.invoicer.schedule import is_scheduled
from services.invoicer.store import register
from services.invoicer.store.runs import Run

UNKNOWN = Refusal(
    reason="environment_unknown", field="environment", message="This environment is not known."
)


def refuses(environment: EnvironmentState | None, asked: Run) -> Refusal | None:
    """Why not, None where it can. The running month is the venue's, when it was asked."""
    if environment is None:
        return UNKNOWN
    this_month = month_of(asked.asked_at, ZoneInfo(environment.time_zone))
    if asked.period > this_month:
        return Refusal(
            reason="period_in_future",
            field="period",
            message=f"The period {asked.period} has not begun; the running month is {this_month}.",
        )
    if asked.period == this_month and is_scheduled(asked.run_id):
        return Refusal(
            reason="period_not_over",
            field="period",
            message=f"A scheduled run waits for the end of its period {asked.period}.",
        )
    return None


async def unready(tx: Tx, environment: EnvironmentState) -> Refusal | None:
    """What a lawful invoice needs and the environment lacks, and numbers that would be given twice.

    Asked before anything is numbered, so that no run stops half-way.
    """
    lacking = issuing.missing(environment)
    if lacking:
        return Refusal(
            reason="environment_incomplete",
            field=lacking[0],
            message=f"The environment lacks {', '.join(lacking)}: no lawful invoice can be made.",
        )
    if euros.are_due(environment):
        today = tx.now.astimezone(ZoneInfo(environment.time_zone)).date()
        if await euros.rate_on(tx, environment, today) is None:
            return Refusal(
                reason="exchange_rate_missing",
                field="currency",
                message=f"A Dutch invoice in {environment.currency} says its VAT in euros too; set "
                "the rate with exchange_rate.set (`onaccount invoices rate`).",
            )
    return await _numbers(tx, environment)


async def _numbers(tx: Tx, environment: EnvironmentState) -> Refusal | None:
    """What is wrong with the formats of numbers; None: nothing."""
    invoices, notes = environment.number_format, environment.credit_note_format
    for field, format_ in (("number_format", invoices), ("credit_note_format", notes)):
        if not writes_numbers(format_):
            return Refusal(
                reason="number_format_invalid",
                field=field,
                message=f"{field} must not begin or end with a blank; configure it without.",
            )
    met = None if invoices == notes else in_common(invoices, notes)
    if met is not None:
        return Refusal(
            reason="number_formats_meet",
            field="credit_note_format",
            message=f"Invoices and credit notes could both get a number like {met}; configure "
            "formats that never meet, or the same text for one series.",
        )
    found = await register.ahead(tx, environment)
    if found is None:
        return None
    kind, number = found
    return Refusal(
        reason="number_taken",
        field="number_format" if kind == "invoice" else "credit_note_format",
        message=f"{number} was given before, and the present format would write it again; "
        "configure one that never does.",
    )


async def unready_by_now(
    tx: Tx, environment: EnvironmentState, asked: Run, ready: int | None
) -> str | None:
    """The reason why a run under way can give no number any more; None where it can.

    `ready` is the version of the environment that it was asked of last: it is asked again only
    where that has changed. What has a number stands; the accounts that are left get this reason.
    """
    if asked.mode != "issue" or ready == environment.version:
        return None
    refusal = await unready(tx, environment)
    return None if refusal is None else refusal.reason
