"""What the importer says to people, in the environment's language: English, or Dutch for nl.

Sentences name what is wrong and what to write instead; the row and the column stand beside them.
"""

from __future__ import annotations

from typing import Literal

from services.importer.domain.kinds import kind_and_advice
from services.importer.domain.refusals import Refusal
from services.importer.domain.sentences import CELLS, FAILURES, ROWS, Sentence

Tongue = Literal["nl", "en"]


def say(texts: Sentence, tongue: Tongue, **words: object) -> str:
    """One of the two languages, with its words filled in."""
    return texts[tongue == "nl"].format(**words)


def of_cell(refusal: Refusal, value: str, tongue: Tongue) -> str:
    return say(
        CELLS[refusal.code],
        tongue,
        value=value,
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
