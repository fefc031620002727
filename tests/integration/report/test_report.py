"""An earlier run shown again: in the terminal, as CSV, JSON, JUnit, as pictures, as advice."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from conftest import Cli, environment, shape
from terminal import shown_in_terminal, widest

Make = Callable[..., Path]
LONG = "a folder/" * 30 + "the end.pdf"
"""Longer than a terminal is wide."""


@pytest.fixture
def ingested(cli_here: Cli, faulty: Make, pdfs: Path, out: Path) -> Path:
    """A run of files whose peaks differ, one of which fails."""
    for number in range(20):
        faulty(f"{number:02}.pdf", pages=1 + number % 3)
    faulty("large.pdf", fault="allocate", mib=70)
    faulty("=1+1.pdf", fault="raises")
    done = cli_here("run", pdfs, "-o", out, "--engine", "faulty", "-w", "2", "-q")
    assert done.returncode == 1
    return out


def test_it_shows_peaks_and_what_to_look_at(cli_here: Cli, ingested: Path) -> None:
    done = cli_here("report", ingested, "--top", "2", "--workers", "8")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Peaks of the files" in done.stdout
    lines = done.stdout.splitlines()
    heading = next(i for i, line in enumerate(lines) if line.endswith("highest peaks"))
    first, second, end = lines[heading + 1 : heading + 4]
    assert first.endswith("large.pdf")
    assert second.endswith(".pdf")
    assert end == ""
    assert "22 files: 21 ok, 1 failed; failures: engine_error 1" in lines
    assert "inconclusive" in done.stdout
    assert "--workers 8 needs" in done.stdout


def test_files_pass_under_the_limit_that_it_names(
    cli_here: Cli, ingested: Path, pdfs: Path, tmp_path: Path
) -> None:
    said = cli_here("report", ingested).stdout
    limit = said.split("--memory-limit ")[1].split(",")[0]
    assert limit.endswith("M")
    args = ("--memory-limit", limit, "-w", "2", "-q", "--engine", "faulty")
    cli_here("run", pdfs, "-o", tmp_path / "again", *args)
    summary = json.loads((tmp_path / "again" / "summary.json").read_text())
    assert (summary["failures"]["memory_limit"], summary["ok"]) == (0, 21)


def test_csv_has_a_row_for_each_file_and_no_formula(cli_here: Cli, ingested: Path) -> None:
    done = cli_here("report", ingested, "--csv")
    rows = {row["source"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert len(rows) == 22
    assert rows["'=1+1.pdf"]["failure"] == "engine_error"
    assert int(rows["large.pdf"]["peak_bytes"]) > 70 << 20
    assert int(rows["large.pdf"]["peak_bytes"]) > int(rows["large.pdf"]["baseline_bytes"])


def test_a_run_that_had_nothing_to_do_does_not_hide_what_files_cost(
    cli_here: Cli, ingested: Path, pdfs: Path
) -> None:
    cli_here("run", pdfs, "-o", ingested, "--engine", "faulty", "-q")
    done = cli_here("report", ingested, "--csv")
    rows = {row["source"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert len(rows) == 22
    assert int(rows["large.pdf"]["peak_bytes"]) > 70 << 20


def test_what_holds_no_run_is_told(cli_here: Cli, tmp_path: Path) -> None:
    done = cli_here("report", tmp_path)
    assert done.returncode == 3
    assert "Name the directory that --output named" in done.stderr


def test_pictures_without_the_extra_are_refused_before_the_work(
    cli: Cli, faulty: Make, pdfs: Path, out: Path, tmp_path: Path
) -> None:
    faulty("a.pdf")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys; sys.modules['bokeh'] = None\n")
    env = {"PYTHONPATH": f"{hidden}:{Path(__file__).parents[2] / 'faults'}"}
    done = cli("run", pdfs, "-o", out, "--engine", "faulty", "--html", env=env)
    assert done.returncode == 4
    assert "pip install 'pdfingest[report]'" in done.stderr
    assert not out.exists()


def test_pictures_need_a_directory(cli_here: Cli, faulty: Make, pdfs: Path) -> None:
    pytest.importorskip("bokeh")
    faulty("a.pdf")
    done = cli_here("run", pdfs, "-o", "-", "--html")
    assert done.returncode == 2
    assert "--html and --output: pictures need a directory." in done.stderr


def line(source: str, **more: Any) -> dict[str, Any]:
    """A report line as an earlier version wrote it, with some of its keys changed."""
    usual = {
        "source": source,
        "sha256": "",
        "bytes": 1000,
        "status": "ok",
        "failure": "",
        "message": "",
        "engine": "pdfium",
        "pages": 3,
        "pages_failed": 0,
        "failed_pages": [],
        "needs_ocr_pages": 0,
        "chars": 100,
        "attempts": 1,
        "peak_rss_bytes": 30 << 20,
        "baseline_rss_bytes": 20 << 20,
        "peak_method": "VmHWM",
        "cpu_s": 0.1,
        "wall_s": 0.2,
        "started_at": "2026-01-02T03:04:05.678+00:00",
        "pid": 7,
        "signal": "",
        "duplicate_of": "",
        "options_digest": "",
        "schema": 1,
    }
    assert more.keys() <= usual.keys() | {"total_pages", "stack"}
    return usual | more


def failed(source: str, **more: Any) -> dict[str, Any]:
    """The report line of a file that crashed."""
    usual = {"status": "failed", "failure": "crashed", "message": "SIGSEGV", "pages": 0}
    return line(source, **usual | more)


def partial(source: str, **more: Any) -> dict[str, Any]:
    """The report line of a file of twelve pages, four of which are lost."""
    lost = {"status": "partial", "pages": 8, "pages_failed": 4, "failed_pages": [3, 7, 8, 9]}
    return line(source, **lost | {"failure": "timeout", "message": "60 s"} | more)


@pytest.fixture
def report(out: Path) -> Callable[..., Path]:
    """Make an output directory with a report of these lines."""

    def make(*lines: dict[str, Any]) -> Path:
        out.mkdir()
        text = "".join(f"{json.dumps(each)}\n" for each in lines)
        (out / "report.jsonl").write_text(text, encoding="utf-8")
        return out

    return make


def figures(cli_here: Cli, out: Path, *args: str) -> dict[str, Any]:
    """The report as JSON."""
    done = cli_here("report", out, "--json", *args)
    assert (done.returncode, done.stderr) == (0, "")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_it_lists_what_was_lost_with_the_reason(cli_here: Cli, report: Make) -> None:
    done = cli_here("report", report(line("a.pdf"), partial("b.pdf"), failed("c.pdf")))
    lines = done.stdout.splitlines()
    assert "crashed  c.pdf: SIGSEGV" in lines
    assert "timeout  b.pdf: pages 3, 7-9 of 12 lost: 60 s" in lines


def test_it_says_how_many_losses_it_does_not_list_and_where_they_are(
    cli_here: Cli, report: Make
) -> None:
    out = report(*(failed(f"{number}.pdf") for number in range(1234)))
    done = cli_here("report", out)
    assert done.stdout.count(": SIGSEGV") == 20
    assert f"… and 1,214 more in {out / 'report.jsonl'}, or by --json" in done.stdout


def test_without_losses_it_lists_none(cli_here: Cli, report: Make) -> None:
    done = cli_here("report", report(line("a.pdf")))
    assert "lost" not in done.stdout.lower()
    assert "1 files: 1 ok; failures: none" in done.stdout


FIGURES = ["peak", "953,674.3 MiB", "953,654.3 MiB", "123,456.79 s", "16,212,463.4 MiB"]


NAMES = [LONG, "\u6587" * 200, "\u05d0\u05d1 " * 90, "e\u0301" * 200]


@pytest.mark.parametrize("columns", [40, 80, 100, 200])
def test_a_terminal_cuts_names_and_no_figure(report: Make, tmp_path: Path, columns: int) -> None:
    huge = (
        failed(
            name,
            bytes=17 * 10**12,
            peak_rss_bytes=10**12,
            wall_s=123456.789,
            message="much to say " * 100,
        )
        for name in NAMES
    )
    lines = shown_in_terminal(columns, tmp_path, "report", report(*huge))
    assert widest(lines) <= columns
    text = "\n".join(lines)
    assert [each for each in FIGURES if each not in text] == []
    for name in NAMES:
        whole = [each for each in lines if name[:3] in each]
        assert len(whole) >= 2, "in the list of peaks and in that of losses"
        assert all("…" in each for each in whole)
        assert text.count(name[-3:]) >= 2


def test_a_log_has_no_width(cli_here: Cli, report: Make) -> None:
    said = "much to say " * 100
    out = report(failed(LONG, message=said), line("b.pdf"))
    env = {"COLUMNS": "40", "FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "dumb"}
    lines = cli_here("report", out, env=env).stdout.splitlines()
    assert f"crashed  {LONG}: {said}".rstrip() in lines
    assert [each for each in lines if each.endswith(f"crashed  {LONG}")]
    assert all(each == each.rstrip() for each in lines)


@pytest.mark.parametrize("form", [[], ["--csv"], ["--json"], ["--junit", "-"]])
def test_a_stdout_that_takes_nothing_is_an_exit_code_and_one_line(
    cli: Cli, report: Make, form: list[str]
) -> None:
    out = report(failed("a.pdf"))
    with open("/dev/full", "wb") as full:
        done = cli("report", out, *form, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 4
    assert done.stderr.startswith("pdfingest: cannot write to stdout: No space left on device")
    assert done.stderr.count("\n") == 1
    reader, writer = os.pipe()
    os.close(reader)
    done = cli("report", out, *form, capture_output=False, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert done.returncode == 4
    assert done.stderr == "pdfingest: the program that reads stdout has gone away\n"


@pytest.mark.parametrize("form", [["--csv"], ["--json"], ["--junit", "-"]])
def test_a_reader_that_leaves_midway_is_one_line_and_keeps_the_files(
    report: Make, form: list[str], tmp_path: Path
) -> None:
    out = report(*(failed(f"{number}.pdf") for number in range(5000)))
    file = [] if "--junit" in form else ["--junit", str(tmp_path / "junit.xml")]
    with subprocess.Popen(
        [sys.executable, "-m", "pdfingest", "report", str(out), *form, *file],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(10)
        process.stdout.close()
        said = process.stderr.read()
    assert process.returncode == 4
    assert said == "pdfingest: the program that reads stdout has gone away\n"
    if file:
        assert len(cases((tmp_path / "junit.xml").read_text(encoding="utf-8"))) == 5000


def test_names_reach_a_stdout_whose_encoding_lacks_them(cli: Cli, report: Make) -> None:
    out = report(failed("\u6587.pdf"))
    env = {"PYTHONIOENCODING": "ascii"}
    done = cli("report", out, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert r"crashed  \u6587.pdf: SIGSEGV" in done.stdout
    for form in (["--csv"], ["--json"], ["--junit", "-"]):
        done = cli("report", out, *form, env=env, encoding="utf-8")
        assert (done.returncode, done.stderr) == (0, "")
        assert "\u6587.pdf" in done.stdout, "data are UTF-8 everywhere"


def test_json_has_the_figures_of_the_report(cli_here: Cli, report: Make) -> None:
    out = report(
        *(
            line(f"{number}.pdf", peak_rss_bytes=number << 20, wall_s=number)
            for number in range(1, 99)
        ),
        failed("c.pdf", peak_rss_bytes=200 << 20, wall_s=500.0, stack="frame"),
        partial("b.pdf", total_pages=12, peak_rss_bytes=99 << 20, wall_s=99.5),
    )
    document = figures(cli_here, out, "--workers", "8")
    assert list(document) == [
        "schema", "sources", "status", "failures", "pages", "pages_failed", "peak_rss_bytes",
        "wall_s", "sizing", "memory", "losses",
    ]  # fmt: skip
    assert (document["schema"], document["sources"]) == (1, 100)
    statuses = {"ok": 98, "partial": 1, "failed": 1, "unchanged": 0, "gone": 0}
    assert document["status"] == statuses
    assert {kind: n for kind, n in document["failures"].items() if n} == {
        "crashed": 1,
        "timeout": 1,
    }
    assert (document["pages"], document["pages_failed"]) == (98 * 3 + 8, 4)
    peaks = {name: n >> 20 for name, n in document["peak_rss_bytes"].items() if name[0] != "m"}
    assert peaks == {"p50": 50, "p95": 95, "p99": 99}
    assert document["peak_rss_bytes"]["max"] == 200 << 20
    assert document["peak_rss_bytes"]["max_source"] == "c.pdf"
    assert document["wall_s"] == {"p50": 50, "p95": 95, "p99": 99.5, "max": 500}
    assert document["sizing"] == {
        "workers": 8,
        "peak_rss_bytes": 8 * 99 << 20,
        "memory_limit_bytes": 320 << 20,
        "memory_budget_bytes": 8 * 320 << 20,
    }
    assert document["memory"]["verdict"] == "", "there is no summary.json"
    assert document["losses"] == [
        {
            "source": "c.pdf", "status": "failed", "failure": "crashed", "message": "SIGSEGV",
            "pages": 0, "pages_failed": 0, "failed_pages": [], "total_pages": 0, "stack": "frame",
        },
        {
            "source": "b.pdf", "status": "partial", "failure": "timeout", "message": "60 s",
            "pages": 8, "pages_failed": 4, "failed_pages": [3, 7, 8, 9], "total_pages": 12,
            "stack": "",
        },
    ]  # fmt: skip


def test_json_of_a_run_has_its_verdict_on_memory(cli_here: Cli, ingested: Path) -> None:
    document = figures(cli_here, ingested)
    assert document["memory"]["verdict"] == "inconclusive"
    assert (document["memory"]["files"], document["memory"]["bytes_per_file"]) == (22, 0)
    assert document["peak_rss_bytes"]["max_source"] == "large.pdf"
    (loss,) = document["losses"]
    assert (loss["source"], loss["failure"]) == ("=1+1.pdf", "engine_error")


def test_json_has_the_same_keys_and_types_whatever_happened(cli_here: Cli, report: Make) -> None:
    out = report()
    empty = figures(cli_here, out)
    (out / "report.jsonl").write_text(json.dumps(failed("a.pdf")) + "\n")
    full = figures(cli_here, out)
    assert (empty.pop("losses"), len(full.pop("losses"))) == ([], 1)
    assert shape(empty) == shape(full)


def cases(document: str) -> dict[str, ET.Element]:
    """The test cases of a JUnit document by name; its counts are those of its elements."""
    root = ET.fromstring(document)
    assert root.tag == "testsuites"
    (suite,) = root
    found = list(suite)
    assert {each.tag for each in found} <= {"testcase"}
    assert int(suite.attrib["tests"]) == len(found)
    assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure"))
    assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))
    assert int(suite.attrib["errors"]) == 0
    total_s = sum(float(each.attrib["time"]) for each in found)
    assert float(suite.attrib["time"]) == pytest.approx(total_s, abs=0.001 * len(found))
    assert all(each.attrib["classname"] for each in found)
    named = {each.attrib["name"]: each for each in found}
    assert len(named) == len(found)
    return named


def test_junit_has_a_case_for_each_source(cli_here: Cli, report: Make) -> None:
    out = report(
        line("ok.pdf", wall_s=1.25),
        line("same.pdf", status="unchanged", peak_rss_bytes=0),
        line("gone.pdf", status="gone", peak_rss_bytes=0),
        failed("failed.pdf", stack="frame 1\nframe 2"),
        partial("partial.pdf"),
    )
    done = cli_here("report", out, "--junit", "-")
    assert (done.returncode, done.stderr) == (0, "")
    found = cases(done.stdout)
    assert {name: [each.tag for each in case] for name, case in found.items()} == {
        "ok.pdf": [],
        "same.pdf": [],
        "gone.pdf": ["skipped"],
        "failed.pdf": ["failure"],
        "partial.pdf": ["failure"],
    }
    assert found["ok.pdf"].attrib["time"] == "1.250"
    (failure,) = found["failed.pdf"]
    assert failure.attrib == {"type": "crashed", "message": "SIGSEGV"}
    assert failure.text == "SIGSEGV\nframe 1\nframe 2"
    (failure,) = found["partial.pdf"]
    assert failure.attrib["message"] == "pages 3, 7-9 of 12 lost: 60 s"
    assert failure.text == failure.attrib["message"], "GitLab shows the text alone"


HOSTILE = ["\x00", "\x1b[31m", "\x0b", "\uffff", "\ufffe", "\u2028", "\n", "\r\t", "]]>", "<&\"'>"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_junit_is_valid_xml_whatever_names_and_messages_hold(
    cli_here: Cli, report: Make, hostile: str
) -> None:
    name = f"a{hostile}b.pdf"
    out = report(failed(name, message=hostile, stack=f"1\n{hostile}"), line("c.pdf"))
    done = cli_here("report", out, "--junit", "-")
    assert done.returncode == 0
    found = cases(done.stdout)
    assert len(found) == 2
    if hostile.isprintable():
        assert found[name][0].attrib["message"] == hostile


def test_junit_goes_to_a_file_beside_the_report(
    cli_here: Cli, report: Make, tmp_path: Path
) -> None:
    done = cli_here("report", report(failed("a.pdf")), "--junit", tmp_path / "junit.xml")
    assert "crashed  a.pdf: SIGSEGV" in done.stdout
    assert list(cases((tmp_path / "junit.xml").read_text(encoding="utf-8"))) == ["a.pdf"]


def test_junit_leaves_links_and_devices_as_they_are(
    cli_here: Cli, report: Make, tmp_path: Path
) -> None:
    out = report(failed("a.pdf"))
    link, pipe = tmp_path / "link.xml", tmp_path / "pipe"
    link.symlink_to(tmp_path / "junit.xml")
    cli_here("report", out, "--junit", link)
    assert link.is_symlink()
    assert list(cases((tmp_path / "junit.xml").read_text(encoding="utf-8"))) == ["a.pdf"]
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR)
    cli_here("report", out, "--junit", pipe)
    assert pipe.is_fifo()
    assert list(cases(os.read(reader, 1 << 16).decode())) == ["a.pdf"]
    os.close(reader)


def test_a_junit_file_that_cannot_be_written_is_told(
    cli_here: Cli, report: Make, tmp_path: Path
) -> None:
    done = cli_here(
        "report", report(failed("a.pdf")), "--junit", tmp_path / "nowhere" / "junit.xml"
    )
    assert done.returncode == 4
    assert "cannot write to" in done.stderr
    assert "junit.xml: No such file or directory" in done.stderr


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["--csv", "--json"], "--csv and --json"),
        (["--json", "--junit", "-"], "--json and --junit -"),
        (["--csv", "--json", "--junit", "-"], "--csv and --json and --junit -"),
    ],
)
def test_one_thing_alone_goes_to_stdout(
    cli_here: Cli, report: Make, args: list[str], named: str
) -> None:
    done = cli_here("report", report(line("a.pdf")), *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"pdfingest: {named} would all write to stdout" in done.stderr


def test_the_state_of_a_source_is_its_newest(cli_here: Cli, report: Make) -> None:
    out = report(
        failed("again.pdf"),
        partial("same.pdf", peak_rss_bytes=77 << 20),
        failed("was-lost.pdf"),
        line("again.pdf"),
        line("same.pdf", status="unchanged", peak_rss_bytes=1 << 20),
        line("was-lost.pdf", status="gone", pages=0, peak_rss_bytes=0),
    )
    document = figures(cli_here, out)
    assert document["status"] == {"ok": 1, "partial": 1, "failed": 0, "unchanged": 0, "gone": 1}
    assert [loss["source"] for loss in document["losses"]] == ["same.pdf"]
    assert document["peak_rss_bytes"]["max"] == 77 << 20, "not that of the child that hashed it"


def test_what_is_gone_is_no_failure_and_has_no_peak(cli_here: Cli, report: Make) -> None:
    gone = {"status": "gone", "pages": 0, "peak_rss_bytes": 0, "wall_s": 0.0, "attempts": 0}
    out = report(
        *(line(f"{number}.pdf", peak_rss_bytes=40 << 20) for number in range(3)),
        failed("lost.pdf"),
        *(line(name, **gone) for name in ("0.pdf", "lost.pdf", "never-seen.pdf")),
    )
    done = cli_here("report", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert "5 files: 3 gone, 2 ok; failures: none" in done.stdout.splitlines()
    assert "p99 of the peaks is 40.0 MiB" in done.stdout
    assert "lost.pdf" not in done.stdout, "neither among the peaks nor among the losses"

    document = figures(cli_here, out)
    assert document["status"] == {"ok": 2, "partial": 0, "failed": 0, "unchanged": 0, "gone": 3}
    assert {each for kind, each in document["peak_rss_bytes"].items() if kind[0] == "p"} == {
        40 << 20
    }
    assert document["wall_s"]["p50"] == 0.2
    assert (document["losses"], set(document["failures"].values())) == ([], {0})

    rows = {row["source"]: row for row in csv.DictReader(io.StringIO(table(cli_here, out)))}
    assert {name for name, row in rows.items() if row["status"] == "gone"} == {
        "0.pdf", "lost.pdf", "never-seen.pdf",
    }  # fmt: skip
    assert {row["failure"] for row in rows.values()} == {""}


def table(cli_here: Cli, out: Path) -> str:
    """The report as CSV."""
    done = cli_here("report", out, "--csv")
    assert (done.returncode, done.stderr) == (0, "")
    return str(done.stdout)


def test_pictures_have_no_point_for_what_is_gone(cli_here: Cli, report: Make) -> None:
    pytest.importorskip("bokeh")
    gone = line("gone.pdf", status="gone", pages=0, peak_rss_bytes=0, wall_s=0.0)
    out = report(line("a.pdf"), gone, line("b.pdf"))
    done = cli_here("report", out, "--html")
    assert (done.returncode, done.stderr) == (0, "")
    page = (out / "report.html").read_text(encoding="utf-8")
    (names,) = csv.reader(re.findall(r'\["name",\[(.*?)\]\]', page))
    drawn = [json.loads(each) for each in re.findall(r'"indices":(\[[\d,]*\])', page)]
    assert sorted(names) == ["a.pdf", "b.pdf", "gone.pdf"], "all are in the table"
    assert [[names[index] for index in each] for each in drawn if each] == [["a.pdf", "b.pdf"]] * 3


def test_what_a_stopped_run_has_not_begun_is_told(cli_here: Cli, report: Make) -> None:
    pytest.importorskip("bokeh")
    out = report(line("a.pdf"))
    told = "1,234 not begun: the newest run was stopped, and the next goes on from there"
    (out / "summary.json").write_text(json.dumps({"not_begun": 1234}))
    done = cli_here("report", out, "--html")
    assert (done.returncode, done.stderr) == (0, "")
    assert told in done.stdout.splitlines()
    assert f"<p>{told}</p>" in (out / "report.html").read_text(encoding="utf-8")
    (out / "summary.json").write_text(json.dumps({"not_begun": 0}))
    assert "not begun" not in cli_here("report", out).stdout


@pytest.mark.parametrize("content", ["", "[]", "{", "null"])
def test_a_summary_that_is_none_costs_its_figures_alone(
    cli_here: Cli, report: Make, content: str
) -> None:
    out = report(line("a.pdf"))
    (out / "summary.json").write_text(content)
    done = cli_here("report", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 files: 1 ok; failures: none" in done.stdout


def test_a_report_can_be_read_while_it_is_written(cli_here: Cli, report: Make) -> None:
    out = report(line("a.pdf"))
    with open(out / "report.jsonl", "a") as file:
        file.write(json.dumps(line("b.pdf"))[:100])
    assert figures(cli_here, out)["sources"] == 1


@pytest.mark.parametrize(
    "content",
    [
        "null",
        "[]",
        "{}",
        "x",
        "\ufeff{}",
        json.dumps(line("\ud800")),
        json.dumps(line("a", message={})),
        json.dumps(line("a", bytes=10**30)),
        json.dumps(line("a", failed_pages=None)),
    ],
)
def test_what_is_no_report_is_told(cli_here: Cli, out: Path, content: str) -> None:
    out.mkdir()
    (out / "report.jsonl").write_text(f"{content}\n", encoding="utf-8")
    done = cli_here("report", out)
    assert (done.returncode, done.stdout) == (3, "")
    assert "has no report.jsonl that can be read" in done.stderr


def test_a_directory_without_room_for_large_reports_is_told(report: Make) -> None:
    out = report(*(line(f"{number}.pdf", message="x" * 200) for number in range(60_000)))
    limited = ["/bin/sh", "-c", 'ulimit -f 100; exec "$@"', "sh"]
    command = [*limited, sys.executable, "-m", "pdfingest", "report", str(out), "--json"]
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 4, done.stderr
    assert "does not fit into the directory for temporary files" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("form", ["--csv", "--json", "--junit=-"])
def test_memory_does_not_depend_on_the_length_of_the_report(report: Make, form: str) -> None:
    code = (
        "import sys\n"
        "from pdfingest.__main__ import main\n"
        "assert main() == 0\n"
        "with open('/proc/self/status') as status:\n"
        "    print(status.read().split('VmHWM:')[1].split()[0], file=sys.stderr)\n"
    )

    def peak_kib() -> int:
        done = subprocess.run(
            [sys.executable, "-c", code, "report", out, form],
            env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            check=True, timeout=100,
        )  # fmt: skip
        return int(done.stderr)

    out = report(*(partial(f"{number}.pdf") for number in range(1000)))
    short_kib = peak_kib()
    with open(out / "report.jsonl", "a") as file:
        for number in range(20_000):
            print(json.dumps(partial(f"some folder/{number}.pdf", message="x" * 400)), file=file)
    assert peak_kib() - short_kib < 25 << 10  # of which 16 MiB are the cache of the database
