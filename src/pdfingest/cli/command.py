"""A command: its values come from the command line, the environment, a file, or their defaults.

Owns the order of these, and that what is wrong with a value says where it came from. Click cuts
the command line into words, and that is all.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

from typer.core import TyperCommand

from pdfingest.cli import config
from pdfingest.cli.declared import PREFIX, Option, Program, options_of
from pdfingest.cli.messages import say
from pdfingest.errors import OptionError, ReaderGoneError, UsageError
from pdfingest.options import option_of
from pdfingest.text import printable

_CONFIG = "config"
"""Name of the option that commands have which read a configuration."""
_CONFIGURED = "run"
"""The command whose options a configuration has; others that read one have some of them."""
_PATHS = {"output", "files_from", "password_file"}
"""Options that a file gives relative to itself."""
_STREAM = "-"
_ALIKE = 0.75
"""How much of a name that does not exist must be in one that is suggested for it."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A value, and where it stands, as its user would say it."""

    value: Any
    where: str


class Command(TyperCommand):
    """A command that reads its options as `declared` has them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Find the value of each option, and put it where click looks for it."""
        if ctx.resilient_parsing:  # a shell asks for completions
            return super().parse_args(ctx, args)
        given, rest, _ = self.make_parser(ctx).parse_args(args=args)
        for param in self.get_params(ctx):
            if param.is_eager and param.name in given:  # --help, which ends here
                param.handle_parse_result(ctx, given, rest)
        see = f"See: {ctx.command_path} --help"
        if rest:
            raise UsageError(f"There is no place for {printable(repr(rest[0]), 60)}. {see}")
        program = ctx.find_root().command
        options = options_of(program, ctx.info_name)
        found = _find(options, given, options_of(program, _CONFIGURED), see)
        ctx.params.update({name: each.value for name, each in found.items()})
        ctx.meta[__name__] = {name: each.where for name, each in found.items()}
        if not ctx.params.get("quiet"):
            _warn(program, options)
        return []

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what it says of its options names them as their user did."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # here, where a failure is told
        except OptionError as error:
            where: Mapping[str, str] = ctx.meta[__name__]
            raise error.renamed(lambda name: where.get(option_of(name), name)) from error
        except ReaderGoneError as error:
            if not ctx.params.get("quiet"):
                raise
            return ctx.exit(error.exit_code)
        return result


def _find(
    options: Sequence[Option], given: Mapping[str, Any], configured: Sequence[Option], see: str
) -> dict[str, _Found]:
    """Find the value of each option, by the name of its parameter.

    Args:
        options: of the command.
        given: words of the command line by the names of parameters.
        configured: options that a configuration may have; the command may have fewer.
        see: where to read more.
    """
    found = {option.name: _Found(option.default, option.flag) for option in options}
    in_words = dict(_in_words(options, given))
    if _CONFIG in found:
        chosen = in_words.get(_CONFIG)
        file = config.read(chosen.value) if chosen else config.find()
        in_file = _in_file(configured, file, see)
        found.update({name: each for name, each in in_file if name in found})
        in_words[_CONFIG] = _Found(file.path, _CONFIG)  # the one that counts, for who asks
    found.update(in_words)
    for option in options:
        if found[option.name].value is Parameter.empty:
            raise UsageError(f"{option.flag} is missing. {see}")
    return found


def _in_words(options: Sequence[Option], given: Mapping[str, Any]) -> Iterator[tuple[str, _Found]]:
    """Read what the command line says, and where it is silent, what the environment says."""
    for option in options:
        words = given.get(option.name)  # click marks what is not given in ways of its own
        if isinstance(words, (bool, list, tuple)) and words != ():
            yield option.name, _judged(option.flag, option.check, words)
        elif isinstance(words, str):
            yield option.name, _judged(option.flag, option.read, words)
        elif word := os.environ.get(option.variable):
            where = f"{option.variable} in the environment"
            yield option.name, _judged(where, option.read, word)


def _in_file(
    options: Sequence[Option], file: config.Config, see: str
) -> Iterator[tuple[str, _Found]]:
    """Judge all that a file says, also what a flag or a variable replaces."""
    by_key = {option.key: option for option in options if option.key not in ("", _CONFIG)}
    for key, value in file.table.items():
        option = by_key.get(key.replace("-", "_"))
        if option is None:
            from difflib import get_close_matches  # noqa: PLC0415 - for a slip of the pen

            near = get_close_matches(key, by_key, 1, _ALIKE)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise UsageError(f"{file.path}: there is no option {key}.{hint} {see}")
        found = _judged(f"{key} in {file.path}", option.check, value)
        if option.name in _PATHS and found.value not in ("", _STREAM):
            found = _Found(file.beside(found.value), found.where)
        yield option.name, found


def _judged(where: str, read: Callable[[Any], Any], value: Any) -> _Found:
    """Read a value; what is wrong with it is told with where it stands."""
    try:
        return _Found(read(value), where)
    except OptionError as error:
        raise OptionError([where], error.reason) from None
    except ValueError as error:
        raise OptionError([where], str(error)) from None


def _warn(program: Program, options: Sequence[Option]) -> None:
    """Warn of variables that look like ours and that nothing reads."""
    own = {option.variable for option in options}
    if all(name in own or not name.startswith(PREFIX) for name in os.environ):
        return
    from pdfingest.cli.unread import tell_unread  # noqa: PLC0415 - for few runs

    for line in tell_unread(program, os.environ):
        say("warning", line)
