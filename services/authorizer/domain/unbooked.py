"""Taking a sale that could not be booked off the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.unbooked import UnbookedDismiss
from services.authorizer.domain.entities import Applied, Effect, Outcome, Refusal

UNKNOWN: Final = Refusal(
    reason="sale_unknown",
    field="sale_id",
    message="No sale is waiting under this id; `onaccount sales unbooked` lists those that are.",
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One sale on the list, or that was on it. `content` is the digest of what its till sent."""

    content: bytes
    cleared: bool


def dismiss(command: UnbookedDismiss, known: Sequence[Waiting]) -> tuple[Outcome, list[bytes]]:
    """What is said, and the contents that are taken off. Again, or of a booked one: unchanged."""
    meant = [one for one in known if command.content in (None, one.content.hex())]
    if not meant:
        return UNKNOWN, []
    off = [one.content for one in meant if not one.cleared]
    change = Effect("unbooked", command.sale_id, "changed" if off else "unchanged")
    return Applied(changes=(change,)), off
