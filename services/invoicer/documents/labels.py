"""The words on documents, in both languages: one table, so that a missing one is seen at once.

The typst and mail templates get the language's mapping and look words up by key. Values with
`{name}` are filled in with str.format by the renderers.
"""

from collections.abc import Mapping

from services.invoicer.documents.model import CreditNote, Document, Invoice, Language
from services.invoicer.documents.text import clean, day, decimal_text, money, unbroken

_NL = {
    "invoice": "Factuur",
    "credit_note": "Creditnota",
    "draft_invoice": "Conceptfactuur",
    "draft_credit_note": "Conceptcreditnota",
    "draft": "CONCEPT",
    "draft_note": "Dit is een concept en geen factuur: er is nog geen nummer gegeven.",
    "number": "Nummer",
    "invoice_number": "Factuurnummer",
    "credit_note_number": "Creditnotanummer",
    "issued_on": "Factuurdatum",
    "credit_issued_on": "Datum",
    "drafted_on": "Opgesteld op",
    "due_on": "Vervaldatum",
    "period": "Periode",
    "account": "Rekening",
    "refers_to": "Bij factuur",
    "refers_to_of": "{number} van {date}",
    "reason": "Reden",
    "reason_reversed": "na het factureren teruggenomen, of aan de kassa betaald",
    "reason_deleted": "de factuur is ingetrokken",
    "supplementary": "Aanvullende factuur: verkopen die later binnenkwamen.",
    "replaces": "Vervangt factuur",
    "replaces_note": "Deze factuur komt in de plaats van factuur {invoices}, waarvoor een "
    "creditnota is gemaakt.",
    "replaces_several": "Deze factuur komt in de plaats van de facturen {invoices}, waarvoor "
    "creditnota's zijn gemaakt.",
    "and": "en",
    "bill_to": "Aan",
    "from": "Van",
    "attention": "T.a.v. {name}",
    "vat_number": "Btw-nummer",
    "chamber_number": "KVK-nummer",
    "iban": "IBAN",
    "time": "Tijd",
    "description": "Omschrijving",
    "quantity": "Aantal",
    "unit_price": "Prijs",
    "unit_price_net": "Prijs excl. btw",
    "vat": "Btw",
    "vat_rate": "Tarief",
    "amount": "Bedrag",
    "part": "(deel van {quantity} × {price})",
    "base": "Bedrag excl. btw",
    "gross": "Bedrag incl. btw",
    "total": "Totaal",
    "subtotal": "Totaal excl. btw",
    "vat_total": "Totaal btw",
    "vat_euro": "Btw in euro (koers {rate})",
    "vat_euro_now": "Btw in euro, voorlopig (koers {rate})",
    "vat_euro_later": "De btw in euro komt op de factuur, tegen de koers van de factuurdatum.",
    "vat_euro_again": "De btw in euro is voorlopig: hier tegen de koers van {date}, op de factuur "
    "tegen die van de factuurdatum.",
    "to_pay": "Te betalen",
    "to_get_back": "Gecrediteerd bedrag",
    "prices_include": "Prijs en bedrag zijn inclusief btw.",
    "lines": "{count} regels",
    "one_line": "1 regel",
    "summed_articles": "Gelijke regels van een dag staan hier bij elkaar. Alle {count} staan elk "
    "voor zich in {file}, dat hierbij hoort.",
    "summed_rates": "Hier staat per dag en tarief wat {count} regels samen zijn. Zij staan elk "
    "voor zich in {file}, dat hierbij hoort.",
    "pay_iban": "Maak {amount} uiterlijk {date} over naar {iban} op naam van {name}, onder "
    "vermelding van {number}.",
    "pay_plain": "Wij ontvangen {amount} graag uiterlijk {date}, onder vermelding van {number}.",
    "pay_scan": "Scan met de app van uw bank",
    "how_to_pay": "Betalen",
    "credit_text": "Dit bedrag wordt verrekend met factuur {number}, of teruggestort als die al "
    "betaald is.",
    "questions": "Vragen? Mail naar {email}.",
    "page": "Pagina {page} van {pages}",
    "date": "Datum",
    "day_total": "Totaal van de dag",
    "specification": "Specificatie",
    "terminal": "Kassa",
    "sale": "Verkoop",
    "net": "Excl. btw",
}

