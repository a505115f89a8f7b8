"""Mails out of rows: which documents they carry, which words."""

from collections.abc import Callable

from runtime.transaction import Tx
from schemas.registry import EnvironmentState
from services.invoicer import parties
from services.invoicer.documents.mail import attachments, compose_copy
from services.invoicer.documents.mail import compose as compose_document
from services.invoicer.documents.mime import Attachment, Composed, Envelope, can_stand
from services.invoicer.documents.report import compose_run_report
from services.invoicer.fresh import Fresh, Made
from services.invoicer.reports import run_report
from services.invoicer.statements.mail import Reader, compose_statement
from services.invoicer.store import documents, registry, statements
from services.invoicer.store.mails import Mail

Make = Callable[[], Composed]


async def compose(
    tx: Tx, environment: int, state: EnvironmentState | None, mail: Mail, sender: str, fresh: Fresh
) -> Make | None:
    """How to make a mail, to be called outside the transaction; None: its document is not there."""
    envelope = Envelope(
        mail_id=mail.mail_id,
        sender=sender,
        to=mail.recipient,
        reply_to=None if state is None else _answers_to(state),
        at=mail.created_at,
    )
    if mail.kind == "report":
        report = await run_report(tx, environment, mail.ref)
        return None if report is None else lambda: compose_run_report(report, envelope)
    if mail.kind == "statement":
        return await _statement(tx, environment, mail, envelope)
    made = fresh.get(environment, mail.ref) or await _read(tx, environment, mail)
    if made is None:
        return None
    document, files = made.document, made.files

    def make() -> Composed:
        attached = attachments(
            document,
            pdf=files["pdf"].content,
            specification=files["xlsx"].content,
            ubl=files["ubl"].content,
        )
        if mail.copy:  # finance sees at once that nobody asks it to pay
            language = state.language if state else document.language
            return compose_copy(document, envelope, attached, language)
        return compose_document(document, envelope, attached, left=mail.open)

    return make


def _answers_to(state: EnvironmentState) -> str | None:
    """Where guests' answers go. An address that can't stand in a mail keeps no mail back."""
    given = (state.reply_to, state.finance_email)
    return next((one for one in given if one and can_stand(one)), None)


async def _read(tx: Tx, environment: int, mail: Mail) -> Made | None:
    files = await documents.files(tx, environment, mail.ref)
    if len(files) < 3:
        return None
    document = await documents.load(tx, environment, mail.kind, mail.ref, lines=False)
    return Made(document=document, files=files)


async def _statement(tx: Tx, environment: int, mail: Mail, envelope: Envelope) -> Make | None:
    found = await statements.made(tx, environment, mail.ref)
    if found is None:
        return None
    statement, file = found
    attached = Attachment(name=file.file_name, media_type=file.media_type, content=file.content)
    reader = await _reader(tx, environment, statement.account, mail.recipient)
    return lambda: compose_statement(statement, envelope, attached, reader)


async def _reader(tx: Tx, environment: int, account: str | None, address: str) -> Reader:
    """Who has this address: the account's holder, one of its viewers, or anybody."""
    if account is None:
        return Reader()
    holding = (await registry.holdings(tx, environment, [account])).get(account)
    holder = None if holding is None else holding.holder
    people = await registry.viewers(tx, environment, account)
    for one in (*([holder] if holder else ()), *people):
        if one.email and not one.erased and one.email.casefold() == address.casefold():
            return Reader(
                name=parties.full_name(one) or one.company or "", viewer=one is not holder
            )
    return Reader()
