"""Free TCP ports on 127.0.0.1, from a range that outgoing connections do not use."""

import secrets
import socket
from contextlib import closing
from pathlib import Path

LOCAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST = 20_000


def free_port(*, taken: set[int] | None = None) -> int:
    """A port that nobody listens on, and that is not in `taken`.

    Not one that the system hands out (bind to port 0): while our process is away for a moment,
    such a port can be given to an outgoing connection, and a client that keeps trying to connect
    to it can even be connected to itself; then the process could not come back at its address.
    """
    highest = _lowest_of_the_system() - 1
    for _ in range(1_000):
        # Not from `random`: what seeds it, as tests do, would give two processes the same ports.
        port = LOWEST + secrets.randbelow(highest - LOWEST + 1)
        if port not in (taken or ()) and is_free(port):
            return port
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            # A listener with SO_REUSEADDR of its own is noticed here at the latest.
            probe.listen(1)
        except OSError:
            return False
    return True


def _lowest_of_the_system() -> int:
    try:
        lowest = int(LOCAL_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        lowest = 32_768
    return lowest if lowest > LOWEST + 2_000 else 65_535
