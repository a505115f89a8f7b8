"""The words on statements, in both languages."""

from collections.abc import Mapping

from services.invoicer.documents.model import Language

WORDS: Mapping[Language, Mapping[str, str]] = {
    "nl": {
        "title": "Overzicht van transacties",
        "heading": "Transactieoverzicht",
        "sheet": "Transacties",
        "about": "Overzicht",
        "at": "Bij",
        "from": "Van",
        "until": "Tot en met",
        "no_invoice": "Dit is een overzicht en geen factuur.",
        "period": "{first} t/m {last}",
        "all": "alle rekeningen",
        "back": "Teruggenomen: {description}",
        "nothing": "Er zijn in deze periode geen transacties.",
        "subject": "Transacties {period} bij {venue}",
        "greeting": "Beste {name},",
        "greeting_nobody": "Goedendag,",
        "intro": "Hierbij het overzicht van de transacties op rekening {account} bij {venue}: "
        "{period}.",
        "intro_all": "Hierbij het overzicht van alle transacties op rekening bij {venue}: "
        "{period}.",
        "attached": "Het overzicht is bijgevoegd. Dit is geen factuur.",
        "viewer": "U krijgt dit overzicht omdat u deze rekening van {holder} mag inzien.",
        "viewer_of_nobody": "U krijgt dit overzicht omdat u deze rekening mag inzien.",
    },
    "en": {
        "title": "Statement of transactions",
        "heading": "Statement",
        "sheet": "Transactions",
        "about": "Statement",
        "at": "At",
        "from": "From",
        "until": "Up to and including",
        "no_invoice": "This is a statement and not an invoice.",
        "period": "{first} to {last}",
        "all": "all accounts",
        "back": "Taken back: {description}",
        "nothing": "There are no transactions in this period.",
        "subject": "Transactions {period} at {venue}",
        "greeting": "Dear {name},",
        "greeting_nobody": "Hello,",
        "intro": "Here is the statement of transactions on account {account} at {venue}: {period}.",
        "intro_all": "Here is the statement of all transactions on account at {venue}: {period}.",
        "attached": "The statement is attached. It is not an invoice.",
        "viewer": "You get this statement because you may view this account of {holder}.",
        "viewer_of_nobody": "You get this statement because you may view this account.",
    },
}
