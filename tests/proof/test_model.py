"""Thousands of histories, each step of which answers, sums and books are held against a model.

`make prove-model` runs 10,000 sequences, in portions of a hundred; what is run here is a sample.
ONACCOUNT_MODEL_SEQUENCES says how many, ONACCOUNT_MODEL_SEED which: a portion's seed is in its
name, so that one that fails can be run again (`-k`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis.stateful import run_state_machine_as_test

from tests.proof.machine import Sequences
from tests.proof.rig import Rig
from tests.support.databases import Database

SEQUENCES = int(os.environ.get("ONACCOUNT_MODEL_SEQUENCES", "40"))
SEED = int(os.environ.get("ONACCOUNT_MODEL_SEED", "1"))
SHRINK = os.environ.get("ONACCOUNT_MODEL_SHRINK", "1") == "1"
PORTION = 100

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def rig(module_postgres: Database) -> Iterator[Rig]:
    made = Rig(module_postgres)
    yield made
    made.close()


@pytest.mark.parametrize("seed", range(SEED, SEED + -(-SEQUENCES // PORTION)))
def test_whatever_comes_in_whatever_order_is_answered_and_booked_as_the_contract_says(
    rig: Rig, seed: int
) -> None:
    machine = type("Sequences", (Sequences,), {"rig": rig})
    settings = hypothesis.settings(
        max_examples=min(PORTION, SEQUENCES),
        stateful_step_count=12,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink) if SHRINK else (Phase.generate,),
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.normal,
        print_blob=False,
    )
    run_state_machine_as_test(hypothesis.seed(seed)(machine), settings=settings)
