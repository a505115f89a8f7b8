"""What two services would otherwise copy: the edge, the database, jobs, settings, health."""

import sys

# structlog takes up rich wherever it is installed, for consoles; workers write lines of JSON, and
# would spend a sixth of their start and four megabytes on it. Whoever wants rich still gets it.
if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]
