"""Writing UBL; here and in workbooks text is set as text, so nothing that a person typed becomes
markup.

A tree of our own, for an invoice has a thousand elements: lxml takes three times as long to make
and write them.
"""

from collections.abc import Mapping
from typing import overload

from services.invoicer.documents.text import clean

_STEP = "  "


class Element:
    """An element with children, by its prefixed name ("cac:Party"). A child that has only text is
    kept as it is written: most are, and each is made once."""

    __slots__ = ("attributes", "children", "name")

    def __init__(self, name: str, attributes: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.attributes = attributes or {}
        self.children: list[Element | str] = []


@overload
def add(parent: Element, name: str) -> Element: ...
@overload
def add(parent: Element, name: str, text: str, **attributes: str) -> None: ...
def add(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element | None:
    """Append `cac:` or `cbc:` element `name`. With text that is empty nothing is appended
    (PEPPOL-EN16931-R008: no empty elements)."""
    if text is None:
        element = Element(name)
        parent.children.append(element)
        return element
    if cleaned := clean(text):
        opening = _opening(name, attributes) if attributes else name
        parent.children.append(f"<{opening}>{escaped(cleaned)}</{name}>\n")
    return None


def written(root: Element) -> bytes:
    """UTF-8 with declaration, an element a line, indented."""
    pieces = ["<?xml version='1.0' encoding='UTF-8'?>\n"]
    _write(pieces, root, "")
    return "".join(pieces).encode()


def kept(element: Element, depth: int) -> str:
    """An element as it is written so deep, to be a child of many: a menu has few lines."""
    pieces: list[str] = []
    _write(pieces, element, _STEP * depth)
    return "".join(pieces).lstrip()


def _write(pieces: list[str], element: Element, indent: str) -> None:
    opening = _opening(element.name, element.attributes)
    if not element.children:
        pieces.append(f"{indent}<{opening}/>\n")
        return
    pieces.append(f"{indent}<{opening}>\n")
    inner = indent + _STEP
    for child in element.children:
        if isinstance(child, str):
            pieces += (inner, child)
        else:
            _write(pieces, child, inner)
    pieces.append(f"{indent}</{element.name}>\n")


def _opening(name: str, attributes: Mapping[str, str]) -> str:
    for key, value in attributes.items():
        name += f' {key}="{attribute(value)}"'
    return name


def escaped(text: str) -> str:
    """Text as an element has it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def attribute(text: str) -> str:
    """Text as an attribute has it, in double quotes."""
    return escaped(text).replace('"', "&quot;")
