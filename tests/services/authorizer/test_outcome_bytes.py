"""command.applied is written by hand as the schemas write it.

Method: what the schemas' own encoder makes of the same values, over texts of every kind.
"""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.commands import Caution, Change, CommandApplied, RefusedStep
from schemas.wire import encode
from services.authorizer.domain.entities import Applied, Effect
from services.authorizer.outcomes import applied
from tests.services.authorizer.support import uid

LINE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=40)
STEP = st.none() | st.integers(0, 999_999)
FIELD = st.none() | st.sampled_from(["email", "accounts.3"])
EFFECT = st.builds(
    Effect,
    st.sampled_from(["environment", "customer", "account", "unbooked"]),
    LINE,
    st.sampled_from(["created", "changed", "unchanged"]),
    STEP,
)
CAUTION = st.builds(Caution, kind=st.just("account"), id=LINE, field=FIELD, message=LINE, step=STEP)
REFUSED = st.builds(
    RefusedStep, step=st.integers(0, 99), reason=st.just("depends"), field=FIELD, message=LINE
)


@settings(max_examples=200, deadline=None)
@given(
    changes=st.lists(EFFECT, max_size=4).map(tuple),
    warnings=st.lists(CAUTION, max_size=2).map(tuple),
    refused=st.lists(REFUSED, max_size=2).map(tuple),
)
def test_what_became_of_a_command(changes: Any, warnings: Any, refused: Any) -> None:
    message = CommandApplied(
        command_id=uid("c"),
        environment=2890,
        changes=tuple(Change(kind=e.kind, id=e.id, change=e.change, step=e.step) for e in changes),
        warnings=warnings or None,
        refused=refused or None,
    )
    outcome = Applied(changes=changes, warnings=warnings, refused=refused)
    assert applied(2890, uid("c"), outcome) == encode(message)
