"""The command group `onaccount stack`."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

stack = App(
    name="stack",
    help_epilogue="""Examples:

    onaccount stack up                       in var/, until Ctrl-C
    onaccount stack up --workers authorizer=2,invoicer=2
    onaccount stack up --dir /tmp/other --ports kafka=9092
    onaccount stack down                     from another terminal
""",
)

Dir = Annotated[
    Path, Parameter(name="--dir", help="Where its data, logs and mails are kept, and stack.json.")
]
HERE = Path("var")


@stack.command
def up(
    *,
    directory: Dir = HERE,
    workers: Annotated[
        str, Parameter(help="How many of each, e.g. authorizer=2,ledger=0; one unless given.")
    ] = "",
    ports: Annotated[
        str, Parameter(help="Fixed ports, e.g. kafka=9092,postgres=5432,mail=2525.")
    ] = "",
    throughput: Annotated[
        bool, Parameter(help="Prefer speed under load to a quick start.", negative="")
    ] = False,
    fsync: Annotated[
        bool, Parameter(help="Whether PostgreSQL's data survives a crash of the machine.")
    ] = True,
) -> int:
    """Run a stack until SIGTERM or Ctrl-C, on free ports.

    stack.json in its folder tells where everything is, once everything serves. A
    process that dies is started again at the same address. A folder that was used
    before is taken up again with its data.
    """
    from cli.stack.commands import up as run
    from cli.stack.plan import HIGHEST_PORT, Wishes, parse_counts

    return run(
        directory,
        Wishes(
            workers=parse_counts(workers),
            ports=parse_counts(ports, ("kafka", "postgres", "mail"), most=HIGHEST_PORT),
            throughput=throughput,
            fsync=fsync,
        ),
    )


@stack.command
def down(*, directory: Dir = HERE) -> int:
    """End the stack of a folder, also one whose `stack up` was killed."""
    from cli.stack.commands import down as end

    return end(directory)
