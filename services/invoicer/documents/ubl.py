"""The UBL 2.1 invoice or credit note: what bookkeeping programs and the Peppol network read.

A buyer that is a business gets Peppol BIS Billing 3.0 with the Dutch national rules (NL-R-001 to
009); a guest gets plain EN 16931 (CIUS none), as Peppol has no address scheme for e-mail
(PEPPOL-EN16931-CL008). Line amounts are the VAT base spread by largest remainder, so that lines,
VAT rows and totals agree and the amount payable is what the till took (vat.py).
"""

from calendar import monthrange
from datetime import date
from decimal import Decimal
from functools import lru_cache

from schemas.currencies import decimals
from services.invoicer.documents import parties
from services.invoicer.documents.labels import LABELS, credit_reason
from services.invoicer.documents.model import CreditNote, Document, Invoice, Line, Preceding
from services.invoicer.documents.text import clean, decimal_amount, money, net_price
from services.invoicer.documents.xml import Element, add, kept, written
from services.invoicer.vat import line_bases, rate_text

EN16931 = "urn:cen.eu:en16931:2017"
PEPPOL = f"{EN16931}#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PEPPOL_PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"

_OASIS = "urn:oasis:names:specification:ubl:schema:xsd"
_COMMON = {
    "xmlns:cac": f"{_OASIS}:CommonAggregateComponents-2",
    "xmlns:cbc": f"{_OASIS}:CommonBasicComponents-2",
}
_INVOICE_CODE, _CREDIT_NOTE_CODE = "380", "381"  # UNTDID 1001
_SEPA_TRANSFER, _TRANSFER = "58", "30"  # UNTDID 4461
_PIECE = "C62"  # UN/ECE recommendation 20: one
_PRICE_DECIMALS = 6
_IN_A_LINE = 2  # how deep its parts stand
_REMEMBERED = 2_048  # items, days and prices as they are written


def render_ubl(document: Document) -> bytes:
    """The document as UTF-8 XML with declaration. The same document gives the same bytes.

    A draft has no number: its ID says DRAFT, so that nobody books it. A missing VAT number, KVK
    number or address is left out rather than made up; `parties.lacking` says what a rule misses.
    """
    kind = "Invoice" if isinstance(document, Invoice) else "CreditNote"
    root = Element(kind, attributes={"xmlns": f"{_OASIS}:{kind}-2", **_COMMON})
    _header(root, document)
    business = parties.is_peppol(document.seller, document.buyer)
    parties.add_seller(root, document.seller)
    parties.add_buyer(root, document.buyer, peppol=business)
    _payment(root, document)
    _tax_total(root, document)
    _totals(root, document)
    bases = line_bases([(line.vat_rate, line.total) for line in document.lines], document.vat)
    for place, (line, base) in enumerate(zip(document.lines, bases, strict=True), start=1):
        _line(root, document, line, base, place)
    return written(root)


def _header(root: Element, document: Document) -> None:
    business = parties.is_peppol(document.seller, document.buyer)
    add(root, "cbc:CustomizationID", PEPPOL if business else EN16931)
    if business:
        add(root, "cbc:ProfileID", PEPPOL_PROFILE)
    add(root, "cbc:ID", document.number or f"DRAFT-{document.invoice_id}")
    add(root, "cbc:IssueDate", document.issued_on.isoformat())
    if isinstance(document, Invoice):
        add(root, "cbc:DueDate", document.due_on.isoformat())
        add(root, "cbc:InvoiceTypeCode", _INVOICE_CODE)
    else:
        add(root, "cbc:CreditNoteTypeCode", _CREDIT_NOTE_CODE)
        add(root, "cbc:Note", credit_reason(document, document.language))
    add(root, "cbc:DocumentCurrencyCode", document.currency)
    if document.euro is not None:
        add(root, "cbc:TaxCurrencyCode", "EUR")  # BT-6
    add(root, "cbc:BuyerReference", document.account)
    first, last = _month(document.period)
    period = add(root, "cac:InvoicePeriod")
    add(period, "cbc:StartDate", first.isoformat())
    add(period, "cbc:EndDate", last.isoformat())
    for before in _preceding(document):
        reference = add(add(root, "cac:BillingReference"), "cac:InvoiceDocumentReference")
        add(reference, "cbc:ID", before.number)
        add(reference, "cbc:IssueDate", before.issued_on.isoformat())


def _preceding(document: Document) -> tuple[Preceding, ...]:
    """BG-3: the invoice that a credit note credits, or those that an invoice replaces."""
    if isinstance(document, Invoice):
        return document.replaces
    return (Preceding(number=document.refers_to, issued_on=document.refers_to_issued_on),)


