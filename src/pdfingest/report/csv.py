"""The files of a run as CSV, for a spreadsheet."""

import csv
from collections.abc import Iterable
from dataclasses import fields
from operator import attrgetter
from typing import TextIO

from pdfingest.report.costs import FileCost

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(costs: Iterable[FileCost], file: TextIO) -> None:
    """Write one row for each file.

    A text that a spreadsheet would take for a formula gets a quote in front.
    """
    names = [field.name for field in fields(FileCost)]
    values = attrgetter(*names[:-1], "lost_pages")  # a list is nothing for a cell
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(map(_harmless, values(each)) for each in costs)


def _harmless(value: object) -> object:
    """A file name is hostile data, and `=cmd…` is a program in some spreadsheets (OWASP)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
