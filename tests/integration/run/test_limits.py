"""Every file is bounded, every death explained, and what can be saved is saved."""

import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest

from conftest import FORKS, Cli, Lines, read_lines, wait_for

pytestmark = pytest.mark.usefixtures("starts")
GOOD = ("good0.pdf", "good1.pdf", "good2.pdf")
TIMES = ("--page-timeout", "2", "--timeout", "30")
MEMORY = ("--memory-limit", "128M", "--memory-budget", "512M")

Ended = tuple[dict[str, Any], Lines, str]
"""A report line, the records of its source, and what was said."""
RunAll = Callable[..., dict[str, Ended]]
Run = Callable[..., Ended]


@pytest.fixture
def all_among_good(cli_here: Cli, faulty: Callable[..., Path], pdfs: Path, out: Path) -> RunAll:
    """Run files of five pages that go wrong on the third, by their names, among good ones.

    The good ones must be whole.
    """

    def run(orders: dict[str, dict[str, Any]], *args: str) -> dict[str, Ended]:
        for name in GOOD:
            faulty(name, pages=2)
        for name, order in orders.items():
            faulty(name, **{"pages": 5, "page": 3, **order})
        done = cli_here("run", pdfs, "-o", out, "--engine", "faulty", "-w", "2", *args)
        report = {line["source"]: line for line in read_lines(out / "report.jsonl")}
        records: dict[str, Lines] = {name: [] for name in report}
        for record in read_lines(out / "pages.jsonl"):
            records[record["source"]].append(record)
        ended = {name: (report.pop(name), records.pop(name), done.stderr) for name in orders}
        assert {line["status"] for line in report.values()} == {"ok"}
        assert {name: pages(each) for name, each in records.items()} == {
            name: [1, 2] for name in GOOD
        }
        assert done.returncode == any(line["status"] != "ok" for line, _, _ in ended.values())
        assert "Traceback" not in done.stderr
        return ended

    return run


@pytest.fixture
def among_good(all_among_good: RunAll) -> Run:
    """Run one such file among good ones."""

    def run(*args: str, **order: Any) -> Ended:
        return all_among_good({"bad.pdf": order}, *args)["bad.pdf"]

    return run


def pages(records: Lines) -> list[int]:
    return [record["metadata"]["page"] for record in records]


DEATHS = {
    "sigkill": ("SIGKILL", "page 3: the child was killed by SIGKILL"),
    "segfault": ("SIGSEGV", "string_at"),
    "abort": ("SIGABRT", "faulty.py"),
    "exit0": ("", "page 3: the child ended without an answer"),
    "closes_descriptors": ("", "page 3"),
}
"""Fault to signal and a part of the message or of the stack."""


def test_a_death_costs_its_page_and_tells_where(all_among_good: RunAll) -> None:
    ended = all_among_good({f"{fault}.pdf": {"fault": fault} for fault in DEATHS})
    for fault, (signal, said) in DEATHS.items():
        bad, records, _ = ended[f"{fault}.pdf"]
        assert (bad["status"], bad["failure"]) == ("partial", "crashed"), fault
        assert bad["signal"] == signal or fault == "closes_descriptors"
        assert bad["failed_pages"] == [3], fault
        assert said in bad["message"] + bad["stack"], fault
        assert bad["attempts"] == 2, fault
        assert pages(records) == [1, 2, 4, 5], fault


HANGS = ("hang", "hang_holding_gil", "hang_in_python", "stopped")


def test_a_page_that_hangs_is_ended_with_its_stack(all_among_good: RunAll) -> None:
    began = time.monotonic()
    ended = all_among_good({f"{fault}.pdf": {"fault": fault} for fault in HANGS}, *TIMES)
    assert time.monotonic() - began < 25
    for fault in HANGS:
        bad, records, _ = ended[f"{fault}.pdf"]
        lost = (bad["status"], bad["failure"], bad["failed_pages"])
        assert lost == ("partial", "timeout", [3]), fault
        assert "page 3 took more than 2 s" in bad["message"], fault
        assert fault == "stopped" or "faulty.py" in bad["stack"]
        assert bad["signal"] == "SIGKILL", fault
        assert bad["peak_rss_bytes"] > 0, fault
        assert pages(records) == [1, 2, 4, 5], fault


