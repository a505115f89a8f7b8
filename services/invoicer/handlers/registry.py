"""registry.state: the invoicer's own copy of environments, customers and accounts.

Takes environment.state, customer.state and account.state; answers nothing. The highest version
wins, so order and repetition do not matter. Of customers that were erased a job `forget` takes out
what is kept of them and need not be.
"""

from collections.abc import Iterable, Sequence

from runtime.answers import Answer
from runtime.incoming import Incoming
from runtime.transaction import Tx
from schemas.registry import AccountState, CustomerState, EnvironmentState
from services.invoicer.store import forgetting, registry


async def handle(messages: Sequence[Incoming], tx: Tx) -> Iterable[Answer]:
    """Record what is newer than what is known."""
    said = [incoming.message for incoming in messages]
    await registry.put_environments(
        tx, [(r.message, r.time) for r in messages if isinstance(r.message, EnvironmentState)]
    )
    await registry.put_customers(tx, [m for m in said if isinstance(m, CustomerState)])
    await registry.put_accounts(tx, [m for m in said if isinstance(m, AccountState)])
    await _erased(messages, tx)
    return ()


async def _erased(messages: Sequence[Incoming], tx: Tx) -> None:
    """Whatever is known: being erased is final, and where it was heard before there may be
    something left, of a job that was given up."""
    customers: dict[int, list[str]] = {}
    ref = ""
    for incoming in messages:
        match incoming.message:
            case CustomerState(erased=True) as one:
                customers.setdefault(one.environment, []).append(one.customer_id)
                ref = ref or f"{incoming.partition}/{incoming.offset}"
    await forgetting.erased(tx, customers, ref)
