"""Values of options that several commands share."""

from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum

from pdfingest.errors import EngineUnavailableError, UsageError
from pdfingest.text import parse_size


class On(StrEnum):
    """Who reads the files."""

    HERE = "here"
    CELERY = "celery"


def size(option: str, text: str) -> int:
    """A size in bytes.

    Raises:
        UsageError: it is none; the message names the option.
    """
    try:
        return parse_size(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}.") from error


@contextmanager
def needs_service() -> Generator[None, None, None]:
    """Imports that need the extra.

    Raises:
        EngineUnavailableError: it is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise EngineUnavailableError(
            f"the service needs {error.name}. Run: pip install 'pdfingest[service]'"
        ) from error
