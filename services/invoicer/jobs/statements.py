"""Making a statement: once, kept, then answered or mailed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from runtime.jobs import JobKind, StepTx, Work
from schemas.invoices import StatementRequest
from services.invoicer.documents.model import Language
from services.invoicer.handlers.documents import parts
from services.invoicer.names import made as made_id
from services.invoicer.rendering import Rendering
from services.invoicer.replies import Refusal, refused_late
from services.invoicer.statements.render import MEDIA_TYPES, render
from services.invoicer.store import documents, mails, registry, requests
from services.invoicer.store import statements as store
from services.invoicer.store.mails import NewMail


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """The job "statement": payload {request, recipients, languages?, instead?}. Of recipients that
    read another language than the first it is made in theirs too; what is too long for its format
    is made in the one `instead`."""

    rendering: Rendering

    async def run(self, work: Work) -> None:
        """Read, render, keep; answer, or hand to the mailer."""
        asked = StatementRequest.model_validate_json(json.dumps(work.job.payload["request"]))
        most_rows = store.MOST_ROWS[asked.format]
        async with work.step() as tx:
            environment = await registry.environment(tx, asked.environment)
            assert environment is not None  # the request saw it
            try:
                statement = await store.load(
                    tx,
                    environment,
                    asked.account,
                    asked.from_,
                    asked.until,
                    most_rows=most_rows,
                    private=asked.to in ("holder", "viewers"),
                )
            except store.TooLong:
                if instead := work.job.payload.get("instead"):
                    tx.save(_in_format(work.job.payload, instead))
                    return
                other = ", or for xlsx" if asked.format == "pdf" else ""
                most = f"More than {most_rows} lines; ask for a shorter period{other}."
                await _refuse(tx, asked, Refusal(reason="too_long", message=most))
                tx.done()
                return
        groups = _by_language(work.job.payload, statement.language)
        made = []
        for language, recipients in groups:
            its = replace(statement, language=language)
            content = await self.rendering.call(render, its, asked.format)
            file = documents.File(
                format=asked.format,
                file_name=f"{its.file_stem}.{asked.format}",
                media_type=MEDIA_TYPES[asked.format],
                content=content,
            )
            made.append((its, file, recipients))
        async with work.step() as tx:
            for place, (its, file, recipients) in enumerate(made):
                derived = _name_of(asked, its.language) if place else None
                await store.keep(
                    tx,
                    asked.environment,
                    derived or asked.statement_id,
                    its,
                    asked=asked.statement_id if derived else None,
                )
                await self._deliver(tx, asked, derived or asked.statement_id, file, recipients)
            tx.done()

    async def _deliver(
        self,
        tx: StepTx,
        asked: StatementRequest,
        name: str,
        file: documents.File,
        recipients: Sequence[str],
    ) -> None:
        number = asked.environment
        await documents.keep(tx, number, name, draft=False, files=[file])
        if not recipients:
            recalled = await requests.recall(tx, number, "statement", name)
            assert recalled is not None  # recorded together with this job
            tx.answer(*parts(number, name, file, recalled.asked_at))
            return
        cause = f"of {number}"  # an id is unique in its environment alone
        new = [NewMail(kind="statement", ref=name, recipient=to, cause=cause) for to in recipients]
        await mails.add(tx, number, new)
        for mail in new:
            await tx.add_job(
                "mail",
                f"{number}/{mail.mail_id}",
                {"environment": number, "mail_id": mail.mail_id},
            )

    async def on_poison(self, work: Work, tx: StepTx) -> None:
        """It can't be made: whoever asked hears so."""
        asked = StatementRequest.model_validate_json(json.dumps(work.job.payload["request"]))
        failed = Refusal(reason="not_processed", message="The statement could not be made.")
        await _refuse(tx, asked, failed)

    def kind(self) -> JobKind:
        return JobKind(
            kind="statement",
            cleared=True,
            run=self.run,
            side_by_side=2,
            in_turns=True,
            on_poison=self.on_poison,
        )


def _in_format(payload: Mapping[str, Any], other: str) -> dict[str, Any]:
    """The job's payload for a format that holds more; there is no third."""
    rest = {name: value for name, value in payload.items() if name != "instead"}
    return {**rest, "request": {**payload["request"], "format": other}}


def _name_of(asked: StatementRequest, language: str) -> str:
    """The id of a statement in another language than its request's own."""
    return made_id("statement", asked.environment, asked.statement_id, language)


def _by_language(
    payload: Mapping[str, Any], usual: Language
) -> Sequence[tuple[Language, Sequence[str]]]:
    """Who gets it, by the language that they read; of nobody one, which is answered."""
    recipients: Sequence[str] = payload["recipients"]
    reads: Mapping[str, Language] = payload.get("languages") or {}
    groups: dict[Language, list[str]] = {}
    for one in recipients:
        groups.setdefault(reads.get(one, usual), []).append(one)
    return list(groups.items()) or [(usual, ())]


async def _refuse(tx: StepTx, asked: StatementRequest, refusal: Refusal) -> None:
    """Found too late to refuse in the first answer: said under the same id, and remembered after it
    (what a run asked for itself, for viewers, has none)."""
    number, name = asked.environment, asked.statement_id
    refused = refused_late(tx, number, name, refusal)
    recalled = await requests.recall(tx, number, "statement", name)
    if recalled is not None:
        after = len(recalled.answers)
        await requests.add_answers(tx, number, "statement", name, [refused], after=after)
    tx.answer(refused)
