"""People's and companies' names: how a full name falls apart, and when two are the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from services.importer.domain.fields import normalise

_ORGANISATION: Final = re.compile(
    r"\b(b\.?v|n\.?v|v\.?o\.?f|c\.?v|u\.?a|ltd|llc|inc|gmbh|plc|s\.?a|b\.?v\.?b\.?a|holding|groep|group"
    r"|stichting|vereniging|club|bedrijf|bedrijven|gemeente|school|college|universiteit|hotel|caf[eé]"
    r"|restaurant|brasserie|bakkerij|brouwerij|slagerij|garage|bouw|bouwbedrijf|installatie\w*"
    r"|advocaten|notaris\w*|accountants?|adviseurs?|advies|makelaar\w*|schilder\w*|transport"
    r"|techniek|service|services|team|company|co|fc|vv|sv|svv|hc|tc|rkvv|foundation|association"
    r"|en zonen|en zn|zonen|zn|gebr|gebroeders|firma|winkel|apotheek|praktijk|bank|verzekeringen"
    r"|sponsor\w*|commissie|bestuur|jeugd|dames|heren|kantine|drukkerij|kwekerij|bloemen)\b\.?",
    re.IGNORECASE,
)
_INFIXES: Final = frozenset(
    {"van", "de", "der", "den", "het", "'t", "ter", "ten", "te", "in", "op", "aan", "bij", "voor"}
    | {"onder", "over", "uit", "von", "zu", "la", "le", "du", "da", "di", "el", "al", "d'", "'s"}
    | {"vd", "v.d.", "v/d"}
)
_BEHIND: Final = re.compile(r"([^,()]+?)(?:, ?| \()([^,()]+)\)?")
_ABBREVIATED: Final = frozenset({"sr", "jr"})
_GENERATIONS: Final = frozenset({"sr", "sr.", "jr", "jr.", "senior", "junior", "ii", "iii"})
"""Behind a last name, and part of it: "Jan Jansen sr."."""


def split_name(name: str) -> dict[str, str]:
    """A column "Naam" as registry fields: first_name, infix, last_name; or company.

    "Jan de Vries" and "Vries, Jan de" are people; anything with a legal form, a word such as
    stichting, a digit or an ampersand, and a single word, is a company: on an invoice a single
    word reads the same either way.
    """
    if _ORGANISATION.search(name) or re.search(r"[0-9&+/@]", name):
        return {"company": name}
    last, comma, first = name.partition(",")
    if _follows(last.split(), first.split()):  # "Jan Jansen, jr."
        name, comma = f"{last} {first.strip()}", ""
    if comma:
        behind, _, third = first.partition(",")
        if third.strip() and "," not in third and _are_infixes(behind):  # "Vries, de, Jan"
            return _person(third.split(), behind.split(), last.split())
        if not first.strip() or "," in first:
            return {"company": name}
        given, surname = first.split(), last.split()
        if _is_short(given[0]) and _generations(given) == len(given):  # "van der Berg, sr."
            at = next((n for n, word in enumerate(surname) if word.casefold() not in _INFIXES), 0)
            return _person([], surname[:at], [*surname[at:], *given])
        if first.strip().islower() and _are_infixes(first):  # "Vries, de"
            return _person([], given, surname)
        if infix := _tail_of_infixes(given):
            return _person(given[: len(given) - len(infix)], infix, surname)
        tail = [word for word in _tail_of_infixes(surname) if word.islower()]  # "Vries de, Jan"
        return _person(given, tail, surname[: len(surname) - len(tail)])
    words = name.split()
    if len(words) == 1:
        return {"company": name}
    for at in range(1, len(words) - 1):
        if words[at].casefold() in _INFIXES:
            end = at
            while end < len(words) - 1 and words[end].casefold() in _INFIXES:
                end += 1
            return _person(words[:at], words[at:end], words[end:])
    begin = max(len(words) - 1 - _generations(words), 0)
    if begin == 0 and not _is_short(words[1]):
        begin = 1  # "Piet Junior" is called so, where "Jansen sr." has no first name
    return _person(words[:begin], [], words[begin:])


def infix_behind(last_name: str) -> dict[str, str]:
    """A last name of which the infix may stand behind it, as in lists that are sorted by it:
    "Vries, de", "Vries (de)"."""
    found = _BEHIND.fullmatch(last_name) if "," in last_name or "(" in last_name else None
    if found is None or not _are_infixes(found[2]):
        return {"last_name": last_name}
    return {"last_name": found[1], "infix": found[2]}


def _are_infixes(text: str) -> bool:
    words = text.split()
    return bool(words) and all(word.casefold() in _INFIXES for word in words)


def _follows(last: list[str], first: list[str]) -> bool:
    """Whether what stands behind a comma only tells one of two namesakes, and before it is a whole
    name: a last name alone begins with an infix, or is one word."""
    whole = len(last) > 1 and last[0].casefold() not in _INFIXES
    return whole and bool(first) and _generations(first) == len(first)


def _is_short(word: str) -> bool:
    return word.casefold().rstrip(".") in _ABBREVIATED


def _generations(words: list[str]) -> int:
    """How many of the last words only tell one of two namesakes."""
    count = 0
    while count < len(words) and words[-1 - count].casefold() in _GENERATIONS:
        count += 1
    return count


def _tail_of_infixes(words: list[str]) -> list[str]:
    tail: list[str] = []
    for word in reversed(words[1:]):
        if word.casefold() not in _INFIXES:
            break
        tail.insert(0, word)
    return tail


def _person(first: list[str], infix: list[str], last: list[str]) -> dict[str, str]:
    parts = {"first_name": first, "infix": infix, "last_name": last}
    return {field: " ".join(words) for field, words in parts.items() if words}


def full_name(fields: Mapping[str, object]) -> str:
    """First name, infix and last name in one; empty where none of them is known."""
    parts = [fields.get("first_name"), fields.get("infix"), fields.get("last_name")]
    return " ".join([str(part) for part in parts if part])


def display_name(fields: Mapping[str, object]) -> str:
    """The company, else the full name: what an invoice shows."""
    return str(fields.get("company") or full_name(fields))


def name_keys(fields: Mapping[str, object]) -> frozenset[str]:
    """What the names of a customer are compared by: without case, accents, spaces and dots."""
    company, person = fields.get("company"), full_name(fields)
    keys = [key_of(str(company))] if company else []
    if person:
        keys.append(key_of(person))
    return frozenset([key for key in keys if key])


@lru_cache(maxsize=4096)
def key_of(name: str) -> str:
    """The comparable form of a name; one of signs only keeps them ("!!!" is not nobody).

    The few thousand that were last asked for are remembered: planning a row asks seven times.
    """
    if name.isascii() or not (plain := _with_vowels(name)):
        plain = normalise(name)
    return plain or unicodedata.normalize("NFKC", name).strip().casefold()


_WITH_ACCENTS: Final = ("LATIN ", "GREEK ", "CYRILLIC ", "HEBREW ", "ARABIC ", "SYRIAC ")
"""Scripts (as Unicode's names of letters begin) whose marks somebody may leave out."""


def _with_vowels(name: str) -> str:
    """As `normalise`, but for marks that are no accents: in Devanagari or Thai vowels are marks,
    and in Japanese they tell one consonant from another. Without them two people are one."""
    letters: list[str] = []
    base = ""
    for letter in unicodedata.normalize("NFKD", name.casefold().replace("#", "aantal")):
        if letter.isalnum():
            base = letter
            letters.append(letter)
        elif base and _is_mark(letter) and not _takes_accents(base):
            letters.append(letter)
    return "".join(letters)


def _is_mark(letter: str) -> bool:
    """But for what only chooses how a letter is drawn, which one writer leaves out (Unicode's
    variation selectors)."""
    if unicodedata.category(letter)[0] != "M":
        return False
    return "VARIATION SELECTOR" not in unicodedata.name(letter, "")


def _takes_accents(letter: str) -> bool:
    return letter.isascii() or unicodedata.name(letter, "").startswith(_WITH_ACCENTS)


def looked_up_by(key: str) -> str:
    """What a name's key is looked up by, where rows are found to be looked at again: letters alone,
    as they stand with customers of whom a state came long ago."""
    return key if key.isascii() else "".join(filter(str.isalnum, key)) or key


_FICTITIOUS_DOMAIN: Final = re.compile(
    r"@(.*\.)?(example\.[a-z]+|test\.(nl|com|eu|be)|(test|example|invalid|localhost))$"
)


def email_key(email: object, fictitious: object = None) -> str | None:
    """What an e-mail address is matched by; None for a made-up one, which identifies nobody. So
    does one at test.com or its like, though that is mailed: many are filled in so.

    The help article itself tells administrators to enter test@test.nl for everybody.
    """
    if not isinstance(email, str) or not email or fictitious is True:
        return None
    return _matched_by(email)


@lru_cache(maxsize=4096)
def _matched_by(email: str) -> str | None:
    key = email.casefold()
    return None if _FICTITIOUS_DOMAIN.search(key) else key
