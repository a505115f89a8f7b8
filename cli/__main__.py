"""Entry point of the `onaccount` command."""

import sys

from cli.trouble import Trouble


def main() -> None:
    """Run a command; trouble is told in a sentence, and the exit status is the command's."""
    from cli.app import app

    try:
        status = app(result_action="return_value")
    except Trouble as trouble:
        print(f"onaccount: {trouble}", file=sys.stderr)
        sys.exit(trouble.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()
