"""Inputs that come as a list or on stdin."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Cli, environment, make_pdf, read_lines, wait_for


@pytest.fixture
def two(pdfs: Path) -> list[Path]:
    """Two PDFs, of which one has a name that is not ASCII."""
    return [make_pdf(pdfs / "a.pdf"), make_pdf(pdfs / "é 灯.pdf")]


def sources(out: Path) -> list[str]:
    return sorted(line["source"].rpartition("/")[2] for line in read_lines(out / "report.jsonl"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-bom"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CR LF"])
def test_a_byte_order_mark_is_no_part_of_the_first_name(
    cli_here: Cli, two: list[Path], out: Path, encoding: str, end: str
) -> None:
    text = "".join(f"{path}{end}" for path in two)
    if encoding == "utf-16-be-bom":
        content = b"\xfe\xff" + text.encode("utf-16-be")
    else:
        content = text.encode(encoding)
    listing = out.parent / "list.txt"
    listing.write_bytes(content)
    done = cli_here("run", "--files-from", listing, "-o", out, "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert sources(out) == ["a.pdf", "é 灯.pdf"]


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"a.pdf\0b.pdf\0", "--null"), ("a.pdf\nb.pdf\n".encode("utf-16-le"), "UTF-16")],
    ids=["separated by NUL", "UTF-16 without its mark"],
)
def test_a_nul_in_a_list_of_lines_is_a_usage_error_with_its_cures(
    cli: Cli, content: bytes, word: str
) -> None:
    done = cli("run", "--files-from", "-", input=content.decode("latin-1"), encoding="latin-1")
    assert done.returncode == 2
    assert done.stderr.startswith("pdfingest: --files-from: line 1 of stdin holds a NUL")
    assert word in done.stderr


def test_a_list_that_ends_within_a_character_is_a_usage_error(
    cli_here: Cli, tmp_path: Path
) -> None:
    listing = tmp_path / "list.txt"
    listing.write_bytes("a.pdf\n".encode("utf-16")[:-1])
    done = cli_here("run", "--files-from", listing)
    assert done.returncode == 2
    assert f"--files-from: {listing} begins like UTF-16, but is not" in done.stderr


def test_a_list_that_cannot_be_read_is_a_usage_error(cli_here: Cli, pdfs: Path) -> None:
    done = cli_here("run", "--files-from", pdfs)
    assert done.returncode == 2
    assert done.stderr == (
        f"pdfingest: --files-from: {pdfs} cannot be read: Is a directory. Check the path.\n"
    )


def test_a_list_that_a_variable_names_is_told_by_the_variable(cli_here: Cli) -> None:
    done = cli_here("run", env={"PDFINGEST_FILES_FROM": "nowhere.txt"})
    where = "PDFINGEST_FILES_FROM in the environment"
    message = "nowhere.txt cannot be read: No such file or directory. Check the path."
    assert (done.returncode, done.stderr) == (2, f"pdfingest: {where}: {message}\n")


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_a_stop_does_not_wait_for_a_list_that_does_not_come(
    out: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "pdfingest", "run", "--files-from", "-", "-o", str(out), "-v"],
        env=environment(),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    process.stdin.write("nowhere.pdf\n")
    process.stdin.flush()
    lock = out / ".pdfingest" / "lock"
    wait_for(lambda: lock.exists() and lock.read_text())
    process.send_signal(number)
    assert process.wait(20) == 128 + number
    process.stdin.close()
    assert process.stderr
    process.stderr.close()
