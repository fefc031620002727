"""A command whose values come from the command line, the environment, a file, or the defaults.

Owns that order, and that a message about a wrong value says where the value came from. Click cuts
the command line into words, and that is all.
"""

import os
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from inspect import Parameter
from typing import Any, NamedTuple

from typer.core import TyperCommand

from pdfingest.cli import config
from pdfingest.cli.commands import Commands
from pdfingest.cli.declared import PREFIX, Option, options_of
from pdfingest.cli.messages import choose_format, say
from pdfingest.errors import OptionError, ReaderGoneError, UsageError
from pdfingest.model import FailureKind
from pdfingest.text import printable
from pdfingest.values import ANY_KIND, option_of

_CONFIG = "config"
"""Name of the option of all commands that read a configuration."""
_CONFIGURED = "run"
"""The command whose options a configuration may have; others that read it have some of them."""
_PATHS = {"output", "files_from", "password_file"}
"""Options that are relative to the configuration that gives them."""
_STREAM = "-"
_ALIKE = 0.8
"""How similar a name must be to one that does not exist, from 0 to 1, to be suggested for it."""
_KUBERNETES = re.compile(
    rf"{PREFIX}(\w+_)?"
    r"(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
"""What Kubernetes sets in each container for a service whose name begins with pdfingest."""


class _Found(NamedTuple):
    """A value, and the place where it stands, in words for its user."""

    value: Any
    where: str


class Command(TyperCommand):
    """A command of typer whose options are read as `declared` describes them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Find the value of each option, and put it where click looks for it."""
        if ctx.resilient_parsing:  # a shell asks for completions
            return super().parse_args(ctx, args)
        # Click's own way from here on would convert the words, and read variables and defaults.
        given, rest, _ = self.make_parser(ctx).parse_args(args=_with_kinds(args))
        for param in self.get_params(ctx):
            if param.is_eager and param.name in given:  # --help, which ends here
                param.handle_parse_result(ctx, given, rest)
        see = f"See: {ctx.command_path} --help"
        if rest:
            raise UsageError(f"Unexpected argument {printable(repr(rest[0]), 60)}. {see}")
        program = ctx.find_root().command
        options = options_of(program, ctx.info_name)
        found = _find(options, given, options_of(program, _CONFIGURED), see)
        ctx.params.update({name: each.value for name, each in found.items()})
        # For `invoke`, which gets the context alone; click reserves `meta` for code like this.
        ctx.meta[__name__] = {name: each.where for name, each in found.items()}
        if not ctx.params.get("quiet"):
            _warn_of_unread(program, options)
        return []

    def invoke(self, ctx: Any) -> Any:
        """Run the command; its errors name the options as their user did."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # here, where a failure is reported
        except OptionError as error:
            where: Mapping[str, str] = ctx.meta[__name__]
            raise error.renamed(lambda name: where.get(option_of(name), name)) from error
        except ReaderGoneError as error:
            if not ctx.params.get("quiet"):
                raise
            # `pdfingest -q ... | head` says nothing, but its exit code does.
            return ctx.exit(error.exit_code)
        return result


def _with_kinds(words: Sequence[str]) -> list[str]:
    """Return the words with `any` after each `--retry-failed` that no list of kinds follows.

    Click has no option whose value may be left out, if a word that is no value may follow it.
    """
    result: list[str] = []
    for index, word in enumerate(words):
        result.append(word)
        following = "".join(words[index + 1 : index + 2]).partition(",")[0]
        if word == "--retry-failed" and following not in (*FailureKind, ANY_KIND):
            result.append(ANY_KIND)
    return result


def _find(
    options: Sequence[Option], given: Mapping[str, Any], configured: Sequence[Option], see: str
) -> dict[str, _Found]:
    """Find the value of each option, by the name of its parameter.

    Args:
        options: of the command.
        given: words of the command line by the names of parameters.
        configured: options that a configuration may have; the command may have fewer.
        see: where the user can read more.
    """
    found = {option.name: _Found(option.default, option.flag) for option in options}
    in_words = dict(_in_words(options, given))
    if _CONFIG in found:
        chosen = in_words.get(_CONFIG)
        file = config.read(chosen.value) if chosen else config.find()
        choose_format(sys.argv[1:], file.table)  # before the first error that the file may cause
        in_file = _in_file(configured, file, see)
        found.update({name: each for name, each in in_file if name in found})
        in_words[_CONFIG] = _Found(file.path, _CONFIG)  # also where the file was not named
    found.update(in_words)
    for option in options:
        if found[option.name].value is Parameter.empty:
            raise UsageError(f"{option.flag} is missing. {see}")
    return found


def _in_words(options: Sequence[Option], given: Mapping[str, Any]) -> Iterator[tuple[str, _Found]]:
    """Read what the command line says, and where it says nothing, what the environment says."""
    for option in options:
        words = given.get(option.name)
        # What is not given, click may mark with an object of its own, or with an empty tuple.
        if isinstance(words, (bool, list, tuple)) and words != ():
            yield option.name, _checked(option.flag, option.check, words)
        elif isinstance(words, str):
            yield option.name, _checked(option.flag, option.read, words)
        elif word := os.environ.get(option.variable):
            where = f"{option.variable} in the environment"
            yield option.name, _checked(where, option.read, word)


def _in_file(
    options: Sequence[Option], file: config.Config, see: str
) -> Iterator[tuple[str, _Found]]:
    """Check everything that a file says, also what a flag or a variable replaces."""
    by_key = {option.key: option for option in options if option.key not in ("", _CONFIG)}
    for key, value in file.table.items():
        option = by_key.get(key.replace("-", "_"))
        if option is None:
            hint = _similar(key, by_key)
            raise UsageError(f"{file.path}: there is no option {key}.{hint} {see}")
        found = _checked(f"{key} in {file.path}", option.check, value)
        if option.name in _PATHS and found.value not in ("", _STREAM):
            found = _Found(file.beside(found.value), found.where)
        yield option.name, found


def _checked(where: str, read: Callable[[Any], Any], value: Any) -> _Found:
    """Read a value; an error says where the value stands."""
    try:
        return _Found(read(value), where)
    except ValueError as error:
        raise OptionError([where], str(error)) from None


def _similar(name: str, known: Collection[str]) -> str:
    """Return a sentence that suggests the most similar of the known names; empty without one."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, 1, _ALIKE)
    return f" Did you mean {near[0]}?" if near else ""


def _warn_of_unread(program: Commands, options: Sequence[Option]) -> None:
    """Warn of variables that have our prefix but that nothing reads, because they are misspelt."""
    ours = {name for name in os.environ if name.startswith(PREFIX)}
    if ours <= {option.variable for option in options}:  # the usual case costs no more
        return
    known = known_variables(program)
    for name in sorted(ours - known):
        if not _KUBERNETES.fullmatch(name):
            say("warning", f"{name} is set, but nothing reads it.{_similar(name, known)}")


def known_variables(program: Commands) -> set[str]:
    """Return the variables that any command, the service or its client reads."""
    from pdfingest.client.variables import API_KEY, URL
    from pdfingest.isolation.start import SWITCHES
    from pdfingest.service.variables import NAMES

    options = {option.variable for name in program.commands for option in options_of(program, name)}
    settings = {f"{PREFIX}{name.upper()}" for name in NAMES}
    return options - {""} | settings | {*SWITCHES, API_KEY, URL}
