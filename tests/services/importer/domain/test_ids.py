"""Ids that are made from the job and the row are UUIDs of version 5, as everybody makes them."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from services.importer.domain import ids


@given(job=st.uuids(), environment=st.integers(1, 2**31 - 1), number=st.integers(0, 2**31 - 1))
def test_ids_are_those_of_the_library(job: uuid.UUID, environment: int, number: int) -> None:
    made = ids.customer_id(str(job), environment, number)
    assert made == str(uuid.uuid5(job, f"{environment}/customer/{number}"))
    made = ids.bundle_id(str(job), environment, number)
    assert made == str(uuid.uuid5(job, f"{environment}/bundle/{number}"))
    made = ids.undo_id(str(job), environment, "account", str(number), "close")
    assert made == str(uuid.uuid5(job, f"{environment}/undo/account/{number}/close"))
