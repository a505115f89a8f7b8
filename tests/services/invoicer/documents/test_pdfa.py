"""Documents can be kept for seven years and longer: PDF/A-3b, as veraPDF judges."""

from pathlib import Path

from services.invoicer.documents.pdf import render_pdf
from tests.services.invoicer.documents.golden import documents
from tests.services.invoicer.documents.samples import COUNT, invoice, line, random_documents
from tests.services.invoicer.documents.verapdf import failures


def test_every_kind_of_document_and_random_ones_are_pdf_a_3b(tmp_path: Path) -> None:
    """Goal: ISO 19005-3, level B, whatever tills and people typed. Method: veraPDF, which has
    nothing to do with typst; it is awake, as it refuses what is made without a font."""
    files = documents()
    for n, document in enumerate(random_documents(COUNT // 5, seed=19005)):
        files[f"random-{n}"] = render_pdf(document)
    files["east-asian"] = render_pdf(invoice(line("ラーメン"), line("소주"), line("青岛啤酒")))
    files["no-font"] = render_pdf(invoice(line("\uf8ff")))
    assert failures(files, tmp_path) == {"no-font"}
