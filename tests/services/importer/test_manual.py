"""The administrators' page shows the names and messages that the code has."""

import re

from services.importer.domain.failure_sentences import FAILURES
from services.importer.domain.sentences import CELLS, ROWS
from services.importer.manual import EXAMPLES, PAGE, page


def test_the_pages_tables_are_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "python -m services.importer.manual > docs/importing.md"


def test_every_message_has_an_example_with_all_its_words() -> None:
    known = {**CELLS, **ROWS, **FAILURES}
    assert EXAMPLES.keys() <= known.keys()
    for code, sentence in known.items():
        for text in sentence:
            assert set(re.findall(r"{(\w+)}", text)) <= EXAMPLES.get(code, {}).keys(), code


def test_the_pages_pictures_are_there() -> None:
    names = re.findall(r"\]\((pictures/[^)]+)\)", PAGE.read_text(encoding="utf-8"))
    assert len(names) == 2
    assert all((PAGE.parent / name).stat().st_size < 200_000 for name in names)
