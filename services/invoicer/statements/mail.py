"""The mail that brings a statement."""

from services.invoicer.documents.mail import assemble
from services.invoicer.documents.mime import Attachment, Composed, Envelope
from services.invoicer.documents.text import clean, money
from services.invoicer.statements.model import Cover
from services.invoicer.statements.page import period
from services.invoicer.statements.words import WORDS


def compose_statement(statement: Cover, envelope: Envelope, attached: Attachment) -> Composed:
    """Raises BadAddressError as `documents.mail.compose` does."""
    words, language = WORDS[statement.language], statement.language
    amount = money(statement.total, statement.currency, language)
    fill = {
        "venue": clean(statement.seller.shown_name),
        "period": period(statement),
        "account": clean(statement.account or ""),
    }
    name = clean(statement.holder)
    values = {
        "subject": words["subject"].format(**fill),
        "greeting": words["greeting"].format(name=name) if name else words["greeting_nobody"],
        "intro": words["intro" if statement.account else "intro_all"].format(**fill),
        "extra": "",
        "amount_label": {"nl": "Totaal", "en": "Total"}[language],
        "amount": amount,
        "due": "",
        "pay_rows": [],
        "closing": [words["attached"]],
        "preview": amount,
    }
    return assemble("invoice", values, statement.seller, language, envelope, [attached])
