"""What docs/proof.md explains of mutation testing is still so.

In a file that the mutants' plan does not run: each fault changes a line, and would be found here.
"""

from tests.proof.mutants.__main__ import ROOT, explained
from tests.proof.mutants.plan import planned


def test_what_is_explained_is_a_fault_that_is_tried() -> None:
    """A line of code that changed since would explain nothing, or another fault."""
    tried = {f"{one.file} | {one.code} | {one.was} -> {one.now}" for one in planned(ROOT)}
    assert explained() <= tried
