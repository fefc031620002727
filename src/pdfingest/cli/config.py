"""`pdfingest.toml`, or `[tool.pdfingest]` of `pyproject.toml`, in the current directory.

Owns finding and reading them. That a flag and the environment go first is click's `default_map`.
"""

from collections.abc import Container
from typing import Any, cast

from pdfingest.errors import UsageError


def read_config(known: Container[str]) -> dict[str, Any]:
    """Options by parameter name; empty if there is no file.

    Args:
        known: the parameters that there are.

    Raises:
        UsageError: a file that is no TOML, or an option that does not exist.
    """
    path, options = find_config()
    unknown = sorted(name for name in options if name not in known)
    if unknown:
        raise UsageError(f"{path} has unknown options: {', '.join(unknown)}. See: pdfingest run -h")
    return options


def find_config() -> tuple[str, dict[str, Any]]:
    """The file that counts, and what it says by parameter name, be it known or not.

    Raises:
        UsageError: a file that is no TOML, or has no table where one must be.
    """
    path, config = "pdfingest.toml", _read("pdfingest.toml")
    if not config:
        path = "pyproject.toml"
        config = _table(_table(_read(path), "tool"), "pdfingest")
    return path, {name.replace("-", "_"): value for name, value in config.items()}


def _table(of: dict[str, Any], name: str) -> dict[str, Any]:
    """A table of a table; empty if it is not there.

    Raises:
        UsageError: it is something else.
    """
    found: Any = of.get(name, {})
    if not isinstance(found, dict):
        raise UsageError(f"pyproject.toml cannot be used: {name} is no table. Mend it.")
    return cast(dict[str, Any], found)


def _read(path: str) -> dict[str, Any]:
    """A TOML file; empty if it is not there."""
    try:
        with open(path, "rb") as file:
            import tomllib  # noqa: PLC0415 - most runs have no such file

            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:  # of which those of TOML and of UTF-8 are
        raise UsageError(f"{path} cannot be read: {error}. Mend it or move it away.") from error
