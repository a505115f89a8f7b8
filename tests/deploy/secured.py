"""A Kafka as on a cluster: TLS, SCRAM logins, and nothing allowed by default."""

import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

from cli.stack import jars
from cli.stack.kafka import PROPERTIES, Kafka
from cli.stack.process import run
from cli.trouble import Trouble
from deploy.kafka.acls import Grant, Kind
from tests.support.rude_mails import CERTIFICATE

PASSWORD = "tests-only-{login}"
# The later of two lines with the same name counts. The PLAINTEXT listener is for the broker itself
# and for the stack's probe: whoever comes there is a super user. A cluster has no such listener.
SECURED = """\
listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{sasl_port},\
CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{sasl_port}
listener.security.protocol.map=\
PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
ssl.keystore.type=PEM
ssl.keystore.location={certificate}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecuredKafka(Kafka):
    """The local stack's Kafka with a listener on `sasl_port` for these logins."""

    sasl_port: int
    logins: tuple[str, ...]

    async def prepare(self) -> None:
        """Write the settings, and format the storage with the logins in it."""
        folder = await jars.ensure()
        self.folder.mkdir(parents=True)
        properties = self.folder / "server.properties"
        text = PROPERTIES.format(
            port=self.port, controller_port=self.controller_port, network_threads=2, io_threads=2
        ) + SECURED.format(
            port=self.port,
            sasl_port=self.sasl_port,
            controller_port=self.controller_port,
            certificate=CERTIFICATE,
        )
        properties.write_text(text, encoding="ascii")
        command = [*self._java(folder, heap_mb=128), "kafka.tools.StorageTool", "format"]
        command += ["-t", "c2VjdXJlZC1mb3ItdGVzdA", "-c", properties.name]
        for login in self.logins:
            secret = f"[name={login},password={PASSWORD.format(login=login)}]"
            command += ["--add-scram", f"SCRAM-SHA-512={secret}"]
        status, printed = await run(command, cwd=self.folder)
        if status != 0:
            raise Trouble("; ".join(printed))

    def environment(self, login: str) -> dict[str, str]:
        """The settings with which a worker or the command line is this login."""
        return {
            "ONACCOUNT_KAFKA": f"127.0.0.1:{self.sasl_port}",
            "ONACCOUNT_KAFKA_SECURITY": "SASL_SSL",
            "ONACCOUNT_KAFKA_CA_FILE": str(CERTIFICATE),
            "ONACCOUNT_KAFKA_USER": login,
            "ONACCOUNT_KAFKA_PASSWORD": PASSWORD.format(login=login),
        }


def stand_in(folder: Path) -> Path:
    """A kafka-acls.sh that writes down how it was called: Kafka's own comes in no jar of ours."""
    tool = folder / "kafka-acls.sh"
    # Written by a process of its own: a child that another thread forks just now would keep a file
    # that we write open for a moment, and "text file busy" is what would come of it.
    subprocess.run(
        ["sh", "-c", 'cat >"$1" && chmod 755 "$1"', "sh", str(tool)],
        input='#!/bin/sh\nprintf "%s\\n" "$@" . >>"$ACLS_ASKED"\n',
        text=True,
        check=True,
    )
    return tool


def asked(file: Path) -> Iterator[Grant]:
    """What the stand-in was asked to allow."""
    for command in file.read_text().split("\n.\n")[:-1]:
        words = command.split("\n")
        assert "--add" in words
        pairs = list(pairwise(words))
        principal = next(b.removeprefix("User:") for a, b in pairs if a == "--allow-principal")
        names: list[tuple[Kind, str]] = [("topic", b) for a, b in pairs if a == "--topic"]
        names += [("group", b) for a, b in pairs if a == "--group"]
        names += [("cluster", "kafka-cluster")] * ("--cluster" in words)
        for kind, name in names:
            for operation in (b for a, b in pairs if a == "--operation"):
                yield Grant(
                    principal=principal,
                    kind=kind,
                    name=name,
                    operation=operation,
                    prefixed=("--resource-pattern-type", "prefixed") in pairs,
                )


KINDS = {"topic": 2, "group": 3, "cluster": 4}
OPERATIONS = {
    "Read": 3,
    "Write": 4,
    "Create": 5,
    "Alter": 7,
    "Describe": 8,
    "DescribeConfigs": 10,
    "AlterConfigs": 11,
}


async def allow(address: str, grants: Iterable[Grant]) -> None:
    """Put the grants into Kafka, by the numbers of its protocol, as its own tool does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        for one in grants:
            request = CreateAclsRequest(
                KINDS[one.kind],
                one.name,
                4 if one.prefixed else 3,
                f"User:{one.principal}",
                "*",
                OPERATIONS[one.operation],
                3,
            )
            response = await admin._send_request(request)
            assert [code for code, _ in response.creation_responses] == [0], response
    finally:
        await admin.close()
