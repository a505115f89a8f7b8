"""command.applied, as it stands on the wire.

Written by hand, since an import's tells of three things a row: the bytes are those of
`encode(CommandApplied(...))` (a test compares them).
"""

from __future__ import annotations

from json.encoder import encode_basestring as quoted
from typing import Final

from pydantic import TypeAdapter

from schemas.commands import Caution, RefusedStep
from services.authorizer.domain.entities import Applied, Effect

_warnings: Final = TypeAdapter(tuple[Caution, ...]).serializer.to_json
_refused: Final = TypeAdapter(tuple[RefusedStep, ...]).serializer.to_json


def applied(environment: int, command_id: str, outcome: Applied) -> bytes:
    """command.applied: what a command came to. What is changed has names that were read or made
    here, and fewer than the message may hold."""
    value = (
        f'{{"type":"command.applied","command_id":"{command_id}","environment":{environment},'
        f'"changes":[{",".join(map(_effect, outcome.changes))}]'
    ).encode()
    if outcome.warnings:
        value += b',"warnings":' + _warnings(outcome.warnings, exclude_defaults=True)
    if outcome.refused:
        value += b',"refused":' + _refused(outcome.refused, exclude_defaults=True)
    return value + b"}"


def _effect(effect: Effect) -> str:
    kind, id_, change, step = effect
    text = f'{{"kind":"{kind}","id":{quoted(id_)},"change":"{change}"'
    return text + "}" if step is None else f'{text},"step":{step}}}'