@pytest.mark.parametrize(
    ("faults", "args"),
    [
        (("hang",), TIMES),
        (("segfault", "memory_error", "raises", "hog"), ()),  # busy machines fill memory slowly
    ],
    ids=["hang", "others"],
)
def test_what_is_not_the_text_never_costs_a_page(
    all_among_good: RunAll, faults: tuple[str, ...], args: tuple[str, ...]
) -> None:
    orders = {
        f"{fault} in {aside}.pdf": {"fault": "", "aside": aside, "aside_fault": fault}
        for fault in faults
        for aside in ("label", "links", "info")
    }
    for name, (bad, records, _) in all_among_good(orders, *args, *MEMORY).items():
        fault, aside = orders[name]["aside_fault"], orders[name]["aside"]
        assert (bad["status"], bad["failure"], bad["failed_pages"]) == ("ok", "", []), name
        assert bad["attempts"] == (1 if fault == "raises" else 2), name
        assert bad["signal"] == {"segfault": "SIGSEGV", "hang": "SIGKILL"}.get(fault, ""), name
        assert pages(records) == [1, 2, 3, 4, 5], name
        labels = [record["metadata"]["page_label"] for record in records]
        lost = 3 if aside == "label" else 6
        assert labels == [f"label of {page}" if page < lost else "" for page in range(1, 6)], name


def test_a_page_that_cannot_be_laid_out_has_its_text_as_the_engine_says_it(
    among_good: Run,
) -> None:
    bad, records, _ = among_good(fault="no_spans")
    assert (bad["status"], bad["attempts"]) == ("ok", 1)
    assert pages(records) == [1, 2, 3, 4, 5]
    assert records[2]["text"].startswith("page 3 of")


def test_a_label_without_end_does_not_fill_the_records(among_good: Run) -> None:
    bad, records, _ = among_good(fault="", label="x" * 1_000_000, links="y" * 1_000_000)
    assert bad["status"] == "ok"
    for record in records:
        label, (link,) = record["metadata"]["page_label"], record["links"]
        assert (label[0], label[-1], len(label)) == ("x", "…", 200)
        assert (link[0], link[-1], len(link)) == ("y", "…", 8192)


def test_a_file_that_takes_too_long_keeps_what_it_has(among_good: Run) -> None:
    bad, records, _ = among_good("--timeout", "1.5", fault="hang")
    assert (bad["status"], bad["failure"]) == ("partial", "timeout")
    assert "more than 1.5 s" in bad["message"]
    assert bad["failed_pages"] == [3, 4, 5]
    assert pages(records) == [1, 2]


def test_a_file_that_hangs_while_it_is_opened_is_ended(among_good: Run) -> None:
    bad, records, _ = among_good(*TIMES, fault="hang", page=0)
    assert (bad["status"], bad["failure"], bad["signal"]) == ("failed", "timeout", "SIGKILL")
    assert "opening it took more than 2 s" in bad["message"]
    assert records == []


@pytest.mark.parametrize("fault", ["hog", "hog_in_c"])
def test_a_page_that_eats_memory_is_stopped_and_tried_once_more_alone(
    among_good: Run, fault: str
) -> None:
    bad, records, _ = among_good(*MEMORY, fault=fault)
    assert (bad["status"], bad["failure"], bad["failed_pages"]) == ("partial", "memory_limit", [3])
    assert 64 << 20 < bad["peak_rss_bytes"] < 512 << 20
    assert bad["attempts"] >= 2
    assert pages(records) == [1, 2, 4, 5]


def test_a_page_that_needs_more_than_its_share_is_read_with_the_whole_budget(
    among_good: Run,
) -> None:
    bad, records, _ = among_good(*MEMORY, fault="allocate", mib=200)
    assert (bad["status"], bad["failure"], bad["attempts"]) == ("ok", "", 2)
    assert pages(records) == [1, 2, 3, 4, 5]
    assert bad["peak_rss_bytes"] > 200 << 20


