"""Making a statement: once, kept, then answered or mailed."""

import json
from dataclasses import dataclass

from runtime.answers import answer
from runtime.jobs import JobKind, StepTx, Work
from schemas.commands import CommandRefused
from schemas.invoices import StatementRequest
from services.invoicer.handlers.documents import parts
from services.invoicer.rendering import Rendering
from services.invoicer.replies import EVENTS
from services.invoicer.statements.render import MEDIA_TYPES, render
from services.invoicer.store import documents, mails, registry, requests
from services.invoicer.store import statements as store
from services.invoicer.store.mails import NewMail


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """The job "statement": payload {request, recipients}."""

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
                    tx, environment, asked.account, asked.from_, asked.until, most_rows=most_rows
                )
            except store.TooLong:
                other = ", or for xlsx" if asked.format == "pdf" else ""
                most = f"More than {most_rows} lines; ask for a shorter period{other}."
                _refuse(tx, asked, "too_long", most)
                tx.done()
                return
        content = await self.rendering.call(render, statement, asked.format)
        file = documents.File(
            format=asked.format,
            file_name=f"{statement.file_stem}.{asked.format}",
            media_type=MEDIA_TYPES[asked.format],
            content=content,
        )
        async with work.step() as tx:
            await store.keep(tx, asked.environment, asked.statement_id, statement)
            await self._deliver(tx, asked, file, work.job.payload["recipients"])
            tx.done()

    async def _deliver(
        self, tx: StepTx, asked: StatementRequest, file: documents.File, recipients: list[str]
    ) -> None:
        number, name = asked.environment, asked.statement_id
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
        _refuse(tx, asked, "not_processed", "The statement could not be made.")

    def kind(self) -> JobKind:
        return JobKind(
            kind="statement",
            cleared=True,
            run=self.run,
            side_by_side=2,
            in_turns=True,
            on_poison=self.on_poison,
        )


def _refuse(tx: StepTx, asked: StatementRequest, reason: str, message: str) -> None:
    """Found too late to refuse in the first answer: said once, under the same id."""
    refusal = CommandRefused(
        command_id=asked.statement_id,
        environment=asked.environment,
        reason=reason,
        message=message,
    )
    key = str(asked.environment)
    name = f"command.refused/{key}/{asked.statement_id}/{reason}"
    tx.answer(answer(EVENTS, key, refusal, id=name, time=tx.now))
