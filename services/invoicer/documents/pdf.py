"""The PDF of a document: PDF/A-3b by typst, with the UBL inside it.

`render_pdf(document)` is a plain function of its argument: the same document gives the same bytes
on any machine (the creation time is the issue date). Text reaches the template as data, so odd
text comes out as typed.
"""

from services.invoicer.documents.model import Document
from services.invoicer.documents.page import page_data
from services.invoicer.documents.typesetting import NotSet, Standard, pdf
from services.invoicer.documents.ubl import render_ubl

_TEMPLATE = "document.typ"


def render_pdf(document: Document, *, ubl: bytes | None = None) -> bytes:
    """The document as PDF bytes. About 25 ms for 40 lines; never raises for odd text.

    `ubl`: what `render_ubl` made of the same document, where the caller has it already.
    It is PDF/A-3b with NUMBER.xml attached as an alternative of the whole. Where that can't be (a
    script that no shipped font has, such as Chinese), the same pages are made as PDF 1.7; where
    the logo is what fails, they are made without it.
    """
    tries: list[tuple[bool, Standard]] = [(True, "a-3b"), (False, "a-3b"), (True, "1.7")]
    if document.seller.logo is None:
        tries = [tries[0], tries[2]]
    if ubl is None and document.number is not None:
        ubl = render_ubl(document)
    for with_logo, standard in tries:
        data = page_data(document, with_logo=with_logo)
        try:
            return pdf(_TEMPLATE, data, document.issued_on, standard, attached=ubl or b"")
        except NotSet:
            continue
    data = page_data(document, with_logo=False)
    return pdf(_TEMPLATE, data, document.issued_on, "1.7", attached=ubl or b"")
