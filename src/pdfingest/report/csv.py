"""The files of a run as CSV, for a spreadsheet."""

import csv
from collections.abc import Iterable
from dataclasses import fields
from operator import attrgetter
from typing import TextIO

from pdfingest.report.costs import FileCost

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(costs: Iterable[FileCost], file: TextIO) -> None:
    """Write a row with headings, and one row for each file.

    Args:
        costs: costs of the files.
        file: receives the rows; text that a spreadsheet would take for a formula is quoted there.
    """
    names = [field.name for field in fields(FileCost)]
    values = attrgetter(*names[:-1], "lost_pages")  # a cell cannot hold the list of numbers
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(map(_harmless, values(each)) for each in costs)


def _harmless(value: object) -> object:
    """Return a value with a quote before a formula, since `=cmd…` may run a program (OWASP)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
