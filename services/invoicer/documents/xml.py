"""Building UBL elements: text is set as text, so nothing that a person typed becomes markup."""

from lxml import etree

from services.invoicer.documents.text import clean

_SPACES = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}


def add(
    parent: etree._Element, name: str, text: str | None = None, **attributes: str
) -> etree._Element:
    """Append `cac:` or `cbc:` element `name`. With text that is empty nothing is appended
    (PEPPOL-EN16931-R008: no empty elements), and the element comes back loose."""
    prefix, _, local = name.partition(":")
    tag = f"{{{_SPACES[prefix]}}}{local}"
    if text is None:
        return etree.SubElement(parent, tag, attributes)
    element = etree.Element(tag, attributes)
    element.text = clean(text)
    if element.text:
        parent.append(element)
    return element
