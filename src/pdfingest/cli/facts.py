"""Facts for a person to read: a name and what is said of it, a line each or as many as it takes."""

import shutil
import textwrap

import typer

_NAME_WIDTH = 12
_WIDEST = 100


def show_fact(name: str, said: str) -> None:
    """Print a fact to stdout, in the width of the terminal.

    Args:
        name: empty for one that belongs to the fact before it.
        said: one printable line.
    """
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    typer.echo(
        textwrap.fill(
            said,
            width,
            initial_indent=name.ljust(_NAME_WIDTH),
            subsequent_indent=" " * _NAME_WIDTH,
            break_on_hyphens=False,
            break_long_words=False,
        )
    )
