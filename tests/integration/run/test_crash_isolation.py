"""One file that goes wrong in any way costs exactly itself."""

from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Cli, read_lines

pytestmark = pytest.mark.usefixtures("starts")
GOOD = [f"good{number}.pdf" for number in range(6)]

FATAL = {
    "sigkill": ("crashed", "SIGKILL", "killed by SIGKILL"),
    "segfault": ("crashed", "SIGSEGV", "killed by SIGSEGV"),
    "abort": ("crashed", "SIGABRT", "killed by SIGABRT"),
    "exit0": ("crashed", "", "ended without an answer (exit code 0)"),
    "raises": ("engine_error", "", "ValueError: a fault of the engine"),
    "raises_unpicklable": ("engine_error", "", "Local: local"),
    "system_exit": ("engine_error", "", "SystemExit: 3"),
    "keyboard_interrupt": ("engine_error", "", "KeyboardInterrupt"),
    "unpicklable_text": ("engine_error", "", "TypeError"),
    "wrong_type": ("engine_error", "", "TypeError"),
    "no_page": ("engine_error", "", "AttributeError"),
    "memory_error": ("memory_limit", "", "MemoryError"),
    "malformed": ("malformed", "", "broken"),
    "encrypted": ("encrypted", "", "none given"),
}
"""Fault to failure kind, signal and a part of the message."""

HARMLESS = ("stdout_noise", "raises_in_info")


@pytest.mark.parametrize("fault", FATAL)
def test_a_fault_costs_its_own_file_only(
    cli: Cli, faulty: Callable[..., Path], pdfs: Path, out: Path, fault: str
) -> None:
    kind, signal, message = FATAL[fault]
    for name in GOOD:
        faulty(name, pages=2)
    faulty("good3-bad.pdf", fault=fault)

    done = cli("run", pdfs, "-o", out, "--engine", "faulty", "--workers", 2)

    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    report = {line["source"]: line for line in read_lines(out / "report.jsonl")}
    bad = report.pop("good3-bad.pdf")
    assert (bad["status"], bad["failure"], bad["signal"]) == ("failed", kind, signal)
    assert message in bad["message"]
    assert bad["pid"] > 0
    assert {line["status"] for line in report.values()} == {"ok"}
    assert len({line["pid"] for line in report.values()} | {bad["pid"]}) == len(GOOD) + 1
    records = read_lines(out / "pages.jsonl")
    assert sorted((r["source"], r["metadata"]["page"]) for r in records) == [
        (name, page) for name in GOOD for page in (1, 2)
    ]


@pytest.mark.parametrize("fault", HARMLESS)
def test_what_does_not_touch_the_text_costs_nothing(
    cli: Cli, faulty: Callable[..., Path], pdfs: Path, fault: str
) -> None:
    faulty("a.pdf", fault=fault)
    done = cli("run", pdfs, "-o", "-", "--engine", "faulty", "--quiet")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert '"text":"page 1 of a.pdf"' in done.stdout


def test_a_fault_on_opening_is_told_with_the_engine(
    cli: Cli, faulty: Callable[..., Path], out: Path
) -> None:
    cli("run", faulty("a.pdf", fault="raises", page=0), "-o", out, "--engine", "faulty")
    (line,) = read_lines(out / "report.jsonl")
    assert (line["failure"], line["engine"], line["pages_failed"]) == ("engine_error", "faulty", 0)


def test_a_page_that_raises_costs_itself_only(
    cli: Cli, faulty: Callable[..., Path], out: Path
) -> None:
    path = faulty("a.pdf", fault="raises", pages=5, page=3)
    done = cli("run", path, "-o", out, "--engine", "faulty")
    assert done.returncode == 1
    (line,) = read_lines(out / "report.jsonl")
    assert (line["status"], line["pages"], line["failed_pages"]) == ("partial", 4, [3])
    assert [r["metadata"]["page"] for r in read_lines(out / "pages.jsonl")] == [1, 2, 4, 5]
    assert cli("run", path, "-o", out, "--engine", "faulty", "--fail-on", "failed").returncode == 0
