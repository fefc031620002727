"""Output directories to export."""

from pathlib import Path
from typing import Any

import pytest

from conftest import Cli
from exports import Make, Run


@pytest.fixture
def run(cli_here: Cli, pdfs: Path) -> Run:
    """Ingest into a directory."""

    def run(out: Path, *args: str) -> Any:
        return cli_here("run", pdfs, "-o", out, "--engine", "faulty", "-w", "2", "-q", *args)

    return run


@pytest.fixture
def sources(faulty: Make) -> None:
    """Nine files, and one that gives no record."""
    for number in range(9):
        faulty(f"{number}.pdf", pages=1 + number % 3)
    faulty("bad.pdf", fault="raises")
