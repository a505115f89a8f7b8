"""registry.state: the invoicer's own copy of environments, customers and accounts.

Takes environment.state, customer.state and account.state; answers nothing. The highest version
wins, so order and repetition do not matter.
"""

from collections.abc import Iterable, Sequence

from runtime.answers import Answer
from runtime.incoming import Incoming
from runtime.transaction import Tx
from schemas.registry import AccountState, CustomerState, EnvironmentState
from services.invoicer.store import registry


async def handle(messages: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
    """Record what is newer than what is known."""
    said = [incoming.message for incoming in messages]
    await registry.put_environments(tx, [m for m in said if isinstance(m, EnvironmentState)])
    await registry.put_customers(tx, [m for m in said if isinstance(m, CustomerState)])
    await registry.put_accounts(tx, [m for m in said if isinstance(m, AccountState)])
    return ()
