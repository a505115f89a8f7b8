"""Every field of every message wrong in every way: read, answerable, or a dead letter; no more.

Goal: whatever stands on a topic, reading it gives a message of the contract, what is needed to
answer its sender, or the reason for a dead letter; in time, and never another exception. Method:
generated from the schemas (wrongs.py), for every message of every topic: tens of thousands. Where
only our own services write, the fields, which are of the same few types, take turns.
"""

from __future__ import annotations

import json
import re
import time

import pytest

from schemas.base import Message
from schemas.malformed import Malformed, Undecodable
from schemas.topics import GROUPS, MESSAGES, TOPIC
from schemas.wire import decode, encode
from tests.schemas.message_strategies import of_topic
from tests.schemas.wrongs import BAD, Path, Wrong, right, spoiled, tried

HALF_OR_NUL = re.compile("[\x00\ud800-\udfff]")
SLOWEST_S = 2.0
"""Of processor, for the worst single record: 2 MB that are looked at closely. What else the
machine does meanwhile does not count."""


def turns_of(kind: str) -> int:
    return 3 if set(TOPIC[of_topic(kind)].writers) <= set(GROUPS) else 1


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_what_is_generated_is_right_until_it_is_spoiled(kind: str) -> None:
    found = decode(of_topic(kind), json.dumps(right(kind)).encode())
    assert isinstance(found, MESSAGES[kind]), found


@pytest.mark.parametrize("kind", sorted(MESSAGES))
def test_whatever_is_wrong_is_answered_or_a_dead_letter(kind: str) -> None:
    topic, model = of_topic(kind), MESSAGES[kind]
    fates = {"read": 0, "answered": 0, "dead": 0}
    for wrong in spoiled(kind, turns=turns_of(kind)):
        begun = time.process_time()
        try:
            found = decode(topic, wrong.value)
        except Undecodable as dead:
            _dead(wrong, model, dead)
            fates["dead"] += 1
        else:
            if isinstance(found, Malformed):
                _answerable(wrong, model, found)
                fates["answered"] += 1
            else:
                _read(topic, found)
                fates["read"] += 1
        assert time.process_time() - begun < SLOWEST_S, wrong.bad
    assert min(fates.values()) > 0, fates
    assert sum(fates.values()) >= len(BAD)


def _dead(wrong: Wrong, model: type[Message], dead: Undecodable) -> None:
    """Only what has no readable type or ids, or is no JSON at all."""
    top = wrong.path[0] if wrong.path else None
    assert top in (None, "type", *model.answer_ids), (wrong.path, wrong.bad, dead.reason)
    _tells_nothing(wrong, dead.reason)


def _answerable(wrong: Wrong, model: type[Message], found: Malformed) -> None:
    """Its ids are there, and the field that is named is the one that was spoiled."""
    assert set(model.answer_ids) <= set(found.ids)
    if wrong.path and found.message != "is in a message that is too large":
        said = (wrong.path, wrong.bad, found.field, found.message)
        assert _about(found.field, wrong.path) or _optional(model, found.field, wrong.path), said
    _tells_nothing(wrong, found.message)


def _about(field: str, path: Path) -> bool:
    """Whether a refusal's field is the spoiled one, one within it, or one that it is tied to."""
    spoiled_at = ".".join(map(str, path))
    tied = {"lines": "amount", "from": "until", "parts": "part"}
    return (
        field == spoiled_at
        or field.startswith(f"{spoiled_at}.")
        or spoiled_at.startswith(f"{field}.")
        or field == tied.get(str(path[0]))
    )


def _optional(model: type[Message], field: str, path: Path) -> bool:
    """Whether both may be absent: of some one must be given, or not more than one."""
    known = [model.model_fields.get(str(name)) for name in (field, path[0])]
    return all(one is not None and not one.is_required() for one in known)


def _tells_nothing(wrong: Wrong, sentence: str) -> None:
    """No value of the message comes back in a sentence that will stand in a log."""
    if isinstance(wrong.bad, str) and wrong.path and len(wrong.bad) > 6:
        assert wrong.bad not in sentence
    assert len(sentence) < 400


def _read(topic: str, found: Message) -> None:
    """It can be stored and said again: no NUL, no half character, and the same once more."""
    said = encode(found)
    assert not HALF_OR_NUL.search(said.decode())
    assert b"\\u0000" not in said
    assert decode(topic, said) == found


def test_what_is_made_wrong_is_tens_of_thousands() -> None:
    """Each place of each message with bad values; its bytes are wrong besides."""
    assert sum(1 for kind in MESSAGES for _ in tried(kind, turns=turns_of(kind))) > 20_000
