"""The report of a run, out of rows."""

from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from runtime.transaction import Tx
from schemas.billing import RunCompleted
from services.invoicer import parties
from services.invoicer.documents.report import (
    Counted,
    ReportedDocument,
    RunReport,
    Skipped,
    StillOpen,
)
from services.invoicer.store import registry, requests, runs
from services.invoicer.store.invoices import vat_from
from services.invoicer.vat import VatRow

_completed = TypeAdapter(RunCompleted)


async def run_report(tx: Tx, environment: int, run_id: str) -> RunReport | None:
    """What finance gets to know of a completed run."""
    state = await registry.environment(tx, environment)
    asked = await runs.find(tx, environment, run_id)
    recalled = await requests.recall(tx, environment, "run", run_id)
    if state is None or asked is None or recalled is None or not recalled.answers:
        return None
    said = _completed.validate_json(recalled.answers[0].value)
    ended_at = asked.ended_at or tx.now
    concerned = {s.account for s in said.skipped} | {o.account for o in said.open}
    names = await _names(tx, environment, concerned)
    skipped, notes_sent = await runs.counted(tx, environment, run_id)
    return RunReport(
        run_id=run_id,
        seller=parties.seller(state),
        language=state.language,
        period=said.period,
        currency=state.currency,
        completed_on=ended_at.astimezone(ZoneInfo(state.time_zone)).date(),
        documents=tuple([_document(dict(r)) for r in await runs.made(tx, environment, run_id)]),
        skipped=tuple(
            Skipped(account=s.account, reason=s.reason, name=names.get(s.account, ""))
            for s in said.skipped
        ),
        open=tuple(
            StillOpen(account=o.account, amount=o.amount, why=o.why, name=names.get(o.account, ""))
            for o in said.open
        ),
        vat=tuple(VatRow(rate=v.rate, base=v.base, vat=v.vat, gross=v.gross) for v in said.vat),
        total=said.total,
        counted=Counted(
            drafted=said.drafted,
            issued=said.issued,
            notes=said.credit_notes or 0,
            credited=said.credited or 0,
            sent=said.sent + notes_sent,
            skipped=skipped,
        ),
    )


async def _names(tx: Tx, environment: int, accounts: set[str]) -> dict[str, str]:
    """Whom to look for where an account got no invoice: its holder, else what it is called."""
    holdings = await registry.holdings(tx, environment, sorted(accounts))
    return {
        account: (parties.buyer(one.holder).shown_name if one.holder else "") or one.description
        for account, one in holdings.items()
    }


def _document(row: dict[str, object]) -> ReportedDocument:
    buyer = parties.buyer_from(str(row["buyer"]))
    vat = vat_from(str(row["vat"]))
    mailed_to = str(row["mailed_to"] or "")
    unmailed = ""
    issued = row["number"] is not None  # a draft is mailed when it is approved
    if issued and row["send"] and not mailed_to:
        unmailed = "fictitious_address" if buyer.email else "no_address"
    return ReportedDocument(
        kind="invoice" if row["kind"] == "invoice" else "credit_note",
        number=None if row["number"] is None else str(row["number"]),
        account=str(row["account"]),
        name=buyer.shown_name,
        period=str(row["period"]),
        net=sum(r.base for r in vat),
        vat=sum(r.vat for r in vat),
        total=sum(r.gross for r in vat),
        mailed_to=mailed_to,
        unmailed=unmailed,
    )
