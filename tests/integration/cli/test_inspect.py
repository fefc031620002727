"""`pdfingest inspect`: everything that is known of one file."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import ROOT, Cli, environment, make_pdf, read_lines

EXAMPLES = ROOT / "examples"


def test_it_shows_a_file_and_each_of_its_pages_within_80_columns(cli_here: Cli) -> None:
    done = cli_here("inspect", EXAMPLES / "pdfs" / "outline.pdf", env={"COLUMNS": "80"})
    assert (done.returncode, done.stderr) == (0, "")
    facts, pages, sections = done.stdout.split("\n\n")
    said = {line[:12].strip(): line[12:] for line in facts.splitlines()}
    assert said["file"] == "outline.pdf"
    assert (said["status"], said["title"]) == ("ok", "Labelled pages")
    assert said["pages"] == "5 of 5 read, 150 characters"
    assert "MiB" in said["peak"]
    labels = [line.split()[1] for line in pages.splitlines()[1:]]
    assert labels == ["i", "ii", "1", "2", "A-1"]
    assert sections.splitlines()[1:] == [
        *("   1  Preface", "   2  Contents", "   3  Chapter one", "   4  Chapter two"),
        "   5  Appendix",
    ]
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("name", ["pdfs/pages.pdf", "broken/encrypted.pdf"])
def test_its_json_is_what_a_run_writes(cli_here: Cli, tmp_path: Path, name: str) -> None:
    done = cli_here("inspect", EXAMPLES / name, "--json")
    found = json.loads(done.stdout)
    ran = cli_here("run", EXAMPLES / name, "--tables", "-o", tmp_path / "out", "-q")
    assert done.returncode == ran.returncode
    assert found["records"] == read_lines(tmp_path / "out" / "pages.jsonl")
    (line,) = read_lines(tmp_path / "out" / "report.jsonl")
    assert found["report"].keys() == line.keys()
    for key in ("source", "sha256", "status", "failure", "message", "pages", "options_digest"):
        assert found["report"][key] == line[key]


def test_it_writes_nothing_beside_what_it_shows(cli_here: Cli, tmp_path: Path) -> None:
    cli_here("inspect", EXAMPLES / "pdfs" / "pages.pdf")
    assert [path.name for path in tmp_path.rglob("*")] == ["cwd"]


def test_pages_that_were_lost_have_their_place(cli_here: Cli, faulty: Callable[..., Path]) -> None:
    path = faulty("a.pdf", pages=3, page=2, fault="segfault")
    done = cli_here("inspect", path, "--engine", "faulty")
    assert done.returncode == 1
    assert "2 of 3 read, 30 characters; lost: 2" in done.stdout
    assert "SIGSEGV" in done.stdout
    rows = done.stdout.split("\n\n")[1].splitlines()[1:]
    assert [row.split()[0] for row in rows] == ["1", "2", "3"]
    assert "(lost)" in rows[1]


def test_a_document_of_very_many_pages_is_shown_in_part_and_says_so(
    cli_here: Cli, faulty: Callable[..., Path]
) -> None:
    path = faulty("a.pdf", pages=1200, page=1100, fault="raises")
    done = cli_here("inspect", path, "--engine", "faulty")
    pages, links = done.stdout.split("\n\n")[1:]
    assert len(pages.splitlines()) == 1 + 1000 + 1
    assert pages.endswith("… and 200 more: --json has all")
    assert len(links.splitlines()) == 1 + 20 + 1


def test_a_pdf_may_come_from_stdin_and_its_options_from_a_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "cwd" / "pdfingest.toml").write_text(
        'password = "correct horse"\nworkers = 4\nhtml = true\n'
    )
    with open(EXAMPLES / "broken" / "encrypted.pdf", "rb") as stdin:
        done = cli("inspect", "-", stdin=stdin)
    assert (done.returncode, done.stderr) == (0, "")
    assert "stdin.pdf" in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "FILE is missing"),
        (["."], "is a directory"),
        (["none.pdf"], "none.pdf. Check the path"),
        (["a.pdf", "b.pdf"], "Unexpected argument 'b.pdf'"),
        (["a.pdf", "--workers", "2"], "No such option"),
    ],
)
def test_what_is_no_single_file_is_refused(cli_here: Cli, words: list[str], message: str) -> None:
    done = cli_here("inspect", *words, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_names_and_texts_of_strangers_do_no_harm_to_the_terminal(cli_here: Cli, pdfs: Path) -> None:
    path = make_pdf(pdfs / "\x1b[31mred.pdf", ["one"], title="\x1b]0;owned\x07")
    done = cli_here("inspect", path)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout


def test_an_interrupt_ends_it(faulty: Callable[..., Path], tmp_path: Path) -> None:
    path = faulty("a.pdf", fault="hang")
    process = subprocess.Popen(
        [sys.executable, "-m", "pdfingest", "inspect", str(path), "--engine", "faulty"],
        env=environment(), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1.5)
    began_s = time.monotonic()
    process.send_signal(2)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert time.monotonic() - began_s < 5
