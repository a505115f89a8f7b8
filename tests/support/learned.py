"""What java learned of Kafka's classes, kept in a file: with it a broker starts in half the time.

The Java of the wheel has no archive of its own classes, as a whole JDK has, so each start reads and
checks all of them anew, four seconds of a core. To learn takes ten, once for a checkout (JEP 483,
514). The tests begin with it, for they start some thirty brokers; stacks use what is there.
"""

import shutil
import signal
import tempfile
from pathlib import Path

from cli.stack import jars
from cli.stack.component import answers
from cli.stack.kafka import CACHE, Kafka, learned
from cli.stack.ports import free_port
from cli.stack.process import Note, end, spawn

TO_WRITE_S = 60.0


async def learn(note: Note) -> None:
    """Have a broker serve for once, and keep what java learned; where that is kept, do nothing.

    Raises Trouble when it does not start.
    """
    known = learned(jars.class_path(jars.repository()))
    if known.exists():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="kafka-", dir=CACHE))
    try:
        port = free_port()
        node = Kafka(
            folder=folder / "kafka",
            port=port,
            controller_port=free_port(taken={port}),
            log=folder / "kafka.log",
            learns=folder / "learned.aot",
            death_signal=signal.SIGKILL,
        )
        await node.prepare()
        process = spawn(node.program(), note)
        try:
            await answers(node, process)
        finally:
            await end(process, patience_s=TO_WRITE_S)
        whole = process.returncode != -signal.SIGKILL  # else it was not through with writing
        if whole and node.learns and node.learns.exists():
            for other in CACHE.glob("kafka-*.aot"):
                other.unlink(missing_ok=True)  # of other jars, or of another Java
            node.learns.replace(known)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
