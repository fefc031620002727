"""A file that was cut off gives the pages that are in it, and names the others."""

from pathlib import Path

import pytest

from conftest import Cli, read_lines
from written import Node, plain_pdf, tree_objects

TEXTS = [f"page {number}" for number in range(1, 13)]
OBJECTS = tree_objects(Node(TEXTS))
WHOLE = plain_pdf({1: OBJECTS[1], 2: OBJECTS[2], **OBJECTS})  # the tree stands first


ORDERS = {
    "contents before their pages": WHOLE,
    "all pages before the contents": plain_pdf(
        dict(sorted(OBJECTS.items(), key=lambda item: b"stream" in item[1]))
    ),
}


@pytest.mark.parametrize("percent", [75, 90, 95])
@pytest.mark.parametrize("whole", ORDERS.values(), ids=ORDERS)
def test_pages_that_are_there_are_kept_and_the_others_are_lost(
    cli_here: Cli, pdfs: Path, out: Path, whole: bytes, percent: int
) -> None:
    body = whole[: whole.rindex(b"xref\n0 ")]
    (pdfs / "a.pdf").write_bytes(body[: len(body) * percent // 100])
    done = cli_here("run", pdfs, "-o", out, "-w", "1", "-q")
    (line,) = read_lines(out / "report.jsonl")
    read = {r["metadata"]["page"]: r["text"].strip() for r in read_lines(out / "pages.jsonl")}
    assert (done.returncode, line["status"], line["failure"]) == (1, "partial", "malformed")
    assert "the file is cut off" in line["message"]
    assert sorted([*read, *line["failed_pages"]]) == [*range(1, 13)]
    assert read
    assert read == {number: TEXTS[number - 1] for number in read}


def test_a_file_that_lacks_its_end_alone_is_whole(cli_here: Cli, pdfs: Path, out: Path) -> None:
    (pdfs / "a.pdf").write_bytes(WHOLE[: WHOLE.rindex(b"trailer")])
    assert cli_here("run", pdfs, "-o", out, "-w", "1", "-q").returncode == 0
    assert [r["text"].strip() for r in read_lines(out / "pages.jsonl")] == TEXTS


def test_without_a_catalog_there_is_nothing_to_read(cli_here: Cli, pdfs: Path, out: Path) -> None:
    (pdfs / "a.pdf").write_bytes(WHOLE[:40].replace(b"Catalog", b"Another"))
    assert cli_here("run", pdfs, "-o", out, "-w", "1", "-q").returncode == 1
    (line,) = read_lines(out / "report.jsonl")
    assert (line["status"], line["failure"]) == ("failed", "malformed")
