"""What this worker has just kept: the mails that follow need not read it back."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from services.invoicer.documents.model import Document
from services.invoicer.store.documents import File

MOST_DOCUMENTS = 96
"""A few seconds' worth: mails fall behind a little while a run begins, and one that must read its
files back takes longer, so that they would stay behind."""

MOST_BYTES = 16 * 2**20
"""A document of forty lines has some 100 kB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A document as a mail tells of it, without its lines, and its files as they are kept."""

    document: Document
    files: Mapping[str, File]

    @property
    def size(self) -> int:
        return sum(len(file.content) for file in self.files.values())


class Fresh:
    """The last documents. Who finds none here reads it."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[int, str], Made] = OrderedDict()
        self._bytes = 0

    def put(self, environment: int, document_id: str, made: Made) -> None:
        """Only what was committed, and as it was committed."""
        before = self._made.pop((environment, document_id), None)
        self._bytes += made.size - (before.size if before else 0)
        self._made[environment, document_id] = made
        while len(self._made) > MOST_DOCUMENTS or self._bytes > MOST_BYTES:
            self._bytes -= self._made.popitem(last=False)[1].size

    def get(self, environment: int, document_id: str) -> Made | None:
        return self._made.get((environment, document_id))