_EN = {
    "invoice": "Invoice",
    "credit_note": "Credit note",
    "draft_invoice": "Draft invoice",
    "draft_credit_note": "Draft credit note",
    "draft": "DRAFT",
    "draft_note": "This is a draft and not an invoice: no number has been given yet.",
    "number": "Number",
    "invoice_number": "Invoice number",
    "credit_note_number": "Credit note number",
    "issued_on": "Invoice date",
    "credit_issued_on": "Date",
    "drafted_on": "Drafted on",
    "due_on": "Due date",
    "period": "Period",
    "account": "Account",
    "refers_to": "For invoice",
    "refers_to_of": "{number} of {date}",
    "reason": "Reason",
    "reason_reversed": "taken back, or paid at the till, after it was invoiced",
    "reason_deleted": "the invoice was withdrawn",
    "supplementary": "Supplementary invoice: sales that came in later.",
    "replaces": "Replaces invoice",
    "replaces_note": "This invoice replaces invoice {invoices}, which was credited.",
    "replaces_several": "This invoice replaces invoices {invoices}, which were credited.",
    "and": "and",
    "bill_to": "To",
    "from": "From",
    "attention": "Attn. {name}",
    "vat_number": "VAT number",
    "chamber_number": "Chamber of Commerce (KVK)",
    "iban": "IBAN",
    "time": "Time",
    "description": "Description",
    "quantity": "Quantity",
    "unit_price": "Price",
    "unit_price_net": "Price excl. VAT",
    "vat": "VAT",
    "vat_rate": "Rate",
    "amount": "Amount",
    "part": "(part of {quantity} × {price})",
    "base": "Amount excl. VAT",
    "gross": "Amount incl. VAT",
    "total": "Total",
    "subtotal": "Total excl. VAT",
    "vat_total": "Total VAT",
    "vat_euro": "VAT in euros (rate {rate})",
    "vat_euro_now": "VAT in euros, provisional (rate {rate})",
    "vat_euro_later": "The invoice will say its VAT in euros, at the rate of its date.",
    "vat_euro_again": "The VAT in euros is provisional: here at the rate of {date}, on the invoice "
    "at that of its date.",
    "to_pay": "Amount due",
    "to_get_back": "Amount credited",
    "prices_include": "Price and amount include VAT.",
    "lines": "{count} lines",
    "one_line": "1 line",
    "summed_articles": "Equal lines of a day are put together here. All {count} are listed one by "
    "one in {file}, which belongs to this document.",
    "summed_rates": "Per day and rate this says what {count} lines come to. They are listed one by "
    "one in {file}, which belongs to this document.",
    "pay_iban": "Please transfer {amount} by {date} to {iban} in the name of {name}, quoting "
    "{number}.",
    "pay_plain": "Please pay {amount} by {date}, quoting {number}.",
    "pay_scan": "Scan with your banking app",
    "how_to_pay": "Payment",
    "credit_text": "This amount is set off against invoice {number}, or paid back if that has "
    "been paid already.",
    "questions": "Questions? Mail {email}.",
    "page": "Page {page} of {pages}",
    "date": "Date",
    "day_total": "Total of the day",
    "specification": "Specification",
    "terminal": "Till",
    "sale": "Sale",
    "net": "Excl. VAT",
}

LABELS: Mapping[Language, Mapping[str, str]] = {"nl": _NL, "en": _EN}


def replaced_text(invoice: Invoice, language: Language) -> str:
    """The invoices that this one replaces, with their dates, as part of a sentence."""
    words = LABELS[language]
    each = [
        words["refers_to_of"].format(
            number=clean(one.number), date=unbroken(day(one.issued_on, language))
        )
        for one in invoice.replaces
    ]
    return f" {words['and']} ".join(part for part in (", ".join(each[:-1]), each[-1]) if part)


def credit_reason(note: CreditNote, language: Language) -> str:
    """Why a credit note was made: what finance wrote, or in our words what the system did."""
    return LABELS[language].get(f"reason_{note.reason}", note.reason)


def euro_vat(document: Document) -> list[tuple[str, str]]:
    """Its VAT in euros, with its name, where it must be said."""
    if document.euro is None:
        return []
    language = document.language
    name = LABELS[language]["vat_euro_now" if document.number is None else "vat_euro"]
    rate = decimal_text(document.euro.rate, language)
    return [(name.format(rate=rate), money(document.euro.vat, "EUR", language))]


def euro_note(document: Document) -> str:
    """What a draft says of the VAT in euros on its invoice, where that will have it."""
    if not document.vat_in_euros_follows:
        return ""
    words, drafted_on = LABELS[document.language], day(document.issued_on, document.language)
    if document.euro is None:
        return words["vat_euro_later"]
    return words["vat_euro_again"].format(date=unbroken(drafted_on))
