"""What the importer says to people, in the environment's language: English, or Dutch for nl.

Sentences name what is wrong and what to write instead; the row and the column stand beside them.
"""

from __future__ import annotations

from typing import Final, Literal

from services.importer.domain.failure_sentences import FAILURES
from services.importer.domain.kinds import kind_and_advice
from services.importer.domain.refusals import Refusal
from services.importer.domain.sentences import CELLS, ROWS, Sentence

Tongue = Literal["nl", "en"]

LONGEST_WHOLE: Final = 40


def say(texts: Sentence, tongue: Tongue, **words: object) -> str:
    """One of the two languages, with its words filled in."""
    return texts[tongue == "nl"].format(**words)


def brief(text: str) -> str:
    """A text, or where it is long as much of it as it is known again by."""
    return text if len(text) <= LONGEST_WHOLE else f"{text[: LONGEST_WHOLE - 1].rstrip()}…"


def of_cell(refusal: Refusal, value: str, tongue: Tongue) -> str:
    return say(
        CELLS[refusal.code],
        tongue,
        value=brief(value),
        write=refusal.write,
        where=refusal.where,
        at_most=refusal.at_most,
    )


def of_row(code: str, tongue: Tongue, **words: object) -> str:
    return say(ROWS[code], tongue, **words)


def of_failure(code: str, tongue: Tongue, **words: object) -> str:
    return say(FAILURES[code], tongue, **words)


def not_a_workbook(kind: str, tongue: Tongue) -> str:
    """What a file is instead of a workbook, and how to make one of it."""
    what, advice = kind_and_advice(kind)
    return of_failure("not_a_workbook", tongue, value=say(what, tongue), advice=say(advice, tongue))
