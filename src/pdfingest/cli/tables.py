"""Tables that lose no figure: where a terminal is narrow, names give way, and then the table does.

rich's own tables cut whatever does not fit, in any column. A log has no width, so nothing is cut
there, and what may be long stands last in its line, so that no line is padded to the longest.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from pdfingest.cli.cells import cut
from pdfingest.cli.messages import shown

LEFT, RIGHT = "<", ">"
_GAP = "  "
_LEAST = 20
"""Least width of a text beside figures; where there is less, it gets lines of its own."""
_MESSAGE_LINES = 4
"""Most lines of a terminal that one message takes."""


def width_of(console: Console) -> int | None:
    """Return the columns of the terminal that a console writes to; None for a log or a pipe.

    Not by `Console.is_terminal`, which FORCE_COLOR makes true of a log.
    """
    return console.width if console.file.isatty() else None


def put(console: Console, lines: Iterable[Text]) -> None:
    """Print lines as they are, without rich wrapping or cutting them."""
    for line in lines:
        line.rstrip()
        console.print(line, soft_wrap=True)


def table(
    columns: Mapping[str, str],
    rows: Sequence[Sequence[str]],
    width: int | None,
    *,
    title: int = -1,
) -> Iterator[Text]:
    """Lay out a table.

    Args:
        columns: heading and alignment of each column.
        rows: a text for each column.
        width: cells of a line; None for no limit.
        title: index of the column that says what a row is about. As the last column it is cut
            where it is too long; no other column is.
    """
    lines = [[*columns], *rows]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    if width is not None:
        room = width - sum(widths[:-1]) - len(_GAP) * (len(widths) - 1)
        if room < (min(_LEAST, widths[-1]) if title == -1 else widths[-1]):
            yield from _stacked([*columns], rows, width, title)
            return
        widths[-1] = min(widths[-1], room)
    for number, line in enumerate(lines):
        padded = map(_padded, line, widths, columns.values())
        yield Text(_GAP.join(padded), style="" if number else "bold")


def _padded(text: str, width: int, side: str) -> str:
    """Cut or pad a text to a width."""
    text = cut(text, width)
    blank = " " * (width - cell_len(text))
    return text + blank if side == LEFT else blank + text


def _stacked(
    headings: list[str], rows: Iterable[Sequence[str]], width: int, title: int
) -> Iterator[Text]:
    """Lay out each row as a line with its title and lines with its figures."""
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
    """Put a text behind a lead; on a terminal its further lines begin where the first does."""
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
    """A source that lost pages, for a person to read."""

    source: str
    failure: str
    message: str
    partial: bool
    """Whether the other pages are in the records."""


def losses(console: Console, rows: Sequence[LossLine]) -> Iterator[Text]:
    """Lay out what was lost. A terminal shows some lines of a long message, a log all of it."""
    width = width_of(console)
    kind_width = max((len(each.failure) for each in rows), default=0) + len(_GAP)
    for each in rows:
        style = "yellow" if each.partial else "red"
        kind = Text.assemble((f"{each.failure:<{kind_width}}", style))  # not the text behind it
        name, message = shown(each.source), shown(each.message)
        if width is not None:
            room = max(width - kind_width, _LEAST)
            name, message = cut(name, room - 1), cut(message, room * _MESSAGE_LINES)
        yield from hanging(console, kind, f"{name}: {message}")
