"""Runs one component of the stack by itself, until Ctrl-C: for trying things out by hand.

python -m cli.stack kafka|postgres|mail [--dir var/NAME] [--port N] [--throughput] [--no-fsync]
"""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from cli.stack.component import Component, running
from cli.stack.kafka import Kafka
from cli.stack.mail import Mail
from cli.stack.ports import free_port
from cli.stack.postgres import Postgres, new_password
from cli.trouble import Trouble, from_os_error


def chosen(arguments: argparse.Namespace) -> tuple[Component, str]:
    """The component that is meant, and its address."""
    folder = (arguments.dir or Path("var") / arguments.component).resolve()
    port = arguments.port or free_port()
    log = folder / f"{arguments.component}.log"
    match arguments.component:
        case "kafka":
            kafka = Kafka(
                folder=folder,
                port=port,
                controller_port=free_port(taken={port}),
                log=log,
                throughput=arguments.throughput,
                heap_mb=1024 if arguments.throughput else 512,
            )
            return kafka, kafka.address
        case "postgres":
            secret = folder / "password"
            if not secret.exists():
                folder.mkdir(parents=True, exist_ok=True)
                secret.touch(mode=0o600)
                secret.write_text(new_password())
            postgres = Postgres(
                folder=folder,
                port=port,
                password=secret.read_text(),
                log=log,
                fsync=not arguments.no_fsync,
            )
            return postgres, postgres.dsn("postgres")
        case _:
            mail = Mail(folder=folder, port=port, log=log)
            return mail, mail.address


async def run(component: Component, address: str) -> None:
    """Print the address once it serves, and wait for SIGTERM or Ctrl-C."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of each attempt
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(component):
        print(address, flush=True)
        await stop.wait()


def main() -> int:
    """Parse, run, and tell of trouble in a sentence."""
    parser = argparse.ArgumentParser(prog="python -m cli.stack", description=__doc__)
    parser.add_argument("component", choices=("kafka", "postgres", "mail"))
    parser.add_argument("--dir", type=Path)
    parser.add_argument("--port", type=int)
    parser.add_argument("--throughput", action="store_true")
    parser.add_argument("--no-fsync", action="store_true")
    try:
        asyncio.run(run(*chosen(parser.parse_args())))
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except OSError as fault:
        print(from_os_error(fault), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
