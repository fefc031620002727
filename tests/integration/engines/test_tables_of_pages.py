"""With --tables a record has the tables of its page, wherever and however the page is turned."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF
from fpdf.drawing import PaintedPath

from conftest import Cli, read_lines

ROWS = [["Region", "Plants", "Change"], ["North", "12", "+14.4 %"], ["East coast", "31", "-8 %"]]


def table(pdf: FPDF) -> None:
    """Three rows of cells, drawn row by row."""
    for row, cells in enumerate(ROWS):
        for left, text in zip((100, 200, 300), cells, strict=True):
            pdf.text(left, 200 + 16 * row, text)


def turned(angle: int) -> Callable[[FPDF], None]:
    def draw(pdf: FPDF) -> None:
        with pdf.rotation(angle, 300, 400):
            table(pdf)

    return draw


def written(path: Path, *draw: Callable[[FPDF], object]) -> Path:
    pdf = FPDF(unit="pt", format="A4")
    pdf.set_font("Helvetica", size=12)
    for each in draw:
        pdf.add_page()
        each(pdf)
    pdf.output(str(path))
    return path


def read(cli_here: Cli, path: Path, out: Path, *options: str) -> list[dict[str, Any]]:
    assert cli_here("run", path, "-o", out, *options).returncode == 0
    (name,) = out.glob("*s.jsonl")
    return read_lines(name)


@pytest.mark.parametrize("form", ["text", "markdown", "raw"])
def test_a_record_has_the_tables_of_its_page(
    cli_here: Cli, pdfs: Path, out: Path, form: str
) -> None:
    path = written(pdfs / "a.pdf", table)
    (record,) = read(cli_here, path, out, "--tables", "--format", form)
    (found,) = json.loads(record["tables"])
    assert (found["page"], found["rows"]) == (1, ROWS)
    left, top, right, bottom = found["bbox"]
    assert (left, top) == pytest.approx((100, 191), abs=1)
    assert bottom == pytest.approx(235, abs=1)
    assert 330 < right < 350


def test_nobody_asks_for_tables_by_default(cli_here: Cli, pdfs: Path, out: Path) -> None:
    (record,) = read(cli_here, written(pdfs / "a.pdf", table), out)
    assert record["tables"] == "[]"
    assert record["text"] == "\n".join("\t".join(row) for row in ROWS)


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_the_box_of_a_table_is_where_it_is_drawn(
    cli_here: Cli, pdfs: Path, out: Path, angle: int
) -> None:
    (record,) = read(cli_here, written(pdfs / "a.pdf", turned(angle)), out, "--tables")
    (found,) = json.loads(record["tables"])
    assert found["rows"] == ROWS
    left, top, right, bottom = found["bbox"]
    # The first letter stands 200 to the left of the centre, and 200 above it.
    corner = {90: (100, 600), 180: (500, 600), 270: (500, 200)}[angle]
    assert left - 15 < corner[0] < right + 15
    assert top - 15 < corner[1] < bottom + 15
    assert (right - left > bottom - top) == (angle == 180)


def test_a_document_has_the_tables_of_all_its_pages(cli_here: Cli, pdfs: Path, out: Path) -> None:
    path = written(pdfs / "a.pdf", table, lambda pdf: pdf.text(72, 100, "no table"), table)
    (record,) = read(cli_here, path, out, "--tables", "--unit", "document")
    found = json.loads(record["tables"])
    assert [each["page"] for each in found] == [1, 3]
    assert all(each["rows"] == ROWS for each in found)


def test_a_run_with_tables_reads_files_again(cli_here: Cli, pdfs: Path, out: Path) -> None:
    path = written(pdfs / "a.pdf", table)
    read(cli_here, path, out)
    assert len(read(cli_here, path, out, "--tables")) == 2


def ruled(pdf: FPDF) -> None:
    """Cells with borders, whose texts wrap, and a head over two columns."""
    pdf.set_xy(60, 100)
    with pdf.table(col_widths=(100, 100, 100), width=300, align="L") as drawn:
        head = drawn.row()
        head.cell("Sources and what they are", colspan=2)
        head.cell("Examples")
        for cells in (
            ("Area", "Less than ten tons of any one of them, a year", "Dry cleaners and shops"),
            ("Road", "Vehicles that run on public roads", "Cars, buses, lorries, motorcycles"),
        ):
            drawn.row(cells)


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_rules_tell_the_cells_of_a_table(cli_here: Cli, pdfs: Path, out: Path, form: str) -> None:
    (record,) = read(cli_here, written(pdfs / "a.pdf", ruled), out, "--tables", "--format", form)
    (found,) = json.loads(record["tables"])
    assert found["rows"] == [
        ["Sources and what they are", "", "Examples"],
        ["Area", "Less than ten tons of any one of them, a year", "Dry cleaners and shops"],
        ["Road", "Vehicles that run on public roads", "Cars, buses, lorries, motorcycles"],
    ]


def test_rules_that_are_one_shape_tell_them_too(cli_here: Cli, pdfs: Path, out: Path) -> None:
    def draw(pdf: FPDF) -> None:
        with pdf.drawing_context() as drawing:
            path = PaintedPath()
            for n in range(3):
                path.move_to(60, 100 + 30 * n).line_to(260, 100 + 30 * n)
                path.move_to(60 + 100 * n, 100).line_to(60 + 100 * n, 160)
            path.style.fill_color = None
            path.style.stroke_color = "#000"
            drawing.add_item(path)
        for n, text in enumerate("abcd"):
            pdf.text(70 + 100 * (n % 2), 120 + 30 * (n // 2), text)

    (record,) = read(cli_here, written(pdfs / "a.pdf", draw), out, "--tables")
    (found,) = json.loads(record["tables"])
    assert found["rows"] == [["a", "b"], ["c", "d"]]


def test_an_engine_may_find_tables_by_itself(cli_here: Cli, pdfs: Path, out: Path) -> None:
    path = written(pdfs / "a.pdf", ruled)
    (record,) = read(cli_here, path, out, "--tables", "--engine", "pdfplumber")
    (found,) = json.loads(record["tables"])
    assert [row[0].split()[0] for row in found["rows"]] == ["Sources", "Area", "Road"]
    assert len({len(row) for row in found["rows"]}) == 1
    assert found["bbox"][0] < found["bbox"][2]
