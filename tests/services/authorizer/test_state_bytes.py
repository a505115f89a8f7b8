"""State records that are written by hand are those that the schemas write.

Method: what the schemas' own encoder makes of the same values, over texts of every kind.
"""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.registry import AccountState, CustomerState
from schemas.wire import encode
from services.authorizer.domain.entities import Account
from services.authorizer.store.states import account_state, customer_state
from tests.services.authorizer.support import uid

LINE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=40)
WHO = st.sampled_from([uid("a"), uid("b")])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "first_name": LINE,
        "company": LINE,
        "city": LINE,
        "country": st.just("NL"),
        "email": st.sampled_from(["jo@jansen.nl", "test@test.nl", "jo@example.com"]),
        "email_fictitious": st.booleans(),
        "language": st.sampled_from(["nl", "en"]),
    },
)


@settings(max_examples=100, deadline=None)
@given(fields=FIELDS, version=st.integers(1, 2**40), erased=st.booleans())
def test_a_customers_state(fields: dict[str, Any], version: int, erased: bool) -> None:
    written = customer_state(2890, uid("who"), version, dict(fields), erased=erased)
    if fields.get("email") in ("test@test.nl", "jo@example.com"):
        fields["email_fictitious"] = True
    message = CustomerState(
        environment=2890, customer_id=uid("who"), version=version, erased=erased, **fields
    )
    assert written == encode(message)


@settings(max_examples=100, deadline=None)
@given(
    description=LINE, limit=st.none() | st.integers(0, 10**13), holder=st.none() | WHO,
    flags=st.tuples(st.booleans(), st.booleans()), viewers=st.lists(WHO, max_size=2, unique=True),
)  # fmt: skip
def test_an_accounts_state(
    description: str, limit: int | None, holder: str | None, flags: tuple[bool, bool],
    viewers: list[str],
) -> None:  # fmt: skip
    given: dict[str, Any] = {
        "environment": 2890, "account": 'Bar "0"', "version": 3, "description": description,
        "status": "active", "on_account": flags[0], "in_overview": flags[1], "holder": holder,
        "limit": limit,
    }  # fmt: skip
    message = AccountState(**given, viewers=tuple(sorted(viewers)))
    assert account_state(Account(**given, viewers=frozenset(viewers))) == encode(message)
