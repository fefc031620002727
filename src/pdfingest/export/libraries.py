"""Libraries of other tools, imported only when somebody asks for their types."""

from importlib import import_module
from typing import Any

from pdfingest.errors import EngineUnavailableError

_INSTALLED_BY = {
    "datasets": "datasets",
    "haystack": "haystack-ai",
    "langchain_core": "langchain-core",
    "llama_index": "llama-index-core",
    "pandas": "pandas",
    "polars": "polars",
    "pyarrow": "'pdfingest[parquet]'",
}
"""What pip installs, by the package that is imported."""


def library(name: str) -> Any:
    """Import a module of an optional library.

    Raises:
        EngineUnavailableError: it is not installed; the message has the command that does it.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = name.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise  # it is there, but lacks something of its own
        raise EngineUnavailableError(
            f"{package} is not installed. Run: pip install {_INSTALLED_BY[package]}"
        ) from error
