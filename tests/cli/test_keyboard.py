"""The line that is typed at the till: its keys, as a terminal sends them, and what Tab offers."""

import asyncio
from collections.abc import Callable, Iterator

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from cli.counter.keyboard import OFFERED, Keyboard, offers
from cli.counter.tab import Guest, Tab

UP, LEFT, BACKSPACE, CTRL_C, CTRL_D = "\x1b[A", "\x1b[D", "\x7f", "\x03", "\x04"


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    with (
        create_pipe_input() as keys,
        create_app_session(input=keys, output=DummyOutput()),
    ):
        yield keys


@pytest.fixture
def tab() -> Tab:
    return Tab(
        directory=[
            Guest(account="28900001", name="Zonnebloem"),
            Guest(account="28900002", name="Café De Zon"),
            Guest(account="28900010", name=""),
        ]
    )


async def test_a_price_that_was_mistyped_is_mended_with_the_arrows(
    keys: PipeInput, tab: Tab
) -> None:
    keys.send_text(f"Pils 3,60 21%{LEFT * 5}{BACKSPACE}5\r")
    assert await Keyboard(tab).line("bar-1> ") == "Pils 3,50 21%\n"


async def until(keyboard: Keyboard, text: str, press: Callable[[], None] = lambda: None) -> None:
    """Return when the line reads so; press meanwhile, as a person does whom nothing answers."""
    async with asyncio.timeout(20):
        while keyboard.text != text:
            press()
            await asyncio.sleep(0.01)


async def test_the_lines_before_come_back(keys: PipeInput, tab: Tab) -> None:
    keyboard = Keyboard(tab)
    keys.send_text("Wijn 5 21%\r\r")
    assert [await keyboard.line("> "), await keyboard.line("> ")] == ["Wijn 5 21%\n", "\n"]
    third = asyncio.create_task(keyboard.line("> "))
    await until(keyboard, "Wijn 5 21%", lambda: keys.send_text(UP))
    keys.send_text("\r")
    assert await third == "Wijn 5 21%\n"


async def test_the_input_ends_with_ctrl_d_and_ctrl_c_stops(keys: PipeInput, tab: Tab) -> None:
    keyboard = Keyboard(tab)
    keys.send_text(CTRL_D)
    assert await keyboard.line("> ") == ""
    keys.send_text(f"half a line{CTRL_C}")
    with pytest.raises(KeyboardInterrupt):
        await keyboard.line("> ")


@pytest.mark.parametrize(
    ("text", "put"),
    [
        ("off", ["offline"]),
        ("RE", ["repeat", "return"]),
        ("zon", ["28900001", "28900002"]),
        ("de zon", ["28900002"]),
        ("28900099", []),
        ("28900", ["28900001", "28900002", "28900010"]),
        (" ", []),
    ],
)
def test_tab_offers_commands_and_guests_by_number_or_name(
    tab: Tab, text: str, put: list[str]
) -> None:
    assert [each for each, _ in offers(text, tab)] == put


def test_tab_offers_no_more_guests_than_can_be_read_at_once() -> None:
    many = [Guest(account=f"2890{n:04}", name="Twaalf") for n in range(100)]
    assert len([*offers("twaalf", Tab(directory=many))]) == OFFERED


async def test_tab_puts_the_account_of_the_only_guest_that_fits(keys: PipeInput, tab: Tab) -> None:
    keyboard = Keyboard(tab)
    line = asyncio.create_task(keyboard.line("> "))
    keys.send_text("bloem\t")
    await until(keyboard, "28900001")
    keys.send_text("\r")
    assert await line == "28900001\n"
