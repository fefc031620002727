"""Checks of values that users give, and how a field of a dataclass declares its check.

A check takes what a Python caller, a configuration file or a parsed word holds, and returns the one
type that the program works with. It raises `ValueError` whose text is the reason without the name
of the option, because only the caller knows whether the value came from a flag, a variable, a file
or a keyword argument.
"""

import math
import operator
import os
import re
from collections.abc import Callable
from dataclasses import field
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar, cast

from pdfingest.model import FailureKind
from pdfingest.text import parse_size, printable

ANY_KIND = "any"
"""The word that stands for every kind of failure."""

Kind = TypeVar("Kind", bound=StrEnum)
Value = TypeVar("Value")

_SHOWN_CHARACTERS = 60
_MOST_BYTES = 1 << 60
"""One EiB: sums and products of sizes below it still fit into the arguments of system calls."""
_SHARE = re.compile(r"(?P<percent>\d{1,3}(?:\.\d{1,6})?)%|(?P<number>\d{1,12})", re.ASCII)
_ALL = 100.0


class Share(NamedTuple):
    """A limit on a number of sources, absolute or in percent of all sources."""

    number: int = 0
    percent: float = 0.0

    @property
    def is_all(self) -> bool:
        """Whether the share is 100 %, so that no number of sources exceeds it."""
        return self.percent == _ALL

    def of(self, total: int) -> float:
        """Return the number of sources that the share allows, out of `total`."""
        return self.number or self.percent * total / _ALL

    def __str__(self) -> str:
        return f"{self.percent:g}%" if self.percent else f"{self.number}"


class Spec(NamedTuple):
    """What the field of an option declares beside its type and its default."""

    check: Callable[[Any], Any]
    """Returns a value as the type of the field, or raises `ValueError` with the reason."""
    help: str
    metavar: str = ""
    """Placeholder of the value in the help; empty for switches and enumerations."""
    shown_default: str = ""
    """What the help says where the default itself says too little."""


def option(
    default: object,
    check: Callable[[Any], Value | None],
    help_text: str,
    metavar: str = "",
    shown_default: str = "",
) -> Value:
    """Declare a field with its check; the default may be as users write it, `1G` or `50%`."""
    spec = Spec(check, help_text, metavar, shown_default)
    # Typed as the checked value, so that type checkers compare the check with the field.
    return cast(Value, field(default=default, metadata={"spec": spec}))


def option_of(field_name: str) -> str:
    """Return the name of the option that gives a field, which is the field's without its unit."""
    if field_name == "passwords":
        return "password"
    return field_name.removesuffix("_bytes").removesuffix("_s")


def switch(help_text: str) -> bool:
    """Declare a field that is false unless the user gives it."""
    return option(default=False, check=flag, help_text=help_text)


def shown(value: object) -> str:
    """Return a value as its user wrote it, on one line and not too long."""
    if isinstance(value, bool):
        return str(value).lower()  # the spelling of TOML and of the environment
    said = repr(value) if isinstance(value, (str, bytes)) else str(value)
    return printable(said, _SHOWN_CHARACTERS)


def optional(check: Callable[[Any], Value]) -> Callable[[Any], Value | None]:
    """Make a check that accepts None, and otherwise does what `check` does."""
    return lambda value: None if value is None else check(value)


def whole(least: int | None = None, most: int | None = None) -> Callable[[Any], int]:
    """Make a check for whole numbers from `least` to `most`, both included; None is no bound."""

    def check(value: Any) -> int:
        try:
            if isinstance(value, bool):
                raise TypeError  # noqa: TRY301 - Python takes a bool for an int, users do not
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
    """Check a number. NaN and infinity are refused, because either would switch a limit off."""
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


def share(value: Any) -> Share:
    """Check a `Share`, a number of sources, or a text such as `20` or `5%`."""
    if isinstance(value, Share):
        return value
    is_text_of_one = isinstance(value, int | str) and not isinstance(value, bool)
    match = _SHARE.fullmatch(str(value).strip()) if is_text_of_one else None
    percent = float(match["percent"] or 0) if match else 0.0
    if match is None or percent > _ALL:
        raise ValueError(f"must be a number, or a part such as 5%, not {shown(value)}.")
    return Share(percent=percent) if match["percent"] else Share(number=int(match["number"]))


def one_of(kind: type[Kind]) -> Callable[[Any], Kind]:
    """Make a check for the members of an enumeration, which may be given by their texts."""

    def check(value: Any) -> Kind:
        try:
            return kind(value)
        except ValueError:
            *most, last = kind
            words = f"{', '.join(most)} or {last}"
            raise ValueError(f"must be {words}, not {shown(value)}.") from None

    return check


def failure_kinds(value: Any) -> tuple[FailureKind, ...]:
    """Check several kinds of failure, a text such as `timeout,crashed`, or `any` for all kinds."""
    if value == ANY_KIND:
        return tuple(FailureKind)
    found = value.split(",") if isinstance(value, str) else value
    try:
        return tuple(FailureKind(each.strip()) for each in found)
    except (AttributeError, TypeError, ValueError):
        words = f"{ANY_KIND} or one or more of {', '.join(FailureKind)}"
        raise ValueError(f"must be {words}, not {shown(value)}.") from None


def flag(value: Any) -> bool:
    """Check a truth value. The numbers 0 and 1 are refused."""
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {shown(value)}.")  # noqa: TRY004 - a check
    return value


def text(value: Any) -> str:
    """Check a text."""
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {shown(value)}.")  # noqa: TRY004 - a check
    return value


def texts(value: Any) -> tuple[str, ...]:
    """Check a text or several. The reason never shows them, because they may be passwords."""
    if isinstance(value, str):
        return (value,)
    try:
        return tuple(map(text, value))
    except (TypeError, ValueError):
        raise ValueError("must be text or a list of texts.") from None


def names(value: Any) -> str:
    """Check names separated by commas, such as those of engines, and strip the blanks around."""
    found = [name.strip() for name in text(value).split(",")]
    if not all(found):
        raise ValueError(f"must be names with a comma between, not {shown(value)}.")
    if len(set(found)) < len(found):
        raise ValueError(f"must name each once, not {shown(value)}.")
    return ",".join(found)


def optional_names(value: Any) -> str:
    """Check names as `names` does; an empty text is none."""
    return names(value) if value != "" else ""


def path(value: Any) -> str:
    """Check a path, given as text, as bytes, or as an object with `__fspath__`."""
    try:
        return os.fsdecode(value)
    except TypeError:
        raise ValueError(f"must be text, not {shown(value)}.") from None
