"""Environment variables that look like ours and that nothing reads: slips of the pen."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from difflib import get_close_matches

from pdfingest.cli.declared import PREFIX, Program, options_of
from pdfingest.service.settings import Settings

_KUBERNETES = re.compile(
    r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
"""What Kubernetes sets in each container for a service whose name begins with pdfingest."""
_ALIKE = 0.8


def known_variables(program: Program) -> set[str]:
    """Collect the variables of all commands and the settings of the service."""
    options = {option.variable for name in program.commands for option in options_of(program, name)}
    return options - {""} | {f"{PREFIX}{each.name.upper()}" for each in fields(Settings)}


def tell_unread(program: Program, environment: Mapping[str, str]) -> Iterator[str]:
    """Tell of each variable that nothing reads, with a similar one if there is one."""
    known = known_variables(program)
    for name in environment:
        rest = name.removeprefix(PREFIX)
        if rest == name or name in known or _KUBERNETES.fullmatch(rest):
            continue
        near = get_close_matches(name, known, 1, _ALIKE)
        hint = f" Did you mean {near[0]}?" if near else ""
        yield f"{name} is set, but nothing reads it.{hint}"
