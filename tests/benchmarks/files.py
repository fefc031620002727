"""Files that benchmarks go through."""

import csv
import os
import shutil
from pathlib import Path

from fpdf import FPDF

from pdfingest.bench.corpus import make_corpus

CORPUS = Path(
    os.environ.get("PDFINGEST_TEST_CORPUS", Path(__file__).parents[2].parent / "shared" / "corpus")
)
"""A folder of real PDFs, where there is one."""


LONG = 60
"""Pages of a long file, at the least."""


def make_files(folder: Path, files: int) -> list[str]:
    """Copies of a one-page PDF."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=12)
    pdf.multi_cell(0, text="The quick brown fox jumps over the lazy dog. " * 40)
    content = bytes(pdf.output())
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{number:05}.pdf" for number in range(files)]
    for path in paths:
        path.write_bytes(content)
    return [str(path) for path in paths]


def real_files(folder: Path) -> None:
    """Links to the real files; where there are none, the files that `pdfingest bench` makes."""
    if (CORPUS / "real").exists():
        link_files(CORPUS / "real", folder)
        return
    folder.mkdir()
    make_corpus(str(folder))


def link_files(source: Path, folder: Path) -> None:
    """Links to the PDFs of a folder and those within it, with names that tell them apart."""
    folder.mkdir()
    paths = [path for path in source.resolve().rglob("*") if path.suffix.lower() == ".pdf"]
    for number, path in enumerate(sorted(paths)):
        (folder / f"{number:05}.pdf").symlink_to(path)


def long_files(folder: Path) -> None:
    """The real files of 60 pages and more, three times over; where there are none, made ones."""
    folder.mkdir()
    if not (CORPUS / "MANIFEST.csv").exists():
        for number in range(3):
            make_long(folder / f"{number}.pdf", 300)
        return
    with open(CORPUS / "MANIFEST.csv", encoding="utf-8", newline="") as manifest:
        rows = list(csv.DictReader(manifest))
    long = [row["path"] for row in rows if row["pages"].isdigit() and int(row["pages"]) >= LONG]
    for number, path in enumerate(long * 3):
        shutil.copy(CORPUS / path, folder / f"{number:03}.pdf")


def make_long(path: Path, pages: int) -> None:
    """One file of so many full pages."""
    pdf = FPDF()
    pdf.set_font("Helvetica", size=11)
    for page in range(pages):
        pdf.add_page()
        pdf.multi_cell(0, text=f"Page {page}. " + "All work and no play makes Jack dull. " * 120)
    pdf.output(str(path))