def test_a_file_that_yields_too_much_keeps_what_fits(among_good: Run) -> None:
    bad, records, _ = among_good("--max-output", "10K", fault="", text="x" * 3100)
    assert (bad["status"], bad["failure"]) == ("partial", "too_large")
    assert bad["failed_pages"] == [3, 4, 5]
    assert pages(records) == [1, 2]


def test_a_file_with_too_many_pages_is_left(among_good: Run) -> None:
    bad, _, _ = among_good("--max-pages", "4", fault="")
    assert (bad["status"], bad["failure"]) == ("failed", "too_large")


def test_an_engine_cannot_fill_the_disk(among_good: Run, pdfs: Path) -> None:
    bad, records, _ = among_good("--sandbox", "off", "--max-output", "1M", fault="fill_disk")
    assert (bad["status"], bad["failed_pages"]) == ("partial", [3])
    assert (pdfs / "bad.pdf.filled").stat().st_size <= 2 << 20
    assert pages(records) == [1, 2, 4, 5]


def test_an_engine_cannot_open_files_without_end(among_good: Run) -> None:
    bad, records, _ = among_good(fault="opens_many")
    assert (bad["status"], bad["failed_pages"]) == ("partial", [3])
    assert "Too many open files" in bad["message"]
    assert pages(records) == [1, 2, 4, 5]


OF_RUN = "TEMP"
"""A variable that children are left; by it they are known as those of a run."""


def test_what_a_child_forks_does_not_outlive_the_run(
    cli: Cli, faulty: Callable[..., Path], pdfs: Path, out: Path
) -> None:
    path = faulty("bad.pdf", pages=5, page=3, fault="forks")
    args = ("run", path, "-o", out, "--engine", "faulty", "--sandbox", "off")
    assert cli(*args, env={OF_RUN: str(pdfs)}).returncode == 0
    assert pages(read_lines(out / "pages.jsonl")) == [1, 2, 3, 4, 5]
    wait_for(lambda: not any(_is_of(process, pdfs) for process in psutil.process_iter()), 3)


def _is_of(process: psutil.Process, pdfs: Path) -> bool:
    """Whether a process works for the run on this directory: it knows it from its environment."""
    try:
        return process.environ().get(OF_RUN) == str(pdfs)
    except psutil.Error:
        return False


def test_a_file_that_changes_while_it_is_read_is_told(all_among_good: RunAll) -> None:
    orders: dict[str, dict[str, Any]] = {
        "read.pdf": {"fault": "changes"},
        "opened.pdf": {"fault": "changes_and_raises", "page": 0},
    }
    for name, (bad, records, _) in all_among_good(orders, "--sandbox", "off").items():
        assert (bad["status"], bad["failure"]) == ("failed", "changed"), name
        assert records == [], name


def test_the_next_engine_reads_the_page_that_killed_the_first(among_good: Run) -> None:
    bad, records, _ = among_good("--engine", "faulty,second", fault="segfault")
    assert (bad["status"], bad["failure"], bad["attempts"]) == ("ok", "", 2)
    assert bad["signal"] == "SIGSEGV"
    assert [record["metadata"]["engine"] for record in records] == [
        "faulty", "faulty", "second", "faulty", "faulty",
    ]  # fmt: skip


def test_the_next_engine_reads_the_page_on_which_the_first_raised(among_good: Run) -> None:
    bad, records, _ = among_good("--engine", "faulty,second", fault="raises")
    assert (bad["status"], bad["attempts"]) == ("ok", 1)
    assert [record["metadata"]["engine"] for record in records].index("second") == 2


def test_three_killer_pages_of_five_hundred_cost_three(
    cli_here: Cli, faulty: Callable[..., Path], out: Path
) -> None:
    killers = [7, 250, 500]
    path = faulty(
        "a.pdf", pages=500, page=-1, fault="sigkill", killers=killers,
        second_fault="segfault", second_killers=killers,
    )  # fmt: skip
    done = cli_here("run", path, "-o", out, "--engine", "faulty,second")
    assert done.returncode == 1
    (line,) = read_lines(out / "report.jsonl")
    assert (line["status"], line["pages"], line["failed_pages"]) == ("partial", 497, killers)
    found = pages(read_lines(out / "pages.jsonl"))
    assert found == [page for page in range(1, 501) if page not in killers]


