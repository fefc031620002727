"""Values that users give, judged and brought to the one type that the program works with.

Each function takes what a caller, a file or a converted word holds, and raises `ValueError` whose
text is a reason without the name of the option: who raises it to the user knows that name.
"""

import math
import operator
import os
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from pdfingest.text import parse_size, printable

Kind = TypeVar("Kind", bound=StrEnum)

_SHOWN_CHARACTERS = 60
_MOST_BYTES = 1 << 60
"""One EiB: what adds and multiplies below it fits into what system calls take."""


def shown(value: object) -> str:
    """Show a value as its user wrote it, on one line and not too long."""
    if isinstance(value, bool):
        return str(value).lower()  # as TOML and the environment have it
    said = repr(value) if isinstance(value, (str, bytes)) else str(value)
    return printable(said, _SHOWN_CHARACTERS)


def whole(least: int | None = None, most: int | None = None) -> Callable[[Any], int]:
    """Make a check for whole numbers in a range, both ends included; None for no end."""

    def check(value: Any) -> int:
        try:
            if isinstance(value, bool):
                raise TypeError  # noqa: TRY301 - it is an int to Python alone
            number = operator.index(value)
        except TypeError:
            raise ValueError(f"must be a whole number, not {shown(value)}.") from None
        too_low = least is not None and number < least
        if too_low or (most is not None and number > most):
            bounds = f"{least} or more" if most is None else f"from {least} to {most}"
            raise ValueError(f"must be {bounds}, not {shown(number)}.")
        return number

    return check


def number(value: Any) -> float:
    """Check a number; NaN and infinity are none, as they would switch a limit off."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"must be a number, not {shown(value)}.")
    return float(value)


def above_zero(value: Any) -> float:
    """Check a number above 0, such as a time limit in seconds."""
    if number(value) <= 0:
        raise ValueError(f"must be above 0, not {shown(value)}.")
    return float(value)


def zero_or_more(value: Any) -> float:
    """Check a number that is not negative, such as a time to wait in seconds."""
    if number(value) < 0:
        raise ValueError(f"must be 0 or more, not {shown(value)}.")
    return float(value)


def size(value: Any) -> int:
    """Check a number of bytes, or a text such as `512M` or `4G` in powers of 1024."""
    try:
        size_bytes = parse_size(value) if isinstance(value, str) else whole(0)(value)
    except (ValueError, OverflowError):
        raise ValueError(f"must be a size such as 512M or 4G, not {shown(value)}.") from None
    if size_bytes >= _MOST_BYTES:
        raise ValueError(f"must be less than 1E, not {shown(value)}.")
    return size_bytes


def one_of(kind: type[Kind]) -> Callable[[Any], Kind]:
    """Make a check for the members of an enumeration and their texts."""

    def check(value: Any) -> Kind:
        try:
            return kind(value)
        except ValueError:
            *most, last = kind
            words = f"{', '.join(most)} or {last}"
            raise ValueError(f"must be {words}, not {shown(value)}.") from None

    return check


def flag(value: Any) -> bool:
    """Check a truth value; 0 and 1 are numbers."""
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {shown(value)}.")  # noqa: TRY004 - see above
    return value


def text(value: Any) -> str:
    """Check a text."""
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {shown(value)}.")  # noqa: TRY004 - see above
    return value


def texts(value: Any) -> tuple[str, ...]:
    """Check several texts, which may be secret; a lone one is one, not its letters."""
    if isinstance(value, str):
        return (value,)
    try:
        return tuple(map(text, value))
    except (TypeError, ValueError):
        raise ValueError("must be text or a list of texts.") from None


def names(value: Any) -> str:
    """Check names with commas between, such as those of engines; blanks around them go."""
    found = [name.strip() for name in text(value).split(",")]
    if not all(found):
        raise ValueError(f"must be names with a comma between, not {shown(value)}.")
    if len(set(found)) < len(found):
        raise ValueError(f"must name each engine once, not {shown(value)}.")
    return ",".join(found)


def path(value: Any) -> str:
    """Check a path: text, bytes, or what has `__fspath__`."""
    try:
        return os.fsdecode(value)
    except TypeError:
        raise ValueError(f"must be text, not {shown(value)}.") from None
