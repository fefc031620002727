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


def test_a_fault_costs_its_own_file_only(
    cli: Cli, faulty: Callable[..., Path], pdfs: Path, out: Path
) -> None:
    for name in GOOD:
        faulty(name, pages=2)
    for fault in FATAL:
        faulty(f"good3-{fault}.pdf", fault=fault)

    done = cli("run", pdfs, "-o", out, "--engine", "faulty", "--workers", 2)

    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    lines = read_lines(out / "report.jsonl")
    report = {line["source"]: line for line in lines}
    assert len({line["pid"] for line in lines} - {0}) == len(report) == len(lines)
    for fault, (kind, signal, message) in FATAL.items():
        bad = report.pop(f"good3-{fault}.pdf")
        told = (bad["status"], bad["failure"], bad["signal"])
        assert told == ("failed", kind, signal), fault
        assert message in bad["message"], fault
    assert [(name, report[name]["status"]) for name in sorted(report)] == [
        (name, "ok") for name in GOOD
    ]
    records = read_lines(out / "pages.jsonl")
    assert sorted((r["source"], r["metadata"]["page"]) for r in records) == [
        (name, page) for name in GOOD for page in (1, 2)
    ]


def test_what_does_not_touch_the_text_costs_nothing(
    cli: Cli, faulty: Callable[..., Path], pdfs: Path
) -> None:
    for fault in HARMLESS:
        faulty(f"{fault}.pdf", fault=fault)
    done = cli("run", pdfs, "-o", "-", "--engine", "faulty", "--quiet")
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.count("\n") == len(HARMLESS)
    for fault in HARMLESS:
        assert f'"text":"page 1 of {fault}.pdf"' in done.stdout


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
