"""The configuration: `pdfingest.toml`, or `[tool.pdfingest]` of `pyproject.toml`.

Owns which file counts and how it is read; `command` owns what its values mean. The nearest file
upwards from the current directory counts, as with other tools of a project, and `pdfingest.toml`
counts before a `pyproject.toml` in the same directory. A `pyproject.toml` without our section is
none of our business, even if it is broken.
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
    """A configuration file and its content."""

    path: str = ""
    """Path of the file; empty if there is none."""
    table: dict[str, Any] = field(default_factory=dict[str, Any])
    """Keys as they stand in the file, and their values."""

    def beside(self, path: str) -> str:
        """Return a path that is relative to the file as one that the program can open."""
        folder = os.path.dirname(self.path)
        return path if folder == os.getcwd() else os.path.join(folder, path)


def find() -> Config:
    """Find and read the configuration that counts in the current directory.

    Raises:
        UsageError: the file cannot be read.
    """
    for folder in _upwards(os.getcwd()):
        path = os.path.join(folder, _OWN)
        # A broken link is an error, not a missing file; where nobody may look, there is none.
        if os.path.lexists(path):
            return read(path)
        path = os.path.join(folder, _SHARED)
        if _mentions_us(path):
            config = _section(path)
            if config is not None:
                return config
    return Config()


def read(path: str) -> Config:
    """Read the configuration from a file: from our section of a `pyproject.toml`, else from all.

    Raises:
        UsageError: the file cannot be read, or lacks the section.
    """
    if os.path.basename(path) != _SHARED:
        return Config(path, _toml(path))
    config = _section(path)
    if config is None:
        raise UsageError(f"{path} has no section [tool.{_SECTION}].")
    return config


def _upwards(folder: str) -> Iterator[str]:
    while True:
        yield folder
        above = os.path.dirname(folder)
        if above == folder:
            return
        folder = above


def _mentions_us(path: str) -> bool:
    """Return whether a file may have our section; a file that cannot be read has none."""
    try:
        with open(path, "rb") as file:  # without parsing, which is slow and may fail
            return _SECTION.encode() in file.read()
    except OSError:
        return False


def _section(path: str) -> Config | None:
    table = _toml(path)
    for name in ("tool", _SECTION):
        if name not in table:
            return None
        table = _as_table(path, name, table[name])
    return Config(path, table)


def _as_table(path: str, name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UsageError(f"{path} cannot be used: `{name}` must be a table.")
    return cast(dict[str, Any], value)


def _toml(path: str) -> dict[str, Any]:
    """Read a TOML file; a UsageError says in which line it cannot be read."""
    import tomllib  # most runs have no such file

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
