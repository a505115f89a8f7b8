"""What a benchmark is asked, and how it tells what it found: a line each, or JSON."""

import argparse
import json
from collections.abc import Mapping


def asked(doc: str | None) -> argparse.ArgumentParser:
    """A parser that shows the benchmark's own words, with `--json`."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    return parser


def tell(found: Mapping[str, object], *, as_json: bool) -> None:
    """Print it, names aligned."""
    if as_json:
        print(json.dumps(found))
        return
    width = max(map(len, found))
    for name, value in found.items():
        print(f"{name:<{width}}  {value}")
