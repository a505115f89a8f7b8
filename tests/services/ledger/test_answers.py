"""What the ledger says is written by hand: as the contract's own writer would have it."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from schemas.ledger import BalanceState, EntryPosted
from schemas.values import NAME_PATTERN
from schemas.wire import decode, encode
from services.ledger.answers import entry_bytes, entry_posted
from services.ledger.domain import Event, Journal, Kind
from services.ledger.states import state_bytes
from services.ledger.store import Balance

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
RATES = st.sampled_from(["0", "5.5", "9", "21", "100"])
LEDGER_ACCOUNTS = st.one_of(
    st.sampled_from(["bank", "receivable:unbilled", "receivable:billed"]),
    RATES.map("revenue:unbilled:{}".format),
    RATES.map("revenue:{}".format),
    RATES.map("vat:{}".format),
)
AMOUNTS = st.integers(-(2**63) + 1, 2**63 - 1).filter(bool)


ACCOUNTS = st.from_regex(NAME_PATTERN, fullmatch=True).filter(lambda text: len(text) <= 64)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(9998, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


def contracts_own(journal: Journal, entry_id: str) -> bytes:
    """The message with everything checked, and written by the contract's writer."""
    kind, event, legs = journal
    return encode(
        EntryPosted.model_validate(
            {
                "entry_id": entry_id,
                "environment": event.environment,
                "account": event.account,
                "at": event.at,
                "kind": kind.value,
                "source_id": event.source_id,
                "currency": event.currency,
                "legs": tuple(
                    {"ledger_account": name, "debit": max(x, 0), "credit": max(-x, 0)}
                    for name, x in legs.items()
                ),
            }
        )
    )


@given(
    kind=st.sampled_from(list(Kind)),
    environment=st.integers(1, 2**31 - 1),
    account=ACCOUNTS,
    at=MOMENTS,
    ids=st.tuples(st.uuids(), st.uuids()),
    legs=st.dictionaries(LEDGER_ACCOUNTS, AMOUNTS, min_size=2, max_size=12),
)
@example(
    kind=Kind.CHARGE,
    environment=2890,
    account='0"7\\é \U0001f37a',
    at=NOON.replace(microsecond=120_000),
    ids=(UUID(int=1), UUID(int=2)),
    legs={"receivable:unbilled": 1, "revenue:unbilled:5.5": -1},
)
def test_an_entry_is_written_as_the_contract_writes_it(
    kind: Kind,
    environment: int,
    account: str,
    at: datetime,
    ids: tuple[UUID, UUID],
    legs: dict[str, int],
) -> None:
    event = Event(environment, account, str(ids[0]), at, "EUR")
    journal, entry_id = Journal(kind, event, legs), str(ids[1])
    value = entry_bytes(journal, entry_id)
    assert value == contracts_own(journal, entry_id)
    assert isinstance(decode("ledger.entries", value), EntryPosted)


def test_an_answer_is_named_by_its_entry_and_keyed_by_its_account() -> None:
    event = Event(2890, "0007", "0e8f9d5e-53f5-4c3c-8f1e-111111111111", NOON, "EUR")
    journal = Journal(Kind.PAYMENT, event, {"bank": 5, "receivable:billed": -5})
    answer = entry_posted(journal, "some-id", NOON)
    assert (answer.topic, answer.key, answer.type) == (
        "ledger.entries",
        "2890:0007",
        "entry.posted",
    )
    assert answer.id == "entry.posted/2890/some-id"
    assert answer.time == NOON


@given(
    environment=st.integers(1, 2**31 - 1),
    account=ACCOUNTS,
    at=MOMENTS,
    sums=st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1)),
    version=st.integers(1, 2**63 - 1),
)
def test_a_balance_is_written_as_the_contract_writes_it(
    environment: int, account: str, at: datetime, sums: tuple[int, int], version: int
) -> None:
    unbilled, billed = sums
    row = Balance(currency="EUR", unbilled=unbilled, billed=billed, version=version, at=at)
    contracts = BalanceState.model_validate(
        {
            "environment": environment,
            "account": account,
            "version": version,
            "currency": "EUR",
            "unbilled": unbilled,
            "billed": billed,
            "at": at,
        }
    )
    assert state_bytes(environment, account, row) == encode(contracts)
