"""The options of the commands: their flags, variables, types and checks, and how a word is read.

Owns the way from what a user gives, a word or a value of TOML, to what a command gets. Typer reads
the same declarations for `--help`, but not the values: for these it would import pydantic, which
takes longer than the rest of the start, split the text of a variable at blanks, and not say where
a wrong value came from.

The fields of `IngestOptions` are not declared again: `taking` makes a parameter of each.

The variable of an option that `run` has is `PDFINGEST_` and its name, for all commands that have
it. The other options have the name of their command in between, so that no two of them meet in one
variable, nor with `PDFINGEST_PORT`, which Kubernetes sets for a service that is called pdfingest.
"""

import inspect
from collections.abc import Callable, Collection, Iterator
from dataclasses import Field, fields
from enum import StrEnum
from inspect import Parameter
from operator import getitem
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, cast, get_args, get_origin

import typer

from pdfingest import values
from pdfingest.cli.commands import Commands
from pdfingest.options import IngestOptions
from pdfingest.values import option_of

PREFIX = "PDFINGEST_"

_LETTERS = {"output": ["-o"], "workers": ["-w"]}
_TRUE = {"1", "true", "t", "yes", "y", "on"}
_FALSE = {"0", "false", "f", "no", "n", "off"}


class Option(NamedTuple):
    """An option of a command, or an argument, which has no variable."""

    name: str
    """Name of the parameter of the command's function: `memory_limit`."""
    flag: str
    """What users write: `--memory-limit`; for an argument, what the help calls it."""
    key: str
    """Key in a configuration: `memory_limit`; empty for an argument."""
    variable: str
    """`PDFINGEST_MEMORY_LIMIT`; empty for an argument."""
    kind: Any
    """Type that decides how a word is read: bool, int, float, str, list, or an enumeration."""
    check: Callable[[Any], Any]
    """Returns a value as its type, or raises `ValueError` with the reason."""
    default: Any
    """`inspect.Parameter.empty` where the option has no default and must be given."""

    def read(self, word: str) -> Any:
        """Return the value of a word from the command line or the environment.

        Raises:
            ValueError: the word is wrong; the text is the reason.
        """
        return self.check(_READERS.get(self.kind, str)(word))


def default_of(field_name: str) -> Any:
    """Return the default of a field of `IngestOptions`, for commands with an option like it."""
    return next(each.default for each in fields(IngestOptions) if each.name == field_name)


def taking(
    declared: Callable[..., Any], only: Collection[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of another function, and the result of that function.

    So several commands can have the same options, and each may have more of its own.

    Args:
        declared: takes options of its own, and those of `IngestOptions` as `**chosen`.
        only: names of the parameters to take; the others keep their defaults. All if empty.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        all_theirs = (*map(_parameter, fields(IngestOptions)), *_parameters(declared))
        theirs = [each for each in all_theirs if not only or each.name in only]
        _, *own = _parameters(command)

        def run(**given: Any) -> None:
            result = declared(**{each.name: given.pop(each.name) for each in theirs})
            command(result, **given)

        # A signature has its keyword-only parameters last; the sort keeps the order within a kind.
        parameters = sorted([*theirs, *own], key=lambda each: each.kind)
        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        vars(run)["__signature__"] = inspect.Signature(parameters)  # typer reads it (PEP 362)
        return run

    return decorate


def _parameters(function: Callable[..., Any]) -> list[Parameter]:
    found = inspect.signature(function).parameters.values()
    return [each for each in found if each.kind is not Parameter.VAR_KEYWORD]


def _parameter(declared: "Field[Any]") -> Parameter:
    spec: values.Spec = declared.metadata["spec"]
    name = option_of(declared.name)
    shown = f" [default: {spec.shown_default}]" if spec.shown_default else ""
    info = typer.Option(
        f"--{name.replace('_', '-')}",
        *_LETTERS.get(name, ()),
        help=f"{spec.help}{shown}",
        metavar=spec.metavar or None,
        show_default=not shown,
    )
    annotation = getitem(cast(Any, Annotated), (_type_for_typer(declared.type), info, spec.check))
    return Parameter(name, Parameter.KEYWORD_ONLY, default=declared.default, annotation=annotation)


def _type_for_typer(annotation: Any) -> Any:
    """Return the type of a field where typer knows it, `list[str]` for texts, and else `str`."""
    known: Any = (bool, int, float, StrEnum)
    if isinstance(annotation, type) and issubclass(annotation, known):
        return annotation
    return list[str] if annotation == tuple[str, ...] else str


def options_of(program: Commands, name: str) -> tuple[Option, ...]:
    """List the options of a command."""
    # Their variables have no command in the name, whichever command has the option.
    shared = {param.name for param in program.get_command(None, "run").params}
    return tuple(_options(program.get_command(None, name), name, shared))


def _options(command: Any, name: str, shared: Collection[str]) -> Iterator[Option]:
    """Combine the parameters of a command's function with what typer made of them."""
    declared = inspect.signature(command.callback).parameters
    for param in command.params:
        is_option = param.param_type_name == "option"
        flag = str(param.opts[0] if is_option else param.metavar)
        key = flag.lstrip("-").replace("-", "_") if is_option else ""
        own = key if param.name in shared else f"{name}_{key}"
        annotation, info, *checks = get_args(declared[param.name].annotation)
        kind = _kind(annotation)
        check = checks[0] if checks else _check(kind, info.min, info.max)
        yield Option(
            name=param.name,
            flag=flag,
            key=key,
            variable=str(param.envvar or f"{PREFIX}{own.upper()}") if is_option else "",
            kind=str if check is values.size else kind,  # `512M` is not the text of an int
            check=check,
            default=declared[param.name].default,
        )


def _kind(annotation: Any) -> Any:
    """Reduce a type to the one that decides how it is read: of `list[str] | None`, list."""
    if isinstance(annotation, UnionType):
        (annotation,) = [each for each in get_args(annotation) if each is not NoneType]
    return get_origin(annotation) or annotation


def _check(kind: Any, least: int | None, most: int | None) -> Callable[[Any], Any]:
    """Choose the check of an option that declares none, by its type."""
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
    """Read a truth value. Another word stays text, which the check refuses."""
    if word.lower() in _TRUE | _FALSE:  # the words of click and of other programs
        return word.lower() in _TRUE
    return word


def _number(kind: Callable[[str], float]) -> Callable[[str], float | str]:
    """Make a reader of numbers. Another word stays text, which the check refuses."""

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
"""Readers of words by type; words of all other types are checked as they are."""
