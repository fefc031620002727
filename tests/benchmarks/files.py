"""Files that benchmarks go through."""

import os
from pathlib import Path

from fpdf import FPDF

from pdfingest.bench.corpus import make_corpus

CORPUS = Path(
    os.environ.get("PDFINGEST_TEST_CORPUS", Path(__file__).parents[2].parent / "shared" / "corpus")
)
"""A folder of real PDFs, where there is one."""


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
    folder.mkdir()
    if not (CORPUS / "real").exists():
        make_corpus(str(folder))
        return
    for number, path in enumerate(sorted((CORPUS / "real").rglob("*.pdf"))):
        (folder / f"{number:04}.pdf").symlink_to(path)


def long_files(folder: Path) -> None:
    """Three files of 300 pages each."""
    folder.mkdir()
    for number in range(3):
        pdf = FPDF()
        pdf.set_font("Helvetica", size=11)
        for page in range(300):
            pdf.add_page()
            pdf.multi_cell(0, text=f"Page {page} of {number}. " + "All work and no play. " * 80)
        pdf.output(str(folder / f"{number}.pdf"))
