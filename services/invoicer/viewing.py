"""Statements for an account's viewers, with each run that mails invoices, where the venue wants
them (`viewer_statements`): when it issues, or when its draft is approved."""

from collections.abc import Iterable
from datetime import date

from runtime.transaction import Tx
from schemas.invoices import StatementRequest
from schemas.registry import EnvironmentState
from services.invoicer import parties
from services.invoicer.domain import following
from services.invoicer.names import made
from services.invoicer.store import registry


async def send_statements(
    tx: Tx, environment: EnvironmentState, run_id: str, period: str, accounts: Iterable[str]
) -> None:
    """Record a statement over a month for each of these accounts that has viewers.

    Its id is made from the run, the account and the month: a step that is taken again, or several
    drafts of one account, make it once. Nobody asked for it who could ask again, so one that is too
    long for paper is a workbook.
    """
    if not environment.viewer_statements:
        return
    number = environment.environment
    for account in sorted(set(accounts)):
        viewers = await registry.viewers(tx, number, account)
        languages = parties.readers(viewers, environment)
        if not languages:
            continue
        request = StatementRequest(
            statement_id=made("statement", number, run_id, account, period),
            environment=number,
            account=account,
            from_=_first_of(period),
            until=_first_of(following(period)),
            format="pdf",
            to="viewers",
            by="run",
        )
        await tx.add_job(
            "statement",
            f"{number}/{request.statement_id}",
            {
                "request": request.model_dump(mode="json", by_alias=True),
                "recipients": list(languages),
                "languages": languages,
                "instead": "xlsx",
            },
        )


def _first_of(period: str) -> date:
    return date.fromisoformat(f"{period}-01")
