"""Files that this worker has just kept: the mails that follow need not read them back."""

from collections import OrderedDict
from collections.abc import Mapping

from services.invoicer.store.documents import File

MOST_DOCUMENTS = 32
"""A few seconds' worth, of some 150 kB each."""


class Fresh:
    """The last documents' files, as they are kept. Who finds none here reads them."""

    def __init__(self) -> None:
        self._files: OrderedDict[tuple[int, str], Mapping[str, File]] = OrderedDict()

    def put(self, environment: int, document_id: str, files: Mapping[str, File]) -> None:
        """Only what was committed, and as it was committed."""
        self._files[environment, document_id] = files
        while len(self._files) > MOST_DOCUMENTS:
            self._files.popitem(last=False)

    def get(self, environment: int, document_id: str) -> Mapping[str, File] | None:
        return self._files.get((environment, document_id))
