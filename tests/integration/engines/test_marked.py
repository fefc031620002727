"""What only Markdown shows is read from a PDF: links with their text, the outline."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fpdf import FPDF

from conftest import Cli, read_lines
from written import plain_pdf, stream

BODY = "The keeper of the lighthouse wrote down every ship that passed the cape. "


def markdown(cli_here: Cli, path: Path, out: Path) -> str:
    assert cli_here("run", path, "-o", out, "--format", "markdown").returncode == 0
    (record,) = read_lines(out / "pages.jsonl")
    assert record["metadata"]["format"] == "markdown"
    return str(record["text"])


def drawn(path: Path, draw: Callable[[FPDF], object]) -> Path:
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=11)
    draw(pdf)
    pdf.output(str(path))
    return path


def test_a_link_has_its_text(cli_here: Cli, pdfs: Path, out: Path) -> None:
    def draw(pdf: FPDF) -> None:
        pdf.write(text="Ask the ")
        pdf.write(text="harbour office", link="https://example.org/harbour")
        pdf.write(text=" first.")

    text = markdown(cli_here, drawn(pdfs / "a.pdf", draw), out)
    assert text == "Ask the [harbour office](<https://example.org/harbour>) first."


def test_headings_of_the_outline_look_like_the_text(cli_here: Cli, pdfs: Path, out: Path) -> None:
    def draw(pdf: FPDF) -> None:
        pdf.start_section("The keeper")
        pdf.cell(text="The keeper", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(10)
        pdf.multi_cell(0, text=BODY * 3)

    text = markdown(cli_here, drawn(pdfs / "a.pdf", draw), out)
    assert text.startswith("# The keeper\n\nThe keeper of the lighthouse")


@pytest.mark.parametrize("after", [b"6 0 R", b"7 0 R", b"99 0 R"])
def test_an_outline_without_end_costs_nothing(
    cli_here: Cli, pdfs: Path, out: Path, after: bytes
) -> None:
    item = b"<</Title(Some title)/Parent 5 0 R/Next %s/First 7 0 R/Dest[3 0 R/Fit]>>"
    (pdfs / "a.pdf").write_bytes(
        plain_pdf({
            1: b"<</Type/Catalog/Pages 2 0 R/Outlines 5 0 R>>",
            2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
            b"/Resources<</Font<</F 8 0 R>>>>>>",
            4: stream(b"BT /F 12 Tf 72 700 Td (Some title) Tj 0 -40 Td (and its text) Tj ET"),
            5: b"<</Type/Outlines/First 6 0 R/Last 7 0 R>>",
            6: item % after,
            7: item % b"6 0 R",
            8: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        })
    )  # fmt: skip
    assert markdown(cli_here, pdfs, out) == "# Some title\n\nand its text"
