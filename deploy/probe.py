"""Asks this container's worker how it is: `python probe.py live` or `ready`; exit status 0 or 1.

/live says whether a restart would help, /ready whether it serves. It stands by itself and imports
nothing of ours, so that it starts in a few hundredths of a second every time.
"""

import http.client
import os
import sys

TIMEOUT_S = 4


def main() -> int:
    """Ask, and print the answer, which the container engine keeps."""
    asked = sys.argv[1] if sys.argv[1:] in (["live"], ["ready"]) else "live"
    port = int(os.environ.get("ONACCOUNT_HEALTH_PORT") or 0)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", f"/{asked}")
        response = connection.getresponse()
        said = response.read().decode("utf-8", "replace")
    except OSError as fault:
        sys.stdout.write(f"nothing answers on port {port}: {fault}\n")
        return 1
    finally:
        connection.close()
    sys.stdout.write(f"{said}\n")
    return 0 if response.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
