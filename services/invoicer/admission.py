"""Whether a run can be carried out: pure, said before the first number is given."""

from zoneinfo import ZoneInfo

from schemas.registry import EnvironmentState
from services.invoicer import issuing
from services.invoicer.domain import month_of
from services.invoicer.replies import Refusal
from services.invoicer.schedule import is_scheduled
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
    lacking = issuing.missing(environment) if asked.mode == "issue" else ()
    if lacking:
        return Refusal(
            reason="environment_incomplete",
            field=lacking[0],
            message=f"The environment lacks {', '.join(lacking)}: no lawful invoice can be made.",
        )
    return None
