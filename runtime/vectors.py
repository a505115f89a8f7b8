"""Whether an SVG is all that it draws: whoever takes a logo asks it, and whoever draws one.

typst looks for what a picture takes in among the files that its process has open
(docs/decisions/0118).
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final

from lxml import etree

_WITHIN: Final = re.compile(
    r"#(?:(?!\.\.)[^/\\])*"
    r"|data:(?:image|img)/(?P<kind>png|jpe?g|gif|webp|svg\+xml)(?:;charset=[\w-]+)?"
    r";base64,(?P<content>[A-Za-z0-9+/=\s]*)"
)
"""What is not wholly this is looked for as a file, whatever it begins with: `#/../../2` too."""

_LINK: Final = "{http://www.w3.org/2000/svg}a"
"""Where it leads is for people to follow: nothing is drawn of it."""


def opened(picture: bytes) -> Any | None:
    """The root of it; None if it is no XML in UTF-8.

    It is read as UTF-8 whatever it says of itself, for so typst reads it: in another encoding what
    stands there as a picture may be a comment. No entity is resolved, nothing is fetched.
    """
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, huge_tree=False
    )
    try:
        picture.decode()
        return etree.fromstring(picture, parser)
    except (etree.XMLSyntaxError, UnicodeDecodeError):
        return None


def takes_in_more(root: Any) -> bool:
    """Whether a picture takes in more than itself, or may do so by an entity."""
    words = _words(root)
    for element in root.iter():
        if isinstance(element, etree._Entity):
            if not words.get(element.text[1:-1], False):
                return True
        elif element.tag != _LINK:
            for name, value in element.items():
                if name.rpartition("}")[2].lower() == "href" and not _is_within(value):
                    return True
    return False


def _words(root: Any) -> dict[str, bool]:
    """By an entity's name whether it stands for words that the picture itself gives, and for no
    element. Of all at once: a picture may name thousands, and each of them thousands of times."""
    found: dict[str, bool] = {}
    declared = root.getroottree().docinfo.internalDTD
    for one in declared.iterentities() if declared is not None else ():
        is_words = not set("<&") & set(one.content or "<")
        found[one.name] = found.get(one.name, True) and is_words
    return found


def _is_within(link: str) -> bool:
    found = _WITHIN.fullmatch(link.strip())
    if found is None or found["kind"] != "svg+xml":
        return found is not None
    try:
        inner = opened(base64.b64decode(found["content"]))
    except binascii.Error:
        return False
    return inner is not None and not takes_in_more(inner)
