"""The options that the commands declare: their types, flags and variables, and how one is read.

Owns the way from what a user gives, a word or a value of TOML, to what a command gets. Typer reads
the same declarations for `--help`, but not the values: it would import pydantic for that, which
takes longer than the rest of the start, split the text of a variable at blanks, and not say where
a wrong value came from.

The variable of an option that `run` has is `PDFINGEST_` and its name, for all commands that have
it. The other options have the name of their command in between, so that no two of them meet in one
variable, nor with `PDFINGEST_PORT`, which Kubernetes sets for a service that is called pdfingest.
"""

import inspect
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, TypeAlias, get_origin

from pdfingest import values

PREFIX = "PDFINGEST_"
Program: TypeAlias = Any
"""The group of all commands, as typer makes it: of a class that differs between its versions."""

_TRUE = {"1", "true", "t", "yes", "y", "on"}
_FALSE = {"0", "false", "f", "no", "n", "off"}


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a command, or an argument, which has no variable."""

    name: str
    """Of the parameter of the command's function: `memory_limit`."""
    flag: str
    """As users write it: `--memory-limit`; what stands for it in the help, if an argument."""
    key: str
    """In a file: `memory_limit`; empty for an argument."""
    variable: str
    """`PDFINGEST_MEMORY_LIMIT`; empty for an argument."""
    kind: Any
    """Its type: bool, int, float, str, list, or an enumeration."""
    check: Callable[[Any], Any]
    """Judges a value, and brings it to its type; raises ValueError."""
    default: Any
    """`inspect.Parameter.empty` where it has none and must be given."""

    def read(self, word: str) -> Any:
        """Read what stands on the command line or in the environment.

        Raises:
            ValueError: it cannot be, and why.
        """
        return self.check(_READERS.get(self.kind, str)(word))


def taking(
    declared: Callable[..., Any], only: Collection[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of another function, whose result it takes first.

    So several commands can have the same options, and each may have more of its own.

    Args:
        declared: the function.
        only: names of the parameters to take; the others keep their defaults. All if empty.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        all_theirs = inspect.signature(declared).parameters
        theirs = {name: each for name, each in all_theirs.items() if not only or name in only}
        _, *own = inspect.signature(command).parameters.values()

        def run(**given: Any) -> None:
            result = declared(**{name: given.pop(name) for name in theirs})
            command(result, **given)

        parameters = sorted([*theirs.values(), *own], key=lambda each: each.kind)
        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # for typer
        return run

    return decorate


def options_of(program: Program, name: str) -> tuple[Option, ...]:
    """List the options of a command.

    Args:
        program: the group of all commands.
        name: of one of them.
    """
    shared = {param.name for param in program.commands["run"].params}
    return tuple(_options(program.commands[name], name, shared))


def _options(command: Any, name: str, shared: Collection[str]) -> Iterator[Option]:
    """Combine the parameters of a function with what typer made of them."""
    declared = inspect.signature(command.callback).parameters
    for param in command.params:
        is_option = param.param_type_name == "option"
        flag = str(param.opts[0] if is_option else param.metavar)
        key = flag.lstrip("-").replace("-", "_") if is_option else ""
        own = key if param.name in shared else f"{name}_{key}"
        annotation = declared[param.name].annotation
        kind, info = _kind(annotation.__origin__), annotation.__metadata__[0]
        yield Option(
            name=param.name,
            flag=flag,
            key=key,
            variable=str(param.envvar or f"{PREFIX}{own.upper()}") if is_option else "",
            kind=str if info.parser else kind,  # it takes the words as they are
            check=info.parser or _check(kind, info.min, info.max),
            default=declared[param.name].default,
        )


def _kind(annotation: Any) -> Any:
    """Reduce a type to the one that decides how it is read: of `list[str] | None`, list."""
    if isinstance(annotation, UnionType):
        (annotation,) = [each for each in annotation.__args__ if each is not NoneType]
    return get_origin(annotation) or annotation


def _check(kind: Any, least: int | None, most: int | None) -> Callable[[Any], Any]:
    """Choose the check for a type."""
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return values.one_of(kind)
    if kind is int:
        return values.whole(least, most)
    return _CHECKS.get(kind, values.texts)


_CHECKS: dict[Any, Callable[[Any], Any]] = {
    bool: values.flag,
    float: values.number,
    str: values.text,
}


def _flag(word: str) -> bool | str:
    """Read a truth value; what is none stays text, which the check refuses."""
    if word.lower() in _TRUE | _FALSE:
        return word.lower() in _TRUE
    return word


def _number(kind: Callable[[str], float]) -> Callable[[str], float | str]:
    """Make a reader of numbers; what is none stays text, which the check refuses."""

    def read(word: str) -> float | str:
        try:
            return kind(word)
        except ValueError:
            return word

    return read


_READERS: dict[Any, Callable[[str], Any]] = {
    bool: _flag,
    int: _number(int),
    float: _number(float),
    list: lambda word: [line for line in word.replace("\r\n", "\n").split("\n") if line],
}
"""Of words, by type; all other types are checked as text."""
