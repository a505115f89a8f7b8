"""`onaccount migrate`: the databases' schemas."""

from __future__ import annotations

import os
from typing import Annotated

from cyclopts import App, Parameter

from cli.amounts import Misuse
from cli.options import DEFAULT, Common
from cli.trouble import Trouble
from cli.where import Unreachable
from runtime.settings import SERVICES

app = App(
    name="migrate",
    help_format="plaintext",
    help_epilogue="""Examples:

    ONACCOUNT_POSTGRES_ADMIN=postgresql://admin@db/onaccount onaccount migrate
    ONACCOUNT_POSTGRES_ADMIN=postgresql://admin@db/onaccount \\
        onaccount migrate ledger

Run twice it changes nothing. A local stack (`onaccount stack up`)
migrates by itself.
""",
)


@app.default
async def migrate(
    services: Annotated[list[str] | None, Parameter(negative="")] = None,
    /,
    *,
    dsn: Annotated[str | None, Parameter(env_var="ONACCOUNT_POSTGRES_ADMIN")] = None,
    common: Common = DEFAULT,
) -> int:
    """Bring the schemas of these services (all unless named) up to date.

    Parameters
    ----------
    services
        authorizer, ledger, importer, invoicer; all unless named.
    dsn
        Of a role that may become the schemas' owners. Better given in the environment: what
        stands on a command line can be seen by others on the machine.
    """
    from asyncpg import PostgresError

    from runtime.migrate import MigrationRefused
    from runtime.migrate import migrate as bring_up

    if unknown := [name for name in services or () if name not in SERVICES]:
        raise Misuse(f"No service is named {unknown[0]}; there are {', '.join(SERVICES)}.")
    if not (dsn := dsn or os.environ.get("ONACCOUNT_POSTGRES_ADMIN")):
        raise Misuse(
            "Set ONACCOUNT_POSTGRES_ADMIN to the DSN of a role that may become the schemas' owners."
        )
    screen, done = common.screen, {}
    for service in services or SERVICES:
        try:
            with screen.waiting(f"{service} ..."):
                done[service] = await bring_up(dsn, service)
        except MigrationRefused as refusal:
            raise Trouble(f"{refusal}.") from refusal
        except (OSError, PostgresError) as fault:
            raise Unreachable(
                f"The schema of {service} can't be migrated ({fault}); see whether PostgreSQL "
                "answers at ONACCOUNT_POSTGRES_ADMIN, and whether deploy/postgres/roles.sql was "
                "run there."
            ) from fault
        names = done[service]
        screen.good(f"{service}: {', '.join(names) if names else 'up to date'}")
    screen.data(done)
    return 0
