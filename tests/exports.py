"""What tests look up in an export that is JSON lines."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from conftest import Lines, read_lines

Make = Callable[..., Path]
Run = Callable[..., Any]


def exported(folder: Path) -> Lines:
    """The lines of all shards."""
    return [line for path in sorted(folder.iterdir()) for line in read_lines(path)]


def pages(lines: Lines) -> list[tuple[str, int]]:
    """Source and page of each line."""
    return [(line["metadata"]["source"], line["metadata"]["page"]) for line in lines]
