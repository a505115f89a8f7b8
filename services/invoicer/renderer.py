"""The process that makes documents: `python -m services.invoicer.renderer FD`.

Over the socket it gets plain functions with their arguments, and answers with what they give or
raise; each message is its length in eight bytes and a pickle. Both ends are ours, one machine and
one user. It ends when the other end closes, however the worker ended.
"""

import gc
import os
import pickle
import select
import socket
import sys
import threading
from contextlib import suppress
from typing import Any, NoReturn

from runtime.priority import give_way

LENGTH_BYTES = 8


def packed(message: object) -> bytes:
    """A message as it stands on the socket."""
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(content).to_bytes(LENGTH_BYTES) + content


def unpacked(content: bytes) -> Any:
    """What `packed` was given, without the length before it."""
    return pickle.loads(content)  # noqa: S301  (from a process of our own, over a line of its own)


def serve(line: socket.socket) -> NoReturn:
    """Answer calls, one after another, until the worker is gone."""
    give_way()
    # One thread is as quick for a page or two, and takes less of the core.
    os.environ["RAYON_NUM_THREADS"] = "1"
    threading.Thread(target=_end_with_worker, args=(line,), daemon=True).start()
    asked, warm = line.makefile("rb"), False
    while length := asked.read(LENGTH_BYTES):
        line.sendall(_answer(asked.read(int.from_bytes(length))))
        if not warm:  # what is loaded now stays: no use in looking through it again and again
            gc.collect()
            gc.freeze()
            gc.set_threshold(20_000, 10, 50)
            warm = True
    os._exit(0)


def _answer(request: bytes) -> bytes:
    try:
        function, args = unpacked(request)
        return packed((True, function(*args)))
    except Exception as error:
        with suppress(Exception):
            if isinstance(unpacked(pickle.dumps(error)), type(error)):
                return packed((False, error))
        return packed((False, RuntimeError(f"{type(error).__name__} in a document's process")))


def _end_with_worker(line: socket.socket) -> None:
    """Also in the middle of a document: nobody waits for it any more."""
    gone = select.poll()
    gone.register(line, 0)  # hanging up is told unasked
    gone.poll()
    os._exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
