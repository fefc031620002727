"""Text laid out for a terminal: tables, hanging paragraphs, and texts cut to a width.

Tables lose no figure: where a terminal is narrow, names are cut first, and then each row becomes
several lines. rich's own tables cut whatever does not fit, in any column. A log has no width, so
nothing is cut there, and what may be long is last in its line, so that no line is padded to the
longest.

Widths are in cells: a CJK character takes two, a combining one none.
"""

import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from pdfingest.cli.messages import shown

LEFT, RIGHT = "<", ">"
_GAP = "  "
_LEAST = 20
"""Least width of a text beside figures; where there is less, it gets lines of its own."""
_MESSAGE_LINES = 4
"""Most lines of a terminal that one message takes."""
_FACT_NAME_WIDTH = 12
_WIDEST_FACT = 100


def width_of(console: Console) -> int | None:
    """Return the columns of the terminal that a console writes to; None for a log or a pipe.

    `Console.is_terminal` does not tell, because FORCE_COLOR makes it true of a log.
    """
    return console.width if console.file.isatty() else None


def put(console: Console, lines: Iterable[Text]) -> None:
    """Print lines as they are, without rich wrapping or cutting them."""
    for line in lines:
        line.rstrip()  # the last column is padded, too
        console.print(line, soft_wrap=True)


def show_fact(name: str, said: str) -> None:
    """Print a fact to stdout, its name in a column at the left, in the width of the terminal.

    Args:
        name: empty for a fact that belongs to the one before it.
        said: one printable line.
    """
    typer.echo(
        textwrap.fill(
            said,
            min(shutil.get_terminal_size().columns, _WIDEST_FACT),
            initial_indent=name.ljust(_FACT_NAME_WIDTH),
            subsequent_indent=" " * _FACT_NAME_WIDTH,
            break_on_hyphens=False,
            break_long_words=False,
        )
    )


def cut(text: str, width: int) -> str:
    """Shorten a text to at most `width` cells, in the middle, where a path tells least.

    Args:
        text: one printable line.
        width: 1 or more.
    """
    if cell_len(text) <= width:
        return text
    start = _fitting(text, width // 2)
    end = len(text) - _fitting(reversed(text), (width - 1) // 2)
    while end < len(text) and not _cells(text[end]):
        end += 1  # a combining mark whose letter is cut off
    return f"{text[:start]}…{text[end:]}"


def _fitting(characters: Iterable[str], width: int) -> int:
    """Return the number of characters, from the first on, that fit into `width` cells."""
    number = 0
    for character in characters:
        width -= _cells(character)
        if width < 0:
            break
        number += 1
    return number


def _cells(character: str) -> int:
    """Return the width of a character; of U+FE0F, the width that it may add to the one before."""
    return 1 if character == "\ufe0f" else cell_len(character)


def table(
    columns: Mapping[str, str], rows: Sequence[Sequence[str]], width: int | None, *, title: int = -1
) -> Iterator[Text]:
    """Lay out a table.

    Args:
        columns: heading and alignment of each column.
        rows: a text for each column.
        width: cells of a line; None for no limit.
        title: index of the column that says what a row is about. If it is the last column, it is
            cut where it is too long; no other column is.
    """
    lines = [[*columns], *rows]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    if width is not None:
        room = width - sum(widths[:-1]) - len(_GAP) * (len(widths) - 1)
        # Only a title may be cut, and only down to what still tells files apart.
        if room < (min(_LEAST, widths[-1]) if title == -1 else widths[-1]):
            yield from _stacked([*columns], rows, width, title)
            return
        widths[-1] = min(widths[-1], room)
    for number, line in enumerate(lines):
        padded = map(_padded, line, widths, columns.values())
        yield Text(_GAP.join(padded), style="" if number else "bold")


def _padded(text: str, width: int, side: str) -> str:
    text = cut(text, width)
    blank = " " * (width - cell_len(text))
    return text + blank if side == LEFT else blank + text


def _stacked(
    headings: list[str], rows: Iterable[Sequence[str]], width: int, title: int
) -> Iterator[Text]:
    """Lay out each row as a line with its title and further lines with its figures."""
    del headings[title]
    for row in rows:
        yield Text(cut(row[title], width), style="bold")
        figures = [*row]
        del figures[title]
        line = ""
        for item in map("{} {}".format, headings, figures):
            if line and cell_len(f"{line} · {item}") > width:
                yield Text(line)
                line = ""
            line = f"{line} · {item}" if line else f"  {item}"
        yield Text(line)


def hanging(console: Console, lead: Text, text: str) -> Iterator[Text]:
    """Lay out a text behind a lead; on a terminal its further lines begin where the first does."""
    width = width_of(console)
    if width is None:
        yield lead + Text(text)
        return
    if width - lead.cell_len < min(_LEAST, cell_len(text)):
        yield lead
        lead = Text(_GAP)
    indent, room = lead.cell_len, width - lead.cell_len
    for line in Text(text).wrap(console, room, overflow="fold"):
        yield lead + line
        lead = Text(" " * indent)


@dataclass(frozen=True, slots=True)
class LossLine:
    """A source that lost pages, as a person reads it."""

    source: str
    failure: str
    message: str
    partial: bool
    """Whether the records have the other pages."""


def losses(console: Console, rows: Sequence[LossLine]) -> Iterator[Text]:
    """Lay out what was lost. A terminal shows some lines of a long message, a log all of it."""
    width = width_of(console)
    kind_width = max((len(each.failure) for each in rows), default=0) + len(_GAP)
    for each in rows:
        style = "yellow" if each.partial else "red"
        kind = Text.assemble((f"{each.failure:<{kind_width}}", style))  # the text behind is plain
        name, message = shown(each.source), shown(each.message)
        if width is not None:
            room = max(width - kind_width, _LEAST)
            name, message = cut(name, room - 1), cut(message, room * _MESSAGE_LINES)
        yield from hanging(console, kind, f"{name}: {message}")
