"""Messages of the program to its user."""

import sys


def say(message: str) -> None:
    """Write one line to stderr, as Unix programs do."""
    print(f"pdfingest: {message}", file=sys.stderr)  # noqa: T201 - the terminal is the reader
