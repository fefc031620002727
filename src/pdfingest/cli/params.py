"""Values of options that several commands share."""

from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum

from pdfingest.errors import EngineUnavailableError


class On(StrEnum):
    """Who reads the files."""

    HERE = "here"
    CELERY = "celery"


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
