"""The mail that brings a statement."""

from dataclasses import dataclass
from datetime import timedelta

from services.invoicer.documents.mail import assemble
from services.invoicer.documents.mime import Attachment, Composed, Envelope
from services.invoicer.documents.text import clean, money, month
from services.invoicer.statements.model import Cover
from services.invoicer.statements.page import period
from services.invoicer.statements.words import WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who gets the mail: by name, where the account's holder or one of its viewers; `viewer` gets
    to see what is another's."""

    name: str = ""
    viewer: bool = False


def compose_statement(
    statement: Cover, envelope: Envelope, attached: Attachment, reader: Reader
) -> Composed:
    """Raises BadAddressError as `documents.mail.compose` does."""
    words, language = WORDS[statement.language], statement.language
    amount = money(statement.total, statement.currency, language)
    fill = {
        "venue": clean(statement.seller.shown_name),
        "period": _month(statement) or period(statement),
        "account": clean(statement.account or ""),
        "holder": clean(statement.holder),
    }
    name = clean(reader.name)
    why = "viewer" if fill["holder"] else "viewer_of_nobody"
    values = {
        "subject": words["subject"].format(**fill),
        "greeting": words["greeting"].format(name=name) if name else words["greeting_nobody"],
        "intro": words["intro" if statement.account else "intro_all"].format(**fill),
        "extra": "",
        "amount_label": {"nl": "Totaal", "en": "Total"}[language],
        "amount": amount,
        "due": "",
        "pay_rows": [],
        "closing": [words["attached"], *([words[why].format(**fill)] if reader.viewer else [])],
        "preview": amount,
    }
    return assemble("invoice", values, statement.seller, language, envelope, [attached])


def _month(statement: Cover) -> str:
    """The period by its name, where it is a calendar month: "november 2026"."""
    first, last = statement.first, statement.last
    whole = first.day == 1 and (last + timedelta(days=1)).day == 1
    if not (whole and (first.year, first.month) == (last.year, last.month)):
        return ""
    return month(f"{first:%Y-%m}", statement.language)
