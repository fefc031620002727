"""`pdfingest run -`: one PDF on stdin."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Cli, environment, make_pdf, read_lines, wait_for
from terminal import open_terminal


@pytest.fixture
def pdf(tmp_path: Path) -> dict[str, str]:
    """A PDF of two pages, as input of a process."""
    content = make_pdf(tmp_path / "made" / "a.pdf", ["one", "two"]).read_bytes()
    return {"input": content.decode("latin-1"), "encoding": "latin-1"}


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """The directory for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def test_a_pdf_on_stdin_is_a_source_of_its_own_name(
    cli: Cli, pdf: dict[str, str], out: Path, temporary: Path
) -> None:
    done = cli("run", "-", "-o", out, "-q", **pdf, env={"TMPDIR": str(temporary)})
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = read_lines(out / "report.jsonl")
    assert (line["source"], line["pages"], line["bytes"]) == ("stdin.pdf", 2, len(pdf["input"]))
    assert {each["source"] for each in read_lines(out / "pages.jsonl")} == {"stdin.pdf"}
    assert list(temporary.iterdir()) == []


def test_it_goes_from_pipe_to_pipe(cli: Cli, pdf: dict[str, str]) -> None:
    done = cli("run", "-", "-o", "-", "-q", **pdf)
    texts = [json.loads(line)["text"].strip() for line in done.stdout.splitlines()]
    assert texts == ["one", "two"]


def test_the_same_pdf_again_is_unchanged(cli: Cli, pdf: dict[str, str], out: Path) -> None:
    for _ in range(2):
        assert cli("run", "-", "-o", out, "-q", **pdf).returncode == 0
    assert [line["status"] for line in read_lines(out / "report.jsonl")] == ["ok"]
    assert json.loads((out / "summary.json").read_text())["unchanged"] == 1


def test_it_is_not_gone_in_a_later_run(
    cli: Cli, pdf: dict[str, str], pdfs: Path, out: Path
) -> None:
    cli("run", "-", "-o", out, **pdf)
    make_pdf(pdfs / "a.pdf")
    assert cli("run", pdfs, "-o", out).returncode == 0
    assert [line["status"] for line in read_lines(out / "report.jsonl")] == ["ok", "ok"]


def test_a_dry_run_lists_it(cli: Cli, pdf: dict[str, str]) -> None:
    done = cli("run", "-", "--dry-run", **pdf)
    assert done.stdout == "stdin.pdf\n"
    assert done.stderr.startswith("1 file, ")


def test_what_is_no_pdf_is_reported(cli: Cli, out: Path) -> None:
    assert cli("run", "-", "-o", out, input="no").returncode == 1
    (line,) = read_lines(out / "report.jsonl")
    assert (line["source"], line["failure"]) == ("stdin.pdf", "not_pdf")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-", "a.pdf"], "- is one PDF on stdin, and goes with no other INPUT."),
        (["-", "-"], "- is one PDF on stdin, and goes with no other INPUT."),
        (["-", "--files-from", "-"], "- is one PDF on stdin, and goes with no other INPUT."),
        (["-", "--on", "celery"], "- needs --on here: the workers cannot read this stdin."),
    ],
    ids=" ".join,
)
def test_what_does_not_go_with_it_is_a_usage_error(
    cli: Cli, words: list[str], message: str
) -> None:
    done = cli("run", *words, input="")
    assert (done.returncode, done.stderr) == (2, f"pdfingest: {message}\n")


@pytest.mark.skipif(os.name != "posix", reason="closes a descriptor as a shell does")
def test_a_closed_stdin_is_a_usage_error(cli: Cli) -> None:
    done = cli("run", "-", preexec_fn=lambda: os.close(0))
    assert (done.returncode, done.stderr[:28]) == (2, "pdfingest: stdin is closed, ")


def test_a_terminal_is_no_pdf(cli: Cli) -> None:
    ours, theirs = open_terminal()
    done = cli("run", "-", stdin=theirs)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 2
    assert done.stderr == "pdfingest: stdin is a terminal. Pipe a PDF into it, or redirect it.\n"


def test_a_disk_that_is_too_small_for_it_is_an_error_of_the_environment(
    cli: Cli, temporary: Path
) -> None:
    resource = pytest.importorskip("resource")

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    env = {"TMPDIR": str(temporary)}
    done = cli("run", "-", input="x" * (3 << 20), preexec_fn=limit, env=env)
    assert done.returncode == 4
    assert done.stderr.startswith(f"pdfingest: {temporary} has no room for the PDF on stdin: ")
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_a_stop_does_not_wait_for_the_end_of_stdin_and_leaves_nothing(
    out: Path, temporary: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "pdfingest", "run", "-", "-o", str(out)],
        env=environment(TMPDIR=str(temporary)),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    process.stdin.write(b"%PDF-")
    process.stdin.flush()
    wait_for(lambda: [path for path in temporary.glob("*/stdin.pdf") if path.stat().st_size])
    (kept,) = temporary.glob("*/stdin.pdf")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    process.send_signal(number)
    assert process.wait(10) == 128 + number
    process.stdin.close()
    assert process.stderr
    assert process.stderr.read() == b""
    process.stderr.close()
    assert list(temporary.iterdir()) == []
    assert not out.exists()
