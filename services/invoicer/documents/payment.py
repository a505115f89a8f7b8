"""The payment QR that a bank's app reads: EPC069-12, "Quick Response Code: Guidelines to Enable
the Data Capture for the Initiation of a SEPA Credit Transfer", version 002."""

import re
from functools import cache

from services.invoicer.documents.model import Invoice
from services.invoicer.documents.symbols import symbol
from services.invoicer.documents.text import clean, decimal_amount

MAX_BYTES = 331
MAX_NAME, MAX_TEXT = 70, 140
_SET_BYTES = 1  # 12 bits name the symbol's character set, of which 4 were to spare
_QUIET = 4
_DARK = re.compile("1+")
_MOST = 99_999_999_999  # cents, as the guideline bounds it


def epc_payload(invoice: Invoice) -> str | None:
    """What the QR of an invoice says; None where it can't have one.

    None: a draft, no IBAN, another currency than the euro, or an amount of nothing. The reference
    is the invoice's number as text, not as an ISO 11649 reference: guests type it over.
    """
    seller = invoice.seller
    if not (invoice.number and seller.iban and invoice.currency == "EUR"):
        return None
    if not 0 < invoice.total <= _MOST:
        return None
    iban = re.sub(r"\s", "", seller.iban).upper()
    text = clean(invoice.number)[:MAX_TEXT]
    tail = f"\n{iban}\nEUR{decimal_amount(invoice.total, 'EUR'):.2f}\n\n\n{text}"
    head = "BCD\n002\n1\nSCT\n\n"
    room = MAX_BYTES - len((head + tail).encode())
    legal_name = clean(seller.legal_name)[:MAX_NAME]
    if not (legal_name + text).isascii():
        room -= _SET_BYTES
    name = legal_name.encode()[:room].decode(errors="ignore")
    return head + name + tail


def qr_svg(payload: str) -> str:
    """The QR as an SVG of dark rectangles, with the quiet zone it needs; level M as EPC asks. One
    path that is filled, not drawn: a page takes it in soonest."""
    width, modules = symbol(payload)
    side = width + 2 * _QUIET
    dark = "".join(
        f"M{run.start() + _QUIET} {y + _QUIET}{_bar(run.end() - run.start())}"
        for y in range(width)
        for run in _DARK.finditer(modules[y * width : (y + 1) * width])
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{dark}"/></svg>'
    )


@cache
def _bar(width: int) -> str:
    return f"h{width}v1h-{width}z"
