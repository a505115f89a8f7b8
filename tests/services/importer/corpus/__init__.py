"""Files that no one should be hurt by, made by a script: name -> how it is made and how it ends.

`ends` is "preview" or the reason of import.failed. A sensible file that is merely odd is previewed.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One file of the corpus."""

    make: Callable[[], bytes]
    ends: str


def all_samples() -> dict[str, Sample]:
    from tests.services.importer.corpus import archives, kinds, markup, odd, sizes

    found: dict[str, Sample] = {}
    for part in (archives, kinds, markup, odd, sizes):
        assert not found.keys() & part.SAMPLES.keys()
        found.update(part.SAMPLES)
    return found


def samples(ends: str, made: dict[str, Callable[[], bytes]]) -> dict[str, Sample]:
    """Those that end alike."""
    return {name: Sample(make=make, ends=ends) for name, make in made.items()}
