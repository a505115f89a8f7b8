"""What this worker has just kept: the mails that follow need not read it back."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from services.invoicer.documents.model import Document
from services.invoicer.store.documents import File

MOST_DOCUMENTS = 32
"""A few seconds' worth, of some 150 kB each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A document as a mail tells of it, without its lines, and its files as they are kept."""

    document: Document
    files: Mapping[str, File]


class Fresh:
    """The last documents. Who finds none here reads it."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[int, str], Made] = OrderedDict()

    def put(self, environment: int, document_id: str, made: Made) -> None:
        """Only what was committed, and as it was committed."""
        self._made[environment, document_id] = made
        while len(self._made) > MOST_DOCUMENTS:
            self._made.popitem(last=False)

    def get(self, environment: int, document_id: str) -> Made | None:
        return self._made.get((environment, document_id))
