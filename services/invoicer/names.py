"""Ids that are made, never drawn: the same cause gives the same id, whoever works it out."""

from uuid import NAMESPACE_URL, uuid5

_SPACE = uuid5(NAMESPACE_URL, "https://onaccount/invoicer")


def made(kind: str, *of: object) -> str:
    """A UUID for `kind` out of what it was made from. No part of `of` may hold a newline."""
    return str(uuid5(_SPACE, "\n".join((kind, *map(str, of)))))
