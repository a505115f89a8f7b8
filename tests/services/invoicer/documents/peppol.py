"""The Peppol BIS Billing 3.0 rules with the Dutch national ones, as an independent judge.

They are in the jar `phive-rules-peppol` on Maven Central, as XSLT that saxonche runs. The jar is
fetched as Kafka's are, once, and checked against its sha256.
"""

import zipfile
from functools import cache

from cli.stack.jars import Jar, download, missing, repository

_JAR = Jar(
    path="com/helger/phive/rules/phive-rules-peppol/4.3.7/phive-rules-peppol-4.3.7.jar",
    sha256="c82aaeda5ca16166034421393d160ec6cf77460b16e027eecc4bb5fe67a552ce",
)
_RULES = "external/schematron/openpeppol/2026.5/xslt/PEPPOL-EN16931-UBL.xslt"


@cache
def rules() -> str:
    """The XSLT's text. Raises Trouble where the jar can't be downloaded."""
    folder = repository()
    absent = missing([_JAR], folder)
    if absent:
        download(folder, absent)
    with zipfile.ZipFile(folder / _JAR.path) as jar:
        return jar.read(_RULES).decode()