def _payment(root: Element, document: Document) -> None:
    """How to pay an invoice (NL-R-007, 008). What a credit note gives back is said in words."""
    words = LABELS[document.language]
    if isinstance(document, CreditNote):
        note = words["credit_text"].format(number=document.refers_to)
        add(add(root, "cac:PaymentTerms"), "cbc:Note", note)
        return
    if not document.seller.iban:
        return
    means = add(root, "cac:PaymentMeans")
    code = _SEPA_TRANSFER if document.currency == "EUR" else _TRANSFER
    add(means, "cbc:PaymentMeansCode", code)
    add(means, "cbc:PaymentID", document.number or "")
    account = add(means, "cac:PayeeFinancialAccount")
    add(account, "cbc:ID", parties.compact(document.seller.iban))
    add(account, "cbc:Name", document.seller.legal_name)


def _tax_total(root: Element, document: Document) -> None:
    total = add(root, "cac:TaxTotal")
    _amount(total, "cbc:TaxAmount", document.vat_total, document)
    for row in document.vat:
        part = add(total, "cac:TaxSubtotal")
        _amount(part, "cbc:TaxableAmount", row.base, document)
        _amount(part, "cbc:TaxAmount", row.vat, document)
        _category(add(part, "cac:TaxCategory"), row.rate)
    if document.euro is not None:  # BT-111
        amount = f"{decimal_amount(document.euro.vat, 'EUR'):.2f}"
        add(add(root, "cac:TaxTotal"), "cbc:TaxAmount", amount, currencyID="EUR")


def _totals(root: Element, document: Document) -> None:
    total = add(root, "cac:LegalMonetaryTotal")
    _amount(total, "cbc:LineExtensionAmount", document.net, document)
    _amount(total, "cbc:TaxExclusiveAmount", document.net, document)
    _amount(total, "cbc:TaxInclusiveAmount", document.total, document)
    _amount(total, "cbc:PayableAmount", document.total, document)


def _line(root: Element, document: Document, line: Line, base: int, place: int) -> None:
    kind = "Invoice" if isinstance(document, Invoice) else "CreditNote"
    quantity_name = "cbc:InvoicedQuantity" if kind == "Invoice" else "cbc:CreditedQuantity"
    element = add(root, f"cac:{kind}Line")
    add(element, "cbc:ID", str(place))
    quantity = line.billed_quantity
    add(element, quantity_name, f"{quantity:f}", unitCode=_PIECE)
    _amount(element, "cbc:LineExtensionAmount", base, document)
    first, last = _month(document.period)
    sold_on = line.sold_at.date()
    if first <= sold_on <= last:  # PEPPOL-EN16931-R110, R111
        element.children.append(_day(sold_on))
    part = ""
    if line.part:
        of = f"{line.quantity} x {money(line.unit_price, document.currency, document.language)}"
        part = f"{line.description} ({of})"
    name = clean(line.description) or line.sale_id
    price = f"{_net_price(line, quantity, document):f}"
    element.children += (
        _item(name, part, line.vat_rate),
        _price(price, document.currency),
    )


@lru_cache(_REMEMBERED)
def _day(sold_on: date) -> str:
    period = Element("cac:InvoicePeriod")
    add(period, "cbc:StartDate", sold_on.isoformat())
    add(period, "cbc:EndDate", sold_on.isoformat())
    return kept(period, _IN_A_LINE)


@lru_cache(_REMEMBERED)
def _item(name: str, part: str, rate: str) -> str:
    item = Element("cac:Item")
    add(item, "cbc:Description", part)
    add(item, "cbc:Name", name)
    _category(add(item, "cac:ClassifiedTaxCategory"), rate)
    return kept(item, _IN_A_LINE)


@lru_cache(_REMEMBERED)
def _price(amount: str, currency: str) -> str:
    price = Element("cac:Price")
    add(price, "cbc:PriceAmount", amount, currencyID=currency)
    return kept(price, _IN_A_LINE)


def _net_price(line: Line, quantity: Decimal, document: Document) -> Decimal:
    """Without VAT, in whole currency: exact enough that price x quantity gives the line
    (PEPPOL-EN16931-R120 allows 0.02), so with more decimals for a quantity of thousands."""
    places = decimals(document.currency)
    more = max(0, quantity.adjusted() - 2) if quantity else 0
    wanted = _PRICE_DECIMALS - places + more
    return net_price(line.billed_price, line.vat_rate, wanted).scaleb(-places)


def _category(element: Element, rate: str) -> None:
    """UNTDID 5305: S, or Z for a rate of nothing."""
    add(element, "cbc:ID", "S" if Decimal(rate) else "Z")
    add(element, "cbc:Percent", rate_text(rate))
    add(add(element, "cac:TaxScheme"), "cbc:ID", "VAT")


def _amount(parent: Element, name: str, amount: int, document: Document) -> None:
    places = decimals(document.currency)
    text = f"{decimal_amount(amount, document.currency):.{places}f}"
    add(parent, name, text, currencyID=document.currency)


@lru_cache(_REMEMBERED)
def _month(period: str) -> tuple[date, date]:
    year, month = (int(part) for part in period.split("-"))
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])
