"""What a line that is typed at the till means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from cli.amounts import AMOUNT, Misuse, cents
from cli.items import ITEM, NEARLY, item
from cli.messages import Json

Kind = Literal[
    "item", "pick", "find", "charge", "list", "sales", "cancelled", "returned", "settled",
    "repeat", "again", "drop", "offline", "online", "sign_on", "served", "not_served", "help",
    "quit",
]  # fmt: skip

WORDS: Final[dict[str, Kind]] = {
    "": "charge", "pay": "charge", "charge": "charge",
    "list": "list", "l": "list",
    "find": "find", "f": "find",
    "sales": "sales", "s": "sales",
    "cancel": "cancelled", "c": "cancelled", "return": "returned", "settle": "settled",
    "repeat": "repeat", "r": "repeat", "again": "again",
    "drop": "drop", "d": "drop",
    "offline": "offline", "online": "online",
    "on": "sign_on", "signon": "sign_on",
    "served": "served", "unserved": "not_served",
    "help": "help", "?": "help", "h": "help",
    "quit": "quit", "q": "quit", "exit": "quit", "bye": "quit",
}  # fmt: skip

HELP: Final = (
    ("twelve", "search: part of a name or number; one that fits alone is chosen"),
    ("3", "choose the third of the list that was shown; 28900001 chooses that account"),
    ("2 x Pils 3,50 21%", "put two on the tab; the price is for one, VAT included"),
    ("(an empty line)", "charge the tab to the account"),
    ("drop 1", "take the first line off the tab again; drop alone: all of it"),
    ("cancel", "take the last sale back; cancel 2: the second; cancel 2 3,50: a part of it"),
    ("return, settle", "likewise: brought back, or paid at the till after all"),
    ("sales", "what was sold here since sign-on"),
    ("repeat", "send the last message once more: it is answered alike, not done twice"),
    ("again", "put what was charged last on the tab once more, for another account"),
    ("offline, online", "sell without asking, and tell it all afterwards"),
    ("list, list 2", "what stands behind the on-account button, page by page"),
    ("on", "sign on again: now changes of accounts are seen"),
    ("quit", "end"),
    ("Tab, arrow up", "what a line may go on as, and the lines before it"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """One line, understood. `number` counts from 1; `amount` is in minor units."""

    kind: Kind
    text: str = ""
    line: Json | None = None
    number: int | None = None
    amount: int | None = None


def understand(text: str, *, listed: int) -> Typed:
    """What a line means; `listed` is how long the list is that was shown last.

    What is no command, item or place in the list is searched for. Raises Misuse for a command
    that is only half right.
    """
    text = text.strip()
    if ITEM.fullmatch(text):
        return Typed(kind="item", line=item(text))
    if text.isdecimal() and 1 <= int(text) <= listed:
        return Typed(kind="pick", number=int(text))
    word, _, rest = text.partition(" ")
    kind = WORDS.get(word.lower())
    rest = rest.strip()
    match kind:
        case None if NEARLY.fullmatch(text):
            return Typed(kind="item", line=item(text))  # which says how it is written
        case None:
            return Typed(kind="find", text=text)
        case "find":
            return Typed(kind="find", text=rest)
        case "cancelled" | "returned" | "settled":
            return _taking_back(kind, rest)
        case "list" | "drop":
            if rest and not (rest.isdecimal() and int(rest) > 0):
                raise Misuse(f"{word} takes a number, as in {word} 2.")
            return Typed(kind=kind, number=int(rest) if rest else None)
        case _ if rest:
            return Typed(kind="find", text=text)  # a name may begin with any word
        case _:
            return Typed(kind=kind)


def _taking_back(kind: Kind, rest: str) -> Typed:
    words = rest.split()
    # "cancel 2": the second sale; "cancel 3,50": so much of the last one.
    number = words.pop(0) if words and words[0].isdecimal() else None
    amount = words.pop(0) if words and AMOUNT.fullmatch(words[0].removeprefix("€")) else None
    if words or number == "0":
        raise Misuse("Write cancel, cancel 2 (the second sale) or cancel 2 3,50 (a part of it).")
    return Typed(
        kind=kind,
        number=None if number is None else int(number),
        amount=None if amount is None else cents(amount),
    )
