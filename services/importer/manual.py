"""The tables of docs/importing.md, made from the code: `python -m services.importer.manual`.

Prints the page with its tables as the code has them now; a test compares.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from services.importer.domain.failure_sentences import FAILURES
from services.importer.domain.fields import FIELDS, SYNONYMS
from services.importer.domain.kinds import KINDS
from services.importer.domain.sentences import CELLS, ROWS, Sentence
from services.importer.domain.statuses import OF_A_DAY, OF_PEOPLE, WORDS

PAGE: Final = Path(__file__).parents[2] / "docs" / "importing.md"
_TABLE: Final = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
ENGLISH, DUTCH = 0, 1

EXAMPLES: Final[dict[str, dict[str, object]]] = {
    "not_text": {"value": "TRUE"},
    "is_date": {"value": "2026-05-01"},
    "is_error": {"value": "#N/A"},
    "too_long": {"value": "Straatweg ...", "at_most": 40},
    "part_too_long": {"value": "van de van de ...", "at_most": 40},
    "damaged_number": {"value": "12345678901234568"},
    "scientific": {"value": "2,89E+07"},
    "is_masked": {"value": "42"},
    "is_money": {"value": "$ 28900001"},
    "no_result": {"value": "=50*2"},
    "is_merged": {"value": "28900001"},
    "says_none": {"value": "geen"},
    "is_iban": {"value": "NL91ABNA0417164300"},
    "not_an_account": {"value": "-5"},
    "several_accounts": {"value": "28900001, 28900002"},
    "not_a_count": {"value": "veel", "at_most": 1000},
    "not_yes_or_no": {"value": "misschien"},
    "not_a_status": {"value": "nieuw"},
    "of_people": {"value": "Oud-lid"},
    "of_a_day": {"value": "Opgezegd"},
    "not_a_language": {"value": "Fries"},
    "not_a_country": {"value": "Gelderland"},
    "not_an_email": {"value": "info@club"},
    "not_a_chamber_number": {"value": "1234"},
    "not_a_peppol_id": {"value": "12345678"},
    "not_an_amount": {"value": "12,5O", "write": "12,50"},
    "other_currency": {"value": "$ 50", "where": "EUR"},
    "unclear_amount": {"value": "1.250", "write": "1250,00"},
    "too_many_decimals": {"value": "12,505"},
    "negative_amount": {"value": "-10"},
    "amount_too_large": {"value": "1000000000"},
    "not_a_postcode": {"value": "3991 A8", "where": "NL", "write": "1234 AB"},
    "not_a_postcode_and_city": {
        "value": "1234 Houten",
        "where": "NL",
        "write": "1234 AB Houten",
    },
    "not_a_vat_number": {"value": "NL123456789B01", "where": "NL"},
    "claimed": {"value": "28900001", "other": 4},
    "joins": {"other": 4},
    "total": {"value": "Totaal"},
    "no_account": {"value": "Oud-leden"},
    "no_address": {"value": "..."},
    "spaced_account": {"value": "2890 0001", "other": "28900001"},
    "unlike_environment": {"other": 2890},
    "twice": {"value": "28900001", "other": 4},
    "contradicts": {"other": 4, "theirs": "Houten"},
    "email_taken": {"value": "info@dekraan.nl", "theirs": "De Kraan B.V."},
    "renames_mailed": {"theirs": "De Kraan B.V."},
    "torn": {"value": "info@dekraan.nl", "theirs": "De Kraan B.V."},
    "other_holder": {"value": "28900001", "theirs": "De Kraan B.V."},
    "renames": {"other": "28900001", "theirs": "De Kraan B.V."},
    "closed_account": {"value": "28900001"},
    "fictitious": {"value": "test@test.nl"},
    "depends": {"other": 4},
    "environment_unknown": {"value": 2890},
    "invalid_message": {"value": "sha256 is required"},
    "stopped": {"done": 40, "rows": 100},
    "given_up": {"done": 40, "rows": 100},
    "too_large": {"value": 20},
    "too_many_rows": {"value": 200000},
    "not_a_workbook": {"value": KINDS["pdf"], "advice": "..."},
    "columns_unclear": {"value": "Limiet"},
    "columns_alike": {"value": "Rekening"},
    "several_lists": {"first": 2, "second": 12},
    "mapping_unknown": {"value": "naam"},
    "sheet_unknown": {"value": "2025"},
    "too_late": {"value": 30},
}
"""Words to fill the sentences with, for both tongues or as (English, Dutch); some need none."""

TOLD_AS: Final[dict[str, str]] = {
    "stopped": "cancelled",
    "no_header": "columns_unclear",
    "nobody_named": "columns_unclear",
    "columns_alike": "columns_unclear",
    "several_lists": "columns_unclear",
    "mapping_unknown": "columns_unclear",
    "sheet_unknown": "sheet_unclear",
    "given_up": "not_processed",
    "undo_not_processed": "not_processed",
}
"""The `reason` of import.failed, where the sentence's own name is another."""


def page(text: str) -> str:
    """The page with its tables filled in."""
    tables = {
        "columns": _columns(),
        "statuses": _statuses(),
        "cells": _sentences(CELLS),
        "rows": _sentences(ROWS),
        "failures": _sentences(FAILURES, names=True),
    }
    return _TABLE.sub(lambda found: f"{found[1]}{tables[found[2]]}{found[3]}", text)


def _columns() -> str:
    lines = ["| field | names above the column |", "|---|---|"]
    lines += [f"| `{field}` | {', '.join(SYNONYMS[field])} |" for field in FIELDS]
    return "\n".join(lines) + "\n"


def _statuses() -> str:
    lines = ["| written in the cell | status |", "|---|---|"]
    lines += [f"| {', '.join(words)} | `{status}` |" for status, words in WORDS.items()]
    lines += [
        f"| {', '.join(words)} | refused: {says} |"
        for words, says in (
            (OF_PEOPLE, "it says what somebody is, not whether the account is open"),
            (OF_A_DAY, "it may be so now, or from a day to come"),
        )
    ]
    return "\n".join(lines) + "\n"


def _words(code: str, tongue: int) -> dict[str, object]:
    return {
        name: word[tongue] if isinstance(word, tuple) else word
        for name, word in EXAMPLES.get(code, {}).items()
    }


def _sentences(sentences: dict[str, Sentence], *, names: bool = False) -> str:
    lines = ["| reason | Nederlands | English |", "|---|---|---|"] if names else (
        ["| Nederlands | English |", "|---|---|"]
    )  # fmt: skip
    for code, (english, dutch) in sentences.items():
        first = [f"`{TOLD_AS.get(code, code)}`"] if names else []
        told = [dutch.format(**_words(code, DUTCH)), english.format(**_words(code, ENGLISH))]
        lines.append(f"| {' | '.join([*first, *told])} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page(PAGE.read_text(encoding="utf-8")))
