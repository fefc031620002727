"""Values of options that several commands share."""

from pdfingest.errors import UsageError
from pdfingest.text import parse_size


def size(option: str, text: str) -> int:
    """A size in bytes.

    Raises:
        UsageError: it is none; the message names the option.
    """
    try:
        return parse_size(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}.") from error
