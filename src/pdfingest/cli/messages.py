"""Messages of the program to its user, on stderr."""

import sys
from typing import Any, Literal, TypeAlias

Level: TypeAlias = Literal["info", "warning", "error"]


def say(level: Level, message: str, **fields: Any) -> None:  # noqa: ARG001 - for logs as JSON
    """Write a message for the user to stderr, a line as Unix programs do.

    Args:
        level: severity; text does not show it.
        message: what happened, to which file, and what to do next.
        fields: more that a program would want to know; text does not show them.
    """
    print(f"pdfingest: {message}", file=sys.stderr)  # noqa: T201 - the terminal is the reader
