"""The README and the pages of docs: their texts, blocks and tables, for the tests of them."""

import re
from collections.abc import Iterator

from conftest import ROOT

PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
"""The text of each page, by its path."""
TEXT = "\n".join(PAGES.values())
_CODE = re.compile(r"```.*?```", re.DOTALL)
_ROW_ENDS = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)

Table = tuple[list[str], list[list[str]]]


def blocks(language: str) -> list[tuple[str, str]]:
    """Return the blocks of code in a language, each with the path of its page.

    Without the commands of the service, which has tests of its own.
    """
    block = re.compile(rf"(?<!<!-- service -->\n)```{language}\n(.*?)```", re.DOTALL)
    return [(page, found) for page, text in PAGES.items() for found in block.findall(text)]


def tables() -> Iterator[Table]:
    """Yield the head and the rows of every table, outside of code."""
    for block in _ROW_ENDS.findall(_CODE.sub("", TEXT)):
        head, _, *rows = [
            [cell.strip() for cell in line.strip("|\n").split("|")] for line in block.splitlines()
        ]
        yield head, rows


def rows_of(first: str) -> list[list[str]]:
    """Return the rows of all tables whose head begins so."""
    found = [row for head, rows in tables() if head[0] == first for row in rows]
    assert found, f"no table begins with {first}"
    return found


def column(first: str) -> list[str]:
    """Return the first column of all tables whose head begins so."""
    return [row[0] for row in rows_of(first)]


def names(cells: list[str]) -> list[str]:
    """Return what stands in backticks."""
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
