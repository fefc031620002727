"""Names and files that nobody would give a file, on purpose."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Cli, as_nobody_special, environment, make_pdf, read_lines

NAMES = {
    b"with space.pdf": "with space.pdf",
    b"new\nline.pdf": "new\nline.pdf",
    b"bell\x07 and \x1b[31mred.pdf": "bell\x07 and \x1b[31mred.pdf",
    "emoji \U0001f4c4.pdf".encode(): "emoji \U0001f4c4.pdf",
    b"caf\xe9.pdf": r"caf\xe9.pdf",
    b"x" * 251 + b".pdf": "x" * 251 + ".pdf",
    b"-dash [b] {c} *.pdf": "-dash [b] {c} *.pdf",
    b"UPPER.PDF": "UPPER.PDF",
}


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return make_pdf(tmp_path / "one" / "one.pdf")


def test_every_name_is_ingested_under_a_name_of_its_own(
    cli_here: Cli, one: Path, pdfs: Path, out: Path
) -> None:
    for name in NAMES:
        shutil.copy(os.fsencode(one), os.path.join(os.fsencode(pdfs), name))
    done = cli_here("run", pdfs, "-o", out, "--verbose")
    assert done.returncode == 0, done.stderr
    assert {line["source"] for line in read_lines(out / "report.jsonl")} == set(NAMES.values())
    records = read_lines(out / "pages.jsonl")
    assert {record["source"] for record in records} == set(NAMES.values())
    assert {record["text"].strip() for record in records} == {"Hello"}
    assert "\x1b" not in done.stderr
    assert "\x07" not in done.stderr


def test_every_name_is_taken_from_a_list(cli: Cli, one: Path, pdfs: Path, out: Path) -> None:
    paths = [os.path.join(os.fsencode(pdfs), name) for name in NAMES]
    for path in paths:
        shutil.copy(os.fsencode(one), path)
    done = cli(
        "run", "--files-from", "-", "--null", "-o", out, "-q",
        input=b"\0".join(paths), text=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert len(read_lines(out / "report.jsonl")) == len(NAMES)


def test_failures_with_such_names_do_not_garble_the_terminal(cli_here: Cli, pdfs: Path) -> None:
    for name in NAMES:
        with open(os.path.join(os.fsencode(pdfs), name), "wb"):
            pass
    done = cli_here("run", pdfs)
    assert done.returncode == 1
    assert not {c for c in done.stderr if not c.isprintable()} - {"\n"}


def test_links_are_followed_to_files_and_not_to_directories(
    cli_here: Cli, one: Path, pdfs: Path, out: Path
) -> None:
    shutil.copy(one, pdfs / "real.pdf")
    (pdfs / "z-again.pdf").symlink_to("real.pdf")
    (pdfs / "outside.pdf").symlink_to(one)
    (pdfs / "loop.pdf").symlink_to("loop.pdf")
    (pdfs / "dangling.pdf").symlink_to("nowhere")
    (pdfs / "folder").symlink_to(pdfs)
    (pdfs / "folder.pdf").symlink_to(pdfs)
    (pdfs / "directory.pdf").mkdir()
    shutil.copy(one, pdfs / "directory.pdf" / "inner.pdf")
    (pdfs / ".hidden.pdf").touch()
    os.mkfifo(pdfs / "pipe.pdf")
    done = cli_here("run", pdfs, "-o", out)
    assert done.returncode == 1
    report = {line["source"]: line["failure"] for line in read_lines(out / "report.jsonl")}
    assert report == {
        "real.pdf": "",
        "outside.pdf": "",
        "directory.pdf/inner.pdf": "",
        "loop.pdf": "unreadable",
        "dangling.pdf": "unreadable",
        "pipe.pdf": "unreadable",
    }


def test_the_same_file_by_two_inputs_is_ingested_once(
    cli_here: Cli, one: Path, pdfs: Path, out: Path
) -> None:
    path = pdfs / "a.pdf"
    shutil.copy(one, path)
    os.link(path, pdfs / "b.pdf")
    done = cli_here("run", pdfs, path, f"{pdfs}/*.pdf", "-o", out)
    assert done.returncode == 0
    assert [line["source"] for line in read_lines(out / "report.jsonl")] == ["a.pdf"]


def test_a_file_that_vanishes_before_its_job_is_unreadable(
    one: Path, pdfs: Path, out: Path
) -> None:
    for number in range(20):
        shutil.copy(one, pdfs / f"{number:02}.pdf")
    code = (
        "import os, sys\n"
        "from pdfingest import IngestOptions, Listener, ingest\n"
        "class Vandal(Listener):\n"
        "    def on_planned(self, sources, size_bytes):\n"
        "        os.unlink(sys.argv[1] + '/07.pdf')\n"
        "if __name__ == '__main__':\n"
        "    ingest([sys.argv[1]], IngestOptions(output=sys.argv[2]), listeners=[Vandal()])\n"
    )
    script = pdfs.parent / "vandal.py"
    script.write_text(code)
    subprocess.run([sys.executable, script, pdfs, out], env=environment(), check=True, timeout=60)
    report = {line["source"]: line["failure"] for line in read_lines(out / "report.jsonl")}
    assert len(report) == 20
    assert {name for name, failure in report.items() if failure} == {"07.pdf"}
    assert report["07.pdf"] == "unreadable"


def test_what_may_not_be_read_is_reported(one: Path, pdfs: Path, out: Path) -> None:
    shutil.copy(one, pdfs / "open.pdf")
    shutil.copy(one, pdfs / "shut.pdf")
    (pdfs / "shut.pdf").chmod(0)
    (pdfs / "closed").mkdir()
    (pdfs / "closed").chmod(0)
    command = [sys.executable, "-m", "pdfingest", "run", str(pdfs), "-o", str(out), "-q"]
    done = subprocess.run(
        [*as_nobody_special(), *command], env=environment(), check=False, timeout=60
    )
    (pdfs / "closed").chmod(0o700)
    assert done.returncode == 1
    report = {line["source"]: line["failure"] for line in read_lines(out / "report.jsonl")}
    assert report == {"open.pdf": "", "shut.pdf": "unreadable", "closed": "unreadable"}
