"""A record does not depend on how the pages of its document are shared out among processes."""

from pathlib import Path

import pytest
from fpdf import FPDF
from hypothesis import given, settings
from hypothesis import strategies as st

from pdfingest.child.extraction import Extraction
from pdfingest.engines.registry import find_engines
from pdfingest.exchange.recorder import NOTES_BYTES, Recorder
from pdfingest.job import Attempt, Job, Limits, PageRange, Sandbox
from pdfingest.model import Aside, Format, Source, Unit
from pdfingest.outcome import Cost, Extracted

PAGES = 12
TEXT = "The keeper of the light\xadhouse wrote down every ship that passed the northern cape. "


class Furnished(FPDF):
    """Pages with a running head and a number."""

    def header(self) -> None:
        """Write the head."""
        self.set_font("Times", size=9)
        self.cell(text=f"The log, {'left' if self.page_no() % 2 else 'right'}", align="C")
        self.ln(15)

    def footer(self) -> None:
        """Write the number."""
        self.set_y(-15)
        self.cell(text=f"{self.page_no()}", align="C")


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pdf = Furnished()
    for number in range(1, PAGES + 1):
        pdf.add_page()
        pdf.set_font("Helvetica", "B", 14)
        pdf.cell(text=f"Day {number}", new_x="LMARGIN", new_y="NEXT")
        pdf.set_font("Helvetica", size=11)
        pdf.multi_cell(0, text=TEXT * (3 + number % 4))
    path = tmp_path_factory.mktemp("survey") / "a.pdf"
    pdf.output(str(path))
    return path


def extracted(
    document: Path, pages: PageRange, form: Format, without: tuple[Aside, ...] = ()
) -> bytes:
    """The records of a range of pages."""
    spool, notes = document.with_suffix(".spool"), document.with_suffix(".notes")
    spool.unlink(missing_ok=True)
    notes.write_bytes(bytes(NOTES_BYTES))
    job = Job(
        Source("a.pdf", str(document)), find_engines("pdfium"), (), Unit.PAGE,
        Limits(1 << 40, 1 << 30, 1000), str(spool), Sandbox.OFF, format=form, pages=pages,
        step=Attempt(first_page=pages.begin, without=without),
    )  # fmt: skip
    recorder = Recorder(str(notes), 1)
    outcome = Extraction(job, recorder, Cost).run()
    recorder.close()
    assert isinstance(outcome, Extracted)
    return spool.read_bytes()


@given(
    cuts=st.sets(st.integers(1, PAGES - 1), max_size=4),
    form=st.sampled_from([Format.TEXT, Format.MARKDOWN, Format.RAW]),
)
@settings(max_examples=15)
def test_pages_that_are_shared_out_say_the_same(
    document: Path, cuts: set[int], form: Format
) -> None:
    ends = [*sorted(cuts), PAGES]
    begins = [1, *(end + 1 for end in ends[:-1])]
    parts = [
        extracted(document, PageRange(begin, end), form)
        for begin, end in zip(begins, ends, strict=True)
    ]
    assert b"".join(parts) == extracted(document, PageRange(), form)


def test_heads_and_numbers_of_all_pages_are_furniture(document: Path) -> None:
    records = extracted(document, PageRange(), Format.TEXT).splitlines()
    assert len(records) == PAGES
    assert all(b"The log" not in record.partition(b'"source"')[0] for record in records)
    assert all(b'"furniture":"The log, ' in record for record in records)


def test_a_survey_that_killed_a_child_is_not_made_again(document: Path) -> None:
    record = extracted(document, PageRange(1, 1), Format.TEXT, (Aside.SURVEY,))
    assert b"The log" in record.partition(b'"source"')[0]
