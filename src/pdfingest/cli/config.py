"""The configuration: `pdfingest.toml`, or `[tool.pdfingest]` of `pyproject.toml`.

Owns which file counts and how it is read; `command` owns what its values mean. The nearest file
upwards from the current directory counts, as with other tools of a project, and `pdfingest.toml`
before `pyproject.toml` where both are in one directory. A `pyproject.toml` without our section is
not ours, and neither is what is wrong with it.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from pdfingest.errors import UsageError

_OWN = "pdfingest.toml"
_SHARED = "pyproject.toml"
_SECTION = "pdfingest"


@dataclass(frozen=True, slots=True)
class Config:
    """A file and what it says."""

    path: str = ""
    """Empty where there is none."""
    table: dict[str, Any] = field(default_factory=dict[str, Any])
    """Its keys as they stand there, and their values."""

    def beside(self, path: str) -> str:
        """Take a path relative to the file, unless that is in the current directory anyway."""
        folder = os.path.dirname(self.path)
        return path if folder == os.getcwd() else os.path.join(folder, path)


def find() -> Config:
    """Find and read the configuration that counts in the current directory.

    Raises:
        UsageError: it cannot be read.
    """
    for folder in _upwards(os.getcwd()):
        path = os.path.join(folder, _OWN)
        if os.path.lexists(path):
            return read(path)
        path = os.path.join(folder, _SHARED)
        if _mentions_us(path):
            config = _section(path)
            if config is not None:
                return config
    return Config()


def read(path: str) -> Config:
    """Read a file: its section where it is a `pyproject.toml`, else all of it.

    Raises:
        UsageError: it cannot be read, or has no such section.
    """
    if os.path.basename(path) != _SHARED:
        return Config(path, _toml(path))
    config = _section(path)
    if config is None:
        raise UsageError(f"{path} has no section [tool.{_SECTION}].")
    return config


def _upwards(folder: str) -> Iterator[str]:
    """Go through a directory and all above it, up to the root of the file system."""
    while True:
        yield folder
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above


def _mentions_us(path: str) -> bool:
    """Tell whether a file may concern this program; one that cannot be read does not."""
    try:
        with open(path, "rb") as file:
            return _SECTION.encode() in file.read()
    except OSError:
        return False


def _section(path: str) -> Config | None:
    """Read the section of a `pyproject.toml`; None where it has none."""
    table = _toml(path)
    for name in ("tool", _SECTION):
        if name not in table:
            return None
        table = _as_table(path, name, table[name])
    return Config(path, table)


def _as_table(path: str, name: str, value: Any) -> dict[str, Any]:
    """Check that a value is a table."""
    if not isinstance(value, dict):
        raise UsageError(f"{path} cannot be used: `{name}` must be a table.")
    return cast(dict[str, Any], value)


def _toml(path: str) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        UsageError: it cannot be read; the message has the line.
    """
    import tomllib  # noqa: PLC0415 - most runs have no such file

    try:
        with open(path, "rb") as file:
            content = file.read()
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{path} cannot be read: line {line} is not UTF-8.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error
