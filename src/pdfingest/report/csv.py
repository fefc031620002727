"""The files of a run as CSV, for a spreadsheet."""

import csv
from dataclasses import asdict, fields
from typing import TextIO

from pdfingest.report.figures import Figures, FileCost

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(figures: Figures, file: TextIO) -> None:
    """One row a file. A text that a spreadsheet would take for a formula gets a quote in front."""
    writer = csv.DictWriter(file, [field.name for field in fields(FileCost)], lineterminator="\n")
    writer.writeheader()
    for each in figures.files:
        writer.writerow({name: _harmless(value) for name, value in asdict(each).items()})


def _harmless(value: object) -> object:
    """A file name is hostile data, and `=cmd…` is a program in some spreadsheets (OWASP)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
