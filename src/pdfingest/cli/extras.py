"""Extras of the package that a command may need."""

from collections.abc import Generator
from contextlib import contextmanager

from pdfingest.errors import EngineUnavailableError


@contextmanager
def needs_service() -> Generator[None, None, None]:
    """Turn a failed import inside the block into an error that says what to install.

    Raises:
        EngineUnavailableError: the extra `service` is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise EngineUnavailableError(
            f"the service needs {error.name}. Run: pip install 'pdfingest[service]'"
        ) from error
