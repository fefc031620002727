"""Pages that need OCR are read by it, and what that costs is theirs alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Cli, read_lines

ENGINES = ("--engine", "faulty", "--ocr", "faulty", "-w", "1", "-q")


@pytest.fixture
def run(cli_here: Cli, pdfs: Path, out: Path) -> Callable[..., tuple[dict[str, Any], list[Any]]]:
    """The report line of the one file, and its records."""

    def run(*args: str, code: int = 0) -> tuple[dict[str, Any], list[Any]]:
        done = cli_here("run", pdfs, "-o", out, *ENGINES, *args)
        assert done.returncode == code, done.stderr
        *_, line = read_lines(out / "report.jsonl")
        return line, read_lines(out / "pages.jsonl")

    return run


Run = Callable[..., tuple[dict[str, Any], list[Any]]]
Faulty = Callable[..., Path]


def told(records: list[Any]) -> list[tuple[str, str, bool]]:
    """Text, where it is from, and whether OCR is needed, by page."""
    return [
        (each["text"], each["metadata"]["text_source"], each["metadata"]["needs_ocr"])
        for each in records
    ]


def test_a_page_without_text_is_read_by_ocr(run: Run, faulty: Faulty) -> None:
    faulty("a.pdf", pages=2, text="")
    line, records = run()
    assert told(records) == [("seen 1", "ocr", False), ("seen 2", "ocr", False)]
    metadata = records[0]["metadata"]
    assert (metadata["ocr_chars"], metadata["ocr_confidence"]) == (6, 90.0)
    assert (line["ocr_pages"], line["needs_ocr_pages"], line["chars"]) == (2, 0, 12)


def test_a_page_with_text_is_left_alone(run: Run, faulty: Faulty) -> None:
    faulty("a.pdf", text="all of it", ocr={"1": "segfault"})
    line, records = run()
    assert told(records) == [("all of it", "native", False)]
    assert (records[0]["metadata"]["ocr_chars"], line["ocr_pages"], line["attempts"]) == (0, 0, 1)


@pytest.mark.parametrize("fault", ["raises", "segfault", "hang", "memory_error"])
def test_whatever_ocr_does_on_a_page_the_others_are_read(
    run: Run, faulty: Faulty, fault: str
) -> None:
    faulty("a.pdf", pages=4, text="", ocr={"2": fault, "3": fault})
    line, records = run("--page-timeout", "2")
    nothing = ("", "none", True)
    assert told(records) == [("seen 1", "ocr", False), nothing, nothing, ("seen 4", "ocr", False)]
    assert (line["status"], line["ocr_pages"], line["needs_ocr_pages"]) == ("ok", 2, 2)


def test_no_page_is_read_twice_by_ocr_whoever_dies_and_whoever_reads_it(
    run: Run, faulty: Faulty, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    slow = {str(page): "sleep" for page in range(1, 31)}
    faults = {**slow, "7": "sigkill", "25": "hang"}
    faulty("a.pdf", pages=30, text="", seconds=0.05, ocr=faults, ocr_log=str(log))
    line, records = run("-w", "3", "--sandbox", "off", "--page-timeout", "2")
    assert line["attempts"] > 3, "idle lanes take over pages, and two children die"
    assert (line["ocr_pages"], line["needs_ocr_pages"]) == (28, 2)
    assert [each["metadata"]["page"] for each in records] == [*range(1, 31)]
    assert sorted(map(int, log.read_text().split())) == [*range(1, 31)]


def test_a_picture_that_says_nothing_leaves_the_page_flagged(run: Run, faulty: Faulty) -> None:
    faulty("a.pdf", text="", seen="")
    assert told(run()[1]) == [("", "none", True)]


def test_the_languages_are_those_that_are_asked_for(run: Run, faulty: Faulty) -> None:
    faulty("a.pdf", text="", seen="languages")
    assert run()[1][0]["text"] == "eng"
    assert run("--ocr-lang", "rus,deu")[1][-1]["text"] == "rus deu"


def test_a_language_that_is_not_there_stops_the_run_before_the_first_file(
    cli_here: Cli, pdfs: Path, out: Path, faulty: Faulty
) -> None:
    faulty("a.pdf", text="")
    done = cli_here("run", pdfs, "-o", out, *ENGINES, "--ocr-lang", "eng,xyz")
    assert (done.returncode, not out.exists()) == (4, True)
    assert "Nobody has 'xyz'." in done.stderr


def test_without_ocr_a_file_is_read_as_before_and_again_with_it(run: Run, faulty: Faulty) -> None:
    faulty("a.pdf", text="")
    assert told(run("--ocr", "off")[1]) == [("", "none", True)]
    line, records = run()
    assert (line["status"], told(records)[-1]) == ("ok", ("seen 1", "ocr", False))


def test_a_document_says_how_much_of_it_is_from_pictures(
    cli_here: Cli, pdfs: Path, out: Path, faulty: Faulty
) -> None:
    faulty("a.pdf", pages=3, text="", ocr={"2": "raises"})
    assert cli_here("run", pdfs, "-o", out, *ENGINES, "--unit", "document").returncode == 0
    (record,) = read_lines(out / "documents.jsonl")
    metadata = record["metadata"]
    assert (metadata["text_source"], metadata["ocr_chars"]) == ("ocr", 12)
    assert (metadata["ocr_confidence"], metadata["needs_ocr"]) == (90.0, True)
