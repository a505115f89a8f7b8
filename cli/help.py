"""How help is laid out: paragraphs as wide as the terminal, and each parameter says what it is."""

import re
from typing import TYPE_CHECKING, Any

from attrs import evolve
from cyclopts.help import DefaultFormatter, HelpEntry, HelpPanel

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions

# One newline is the code's; an empty line is a paragraph's end.
WITHIN = re.compile(r"(?<!\n)[ ]*\n[ ]*(?!\n)")
# What has the same meaning in every command, where the command says nothing of its own.
EVERYWHERE = {
    "ENVIRONMENT": "The venue's number, as 2890.",
    "ACCOUNT": "The account's number, as 28900001.",
    "ACCOUNTS": "The accounts' numbers, one or more.",
    "CUSTOMER": "Its id, or words that fit no other.",
    "INVOICE": "The invoice's number or id.",
    "SALE_ID": "The sale's id.",
    "JOB_ID": "The import's id, as `onaccount import list` shows it.",
    "GROUP": "The group whose dead letters they are.",
    "PLACE": "Its place there, PARTITION:OFFSET, as the list shows it.",
    "WORDS": "Only what has these words; all without any.",
    "--account": "Only this account.",
    "--period": "Only this month, YYYY-MM.",
    "--description": "What the account is for, as `Tafel 9`.",
    "--on-account": "Whether it may buy on account.",
    "--in-overview": "Whether it stands behind the till's on-account button.",
    "--language": "Of mails and documents.",
    "--role": "The holder is invoiced; a viewer may see the account.",
    "--yes": "Do it without asking first.",
    "--operator": "Who sells, as it is kept with the sale.",
    "--note": "A remark, as it is kept with the sale.",
    "--cancellation-id": "Give an earlier one to repeat it: it is not done twice.",
}


class Joined(DefaultFormatter):
    """Cyclopts' own layout, but that the code's line breaks don't show within a paragraph."""

    def __call__(self, console: "Console", options: "ConsoleOptions", panel: HelpPanel) -> None:
        """Print the panel of a group of commands or parameters."""
        entries = [evolve(entry, description=_says(entry)) for entry in panel.entries]
        super().__call__(console, options, panel.copy(entries=entries))

    def render_description(
        self, console: "Console", options: "ConsoleOptions", description: Any
    ) -> None:
        """Print what stands above the panels."""
        super().render_description(console, options, joined(description))


def joined(description: Any) -> Any:
    """The same description, each paragraph one line; what is no plain text stays as it is."""
    from rich.text import Text

    text = getattr(description, "primary_renderable", None)
    if isinstance(text, Text):
        description.primary_renderable = Text(WITHIN.sub(" ", text.plain), end=text.end)
    return description


def _says(entry: HelpEntry) -> Any:
    from rich.text import Text

    text = getattr(entry.description, "primary_renderable", None)
    if isinstance(text, Text) and not text.plain:
        names = (entry.positional_label, *entry.positive_names)
        known = [EVERYWHERE[name] for name in names if name in EVERYWHERE]
        entry.description.primary_renderable = Text("".join(known[:1]))
    return joined(entry.description)
