"""Scans are read by Tesseract, in the sandbox and under the limits of their file."""

from pathlib import Path

import pytest

from conftest import Cli, make_pdf, read_lines
from scans import WORDS, make_scan

pytest.importorskip("tesserocr")


def test_a_scan_is_read_in_the_whole_sandbox(cli_here: Cli, pdfs: Path, out: Path) -> None:
    make_scan(pdfs / "scan.pdf", pages=2)
    make_pdf(pdfs / "native.pdf", ["All of it is text."])
    done = cli_here("run", pdfs, "-o", out, "-q", "--ocr", "auto", "--sandbox", "require")
    assert done.returncode == 0, done.stderr
    records = {record["id"].partition(":")[2] + record["source"]: record
               for record in read_lines(out / "pages.jsonl")}  # fmt: skip
    for number in (1, 2):
        record = records[f"p000{number}scan.pdf"]
        assert record["text"] == f"Page {number}. " + (WORDS * 6).strip()
        assert record["metadata"]["text_source"] == "ocr"
        assert record["metadata"]["ocr_confidence"] > 90
    assert records["p0001native.pdf"]["metadata"]["text_source"] == "native"
    lines = {line["source"]: line for line in read_lines(out / "report.jsonl")}
    assert (lines["scan.pdf"]["ocr_pages"], lines["scan.pdf"]["needs_ocr_pages"]) == (2, 0)
    assert lines["native.pdf"]["peak_rss_bytes"] < lines["scan.pdf"]["peak_rss_bytes"]


def test_what_a_scan_takes_is_limited_as_that_of_any_file(
    cli_here: Cli, pdfs: Path, out: Path
) -> None:
    make_scan(pdfs / "scan.pdf")
    done = cli_here(
        "run", pdfs, "-o", out, "-q", "-w", "1", "--ocr", "auto",
        "--memory-budget", "128M", "--memory-limit", "96M",
    )  # fmt: skip
    (record,), (line,) = read_lines(out / "pages.jsonl"), read_lines(out / "report.jsonl")
    assert done.returncode == 0, done.stderr
    assert (line["status"], record["metadata"]["needs_ocr"]) == ("ok", True)
    assert line["peak_rss_bytes"] < 128 << 20
