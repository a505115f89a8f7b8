"""The UBL is judged by others' rules: the schema, EN 16931, and the Dutch and Peppol ones."""

import os

from lxml import etree

from services.invoicer.documents.ubl import render_ubl
from tests.services.invoicer.documents.rules import failed_asserts, schema_errors
from tests.services.invoicer.documents.samples import (
    random_documents,
)

COUNT = int(os.environ.get("ONACCOUNT_TEST_DOCUMENTS", "60"))


def test_random_invoices_and_credit_notes_break_no_rule_and_pay_what_the_till_took() -> None:
    """Goal: whatever tills send, the document is valid. Method: seeded random documents with
    awkward content, each through the schema and the EN 16931 schematron, the sum read back."""
    for place, document in enumerate(random_documents(COUNT, seed=16931)):
        xml = render_ubl(document)
        assert schema_errors(xml) == [], place
        assert failed_asserts(xml) == [], (place, xml.decode())
        payable = etree.fromstring(xml).findtext(".//{*}LegalMonetaryTotal/{*}PayableAmount")
        assert payable is not None
        assert round(float(payable) * 100) == sum(line.total for line in document.lines)
