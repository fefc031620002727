"""The option that may stand with or without a value."""

from collections.abc import Sequence

from pdfingest.model import FailureKind
from pdfingest.options import ANY_KIND


def with_kinds(arguments: Sequence[str]) -> list[str]:
    """Arguments in which `--retry-failed` has its kinds: any, where no list of them follows."""
    result: list[str] = []
    for index, argument in enumerate(arguments):
        result.append(argument)
        following = "".join(arguments[index + 1 : index + 2]).partition(",")[0]
        if argument == "--retry-failed" and following not in (*FailureKind, ANY_KIND):
            result.append(ANY_KIND)
    return result
