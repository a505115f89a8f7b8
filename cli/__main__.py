"""Entry point of the `onaccount` command: what goes wrong is told in one sentence."""

import contextlib
import io
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn, TextIO

from cli.trouble import Trouble, from_os_error

USAGE = 2
INTERRUPTED = 130


def main(words: list[str] | None = None) -> NoReturn:
    """Run a command (that of this process unless given) and end with its exit status.

    0 done, 1 refused, a check failed or a search found nothing, 2 not understood or what is named
    is not there, 3 no answer in time or unreachable, 130 after Ctrl-C.
    """
    takes_any_text(sys.stdout)
    try:
        status = _run(sys.argv[1:] if words is None else words)
    except KeyboardInterrupt as stopped:
        if sys.stderr.isatty():
            print(file=sys.stderr)  # behind the ^C that the terminal shows
        print(f"onaccount: {told_of(stopped)}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    sys.exit(status)


def takes_any_text(out: TextIO) -> None:
    """Let be printed what can't be: half a letter in a dead letter (\\ud800), or the sign of the
    euro where a terminal knows none. It is written out."""
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="backslashreplace")


def told_of(stopped: KeyboardInterrupt) -> str:
    """What a person must know who pressed Ctrl-C: also what was sent and not answered yet."""
    notes = getattr(stopped.__context__, "__notes__", ())  # of the task that was cancelled for it
    return " ".join(("stopped.", *dict.fromkeys(notes)))


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """While code is loaded a Ctrl-C ends at once: nothing was asked yet, and nothing is open.

    An exception would not do: what C or Rust calls back (a model that pydantic builds) swallows
    it, and the command is carried out all the same. Where Ctrl-C is ignored, or heard by somebody
    else, it stays so.
    """
    heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not heard or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(number: int, frame: FrameType | None) -> None:
    os.write(2, b"onaccount: stopped.\n")
    os._exit(INTERRUPTED)


def _run(words: list[str]) -> int:
    with loading():
        from cyclopts import CycloptsError
        from cyclopts.exceptions import UnusedCliTokensError

        from cli.app import GROUPS, app

        if words and words[0] in GROUPS:
            app[words[0]]  # which loads its module, and the messages

    as_json = "--json" in words
    try:
        status = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except UnusedCliTokensError as fault:
        unused = " ".join(fault.unused_tokens or ())
        says = f"{unused!r} is too much; words that belong together go between quotes."
        _tell(f"{says} See {_help_for(words)}.", as_json=as_json)
        return USAGE
    except CycloptsError as fault:
        _tell(f"{_in_words(fault)} See {_help_for(words)}.", as_json=as_json)
        return USAGE
    except Trouble as trouble:
        _tell(str(trouble), as_json=as_json)
        return trouble.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as fault:
        told = from_os_error(fault)
        _tell(str(told), as_json=as_json)
        return told.exit_code
    return status if isinstance(status, int) else 0


def _tell(sentence: str, *, as_json: bool) -> None:
    print(json.dumps({"error": sentence}) if as_json else f"onaccount: {sentence}", file=sys.stderr)


def _in_words(fault: Exception) -> str:
    """What is wrong with the words of a command, with Python's types by their everyday names."""
    said = str(fault).replace(" into int.", " into a whole number.")
    return said.replace(" into float.", " into a number.")


def _help_for(words: list[str]) -> str:
    from cli.app import app

    named, *_ = app.parse_commands(words)
    return f"`{' '.join(('onaccount', *named, '--help'))}`"


if __name__ == "__main__":
    main()