def test_a_file_that_keeps_killing_is_left_with_what_it_gave(
    cli_here: Cli, faulty: Callable[..., Path], out: Path
) -> None:
    path = faulty("a.pdf", pages=40, page=-1, fault="sigkill", killers=list(range(2, 41)))
    cli_here("run", path, "-o", out, "--engine", "faulty")
    (line,) = read_lines(out / "report.jsonl")
    assert (line["status"], line["failure"], line["pages"]) == ("partial", "crashed", 1)
    assert line["failed_pages"] == list(range(2, 41))
    assert pages(read_lines(out / "pages.jsonl")) == [1]


def test_salvage_keeps_the_offsets_of_a_document(
    cli_here: Cli, faulty: Callable[..., Path]
) -> None:
    path = faulty("a.pdf", pages=3, page=2, fault="sigkill")
    done = cli_here("run", path, "-o", "-", "-q", "--unit", "document", "--engine", "faulty")
    document = json.loads(done.stdout)
    assert document["text"] == "page 1 of a.pdf\n\npage 3 of a.pdf"
    assert document["page_offsets"] == [0, 17, 17]


def test_killing_children_at_random_loses_nothing(
    faulty: Callable[..., Path], pdfs: Path, tmp_path: Path, starts: str
) -> None:
    """The chaos test; PDFINGEST_TEST_CHAOS sets how many runs, 1,000 for the record."""
    from pdfingest import IngestOptions, ingest  # noqa: PLC0415 - the parent is this process

    names = [faulty(f"{number}.pdf", pages=3).name for number in range(8)]
    random = Random(8)
    for number in range(
        int(os.environ.get("PDFINGEST_TEST_CHAOS", "10" if starts == FORKS else "3"))
    ):
        out = tmp_path / f"out{number}"
        over = threading.Event()
        victims = _of_zygotes if starts == FORKS else _spawned
        killer = threading.Thread(target=_kill_at_random, args=(over, random, victims))
        killer.start()
        options = IngestOptions(output=str(out), engine="faulty", workers=2)
        summary = ingest([str(pdfs)], options)
        over.set()
        killer.join()
        report = read_lines(out / "report.jsonl")
        assert sorted(line["source"] for line in report) == sorted(names)
        assert summary.finished == len(names)
        records = [(r["source"], r["metadata"]["page"]) for r in read_lines(out / "pages.jsonl")]
        assert len(records) == len(set(records)) == sum(line["pages"] for line in report)
        for line in report:
            assert line["pages"] + line["pages_failed"] == 3 or line["status"] == "failed"


Victims = Callable[[psutil.Process], list[psutil.Process]]


def _of_zygotes(me: psutil.Process) -> list[psutil.Process]:
    return [child for zygote in me.children() for child in zygote.children()]


def _spawned(me: psutil.Process) -> list[psutil.Process]:
    return [child for child in me.children() if any("spawn_main" in w for w in child.cmdline())]


def _kill_at_random(over: threading.Event, random: Random, victims: Victims) -> None:
    """SIGKILL to children, every some milliseconds; less often where they take long to start."""
    me = psutil.Process()
    most_s = 0.03 if victims is _of_zygotes else 0.3
    while not over.wait(random.uniform(0.001, most_s)):
        with suppress(psutil.Error):
            if found := victims(me):
                random.choice(found).kill()


def test_a_second_opinion_that_kills_costs_no_page(
    cli_here: Cli, faulty: Callable[..., Path], out: Path
) -> None:
    """A text without a meaning is shown to the next engine, on a page of the document's choice."""
    path = faulty(
        "a.pdf",
        pages=3,
        fault="",
        text="\x02\x03\x04 ab",
        second_fault="segfault",
        second_killers=[1],
    )
    done = cli_here("run", path, "-o", out, "--engine", "faulty,second")
    assert done.returncode == 0, done.stderr
    (line,) = read_lines(out / "report.jsonl")
    assert (line["status"], line["attempts"], line["needs_ocr_pages"]) == ("ok", 2, 3)
