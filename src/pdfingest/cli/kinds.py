"""The option that takes a list of kinds of failure, or none."""

from collections.abc import Sequence

from pdfingest.errors import UsageError
from pdfingest.model import FailureKind

ANY_KIND = "any"


def parse_kinds(text: str | None) -> tuple[FailureKind, ...]:
    """The kinds of failure that a list names; all of them for `any`."""
    if text is None:
        return ()
    if text == ANY_KIND:
        return tuple(FailureKind)
    try:
        return tuple(FailureKind(kind.strip()) for kind in text.split(","))
    except ValueError as error:
        kinds = ", ".join(FailureKind)
        raise UsageError(f"--retry-failed: {error}. Kinds are {kinds}.") from error


def with_kinds(arguments: Sequence[str]) -> list[str]:
    """Arguments in which `--retry-failed` has its kinds: any, where no list of them follows."""
    result: list[str] = []
    for index, argument in enumerate(arguments):
        result.append(argument)
        following = "".join(arguments[index + 1 : index + 2]).partition(",")[0]
        if argument == "--retry-failed" and following not in (*FailureKind, ANY_KIND):
            result.append(ANY_KIND)
    return result
