"""Engines with models: loaded once, in the image; lost with it, and told before the run."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from conftest import Cli, Lines, environment, make_pdf, read_lines, wait_for
from pdfingest import Extracted, IngestOptions, Source, Stop
from pdfingest.run.supervisor import Supervisor
from pdfingest.run.tools import find_tools, with_image
from pdfingest.run.work import job_template

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs the fork of Linux")
Faulty = Callable[..., Path]
LIMITS = ("--memory-limit", "96M", "--memory-budget", "1G", "-w", "2")


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that grows by one byte each time that the model is loaded."""
    monkeypatch.setenv("WARM_LOG", str(tmp_path / "loads"))
    return tmp_path / "loads"


@pytest.fixture
def report(cli: Cli, pdfs: Path, out: Path) -> Callable[..., dict[str, dict[str, Any]]]:
    """Run the engine `warmed` and give the report lines by their sources."""

    def report(*args: object) -> dict[str, dict[str, Any]]:
        done = cli("run", pdfs, "-o", out, "--engine", "warmed", "-q", *args)
        assert "Traceback" not in done.stderr
        return {line["source"]: line for line in read_lines(out / "report.jsonl")}

    return report


def test_a_model_is_loaded_once_and_one_file_costs_no_other(
    report: Callable[..., dict[str, dict[str, Any]]], faulty: Faulty, log: Path
) -> None:
    for number in range(6):
        faulty(f"good{number}.pdf")
    faulty("hang.pdf", fault="hang")
    faulty("hog.pdf", fault="hog")
    faulty("killed.pdf", fault="sigkill")
    lines = report(*LIMITS, "--page-timeout", "1")
    assert log.read_bytes() == b"."
    failures = {name: line["failure"] for name, line in lines.items() if line["failure"]}
    assert failures == {"hang.pdf": "timeout", "hog.pdf": "memory_limit", "killed.pdf": "crashed"}
    assert sum(line["status"] == "ok" for line in lines.values()) == 6


def test_memory_is_limited_and_told_beyond_the_image(
    report: Callable[..., dict[str, dict[str, Any]]],
    faulty: Faulty,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WARM_MIB", "256")
    faulty("reads.pdf")
    faulty("takes.pdf", fault="takes for a while", mib=40)
    faulty("dirties.pdf", fault="dirties", pause_s=0.008)
    lines = report("--memory-limit", "96M", "--memory-budget", "480M", "-w", "2")
    assert lines["reads.pdf"]["peak_rss_bytes"] > 256 << 20
    assert 0 < lines["reads.pdf"]["private_peak_bytes"] < 25 << 20
    assert lines["reads.pdf"]["status"] == lines["takes.pdf"]["status"] == "ok"
    assert lines["takes.pdf"]["private_peak_bytes"] > 40 << 20, "what was given back counts, too"
    dirties = lines["dirties.pdf"]
    assert dirties["failure"] == "memory_limit", "it wrote to all of 256 MiB"
    assert dirties["private_peak_bytes"] > 96 << 20


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("raises", "Engine 'warmed' cannot be loaded by warmed:load: ValueError: a fault"),
        ("exits", "Engine 'warmed' cannot be loaded by warmed:load: SystemExit: 3"),
        ("segfault", "Engine 'warmed' ended the process that loads it"),
        ("hangs", "Engine 'warmed' is not loaded after 1 s"),
        ("thread", "Engine 'warmed' cannot be forked: warmed:load leaves 1 thread, which"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_told_before_the_run(
    cli: Cli,
    faulty: Faulty,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    said: str,
) -> None:
    monkeypatch.setenv("WARM_FAULT", fault)
    if fault == "hangs":
        monkeypatch.setenv("WARM_S", "1")
    done = cli("run", faulty("a.pdf"), "-o", out, "--engine", "warmed", "-q")
    assert done.returncode == 4
    assert said in " ".join(done.stderr.split())
    assert not (out / "report.jsonl").exists()


def test_threads_that_children_can_do_without_are_let_pass(
    report: Callable[..., dict[str, dict[str, Any]]],
    faulty: Faulty,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WARM_FAULT", "thread")
    monkeypatch.setenv("WARM_THREADS", "1")
    faulty("a.pdf")
    assert report()["a.pdf"]["status"] == "ok"


def test_the_advice_on_limits_leaves_out_the_image(
    report: Callable[..., dict[str, dict[str, Any]]],
    cli: Cli,
    faulty: Faulty,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WARM_MIB", "256")
    faulty("a.pdf")
    assert report()["a.pdf"]["peak_rss_bytes"] > 256 << 20
    sizing = json.loads(cli("report", out, "--json").stdout)["sizing"]
    assert sizing["memory_limit_bytes"] <= 128 << 20


def test_a_stop_does_not_wait_for_a_model(
    faulty: Faulty, out: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARM_FAULT", "hangs")
    command = ("run", str(faulty("a.pdf")), "-o", str(out), "--engine", "warmed", "-q")
    with subprocess.Popen([sys.executable, "-m", "pdfingest", *command], env=environment()) as run:
        wait_for(log.exists)
        run.send_signal(signal.SIGTERM)
        assert run.wait(10) == 143


def test_a_model_is_not_loaded_where_there_is_nothing_to_read(
    cli: Cli, pdfs: Path, out: Path, log: Path
) -> None:
    assert cli("run", pdfs, "-o", out, "--engine", "warmed", "-q").returncode == 3
    assert not log.exists()


def test_what_a_model_prints_is_no_data(
    cli: Cli, faulty: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARM_FAULT", "prints")
    done = cli("run", faulty("a.pdf"), "-o", "-", "--engine", "warmed", "-q")
    assert done.returncode == 0
    assert done.stdout.startswith('{"id"')
    assert "noise" not in done.stdout + done.stderr


def test_an_image_that_is_killed_is_made_anew(
    pdfs: Path, faulty: Faulty, out: Path, log: Path
) -> None:
    for number in range(8):
        faulty(f"{number}.pdf", fault="sleep", seconds=0.2)
    command = ("run", str(pdfs), "-o", str(out), "--engine", "warmed", "-q", "-w", "2")
    with subprocess.Popen([sys.executable, "-m", "pdfingest", *command], env=environment()) as run:
        wait_for(lambda: out.joinpath("pages.jsonl").exists() and read_lines(out / "pages.jsonl"))
        (zygote,) = psutil.Process(run.pid).children()
        zygote.send_signal(signal.SIGKILL)
        assert run.wait(30) == 0
    assert log.read_bytes() == b".."
    assert {line["status"] for line in read_lines(out / "report.jsonl")} == {"ok"}


def test_an_image_that_leaves_too_little_memory_is_refused(
    cli: Cli, faulty: Faulty, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARM_MIB", "200")
    limits = ("--memory-budget", "256M", "-w", "2")
    done = cli("run", faulty("a.pdf"), "-o", out, "--engine", "warmed", *limits)
    assert done.returncode == 2
    assert "the image of the engine takes" in " ".join(done.stderr.split())


def test_needs_hold_in_the_sandbox_also_without_fork(
    cli: Cli, faulty: Faulty, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "models" / "weights"
    model.parent.mkdir()
    model.write_text("weights")
    monkeypatch.setenv("WARM_MODELS", str(model.parent))
    file = faulty("a.pdf", fault="reads", target=str(model))
    done = cli("run", file, "-o", out, "--engine", "warmed", "--sandbox", "require", "-q")
    assert done.returncode == 0, done.stderr
    (record,) = read_lines(out / "pages.jsonl")
    assert record["text"] == "weights"


def test_without_fork_each_child_loads_its_own(
    cli: Cli, pdfs: Path, faulty: Faulty, out: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDFINGEST_FORK", "0")
    faulty("a.pdf")
    faulty("b.pdf")
    done = cli("run", pdfs, "-o", out, "--engine", "warmed", "-q", "--sandbox", "off")
    assert done.returncode == 0, done.stderr
    assert log.read_bytes() == b".."


def test_an_engine_that_is_not_safe_to_fork_is_loaded_in_each_child(
    cli: Cli, pdfs: Path, faulty: Faulty, out: Path, log: Path
) -> None:
    faulty("a.pdf")
    faulty("b.pdf")
    done = cli("run", pdfs, "-o", out, "--engine", "unsafe", "-q", "--sandbox", "off")
    assert done.returncode == 0, done.stderr
    assert log.read_bytes() == b".."


def test_needs_that_cannot_be_understood_are_told(cli: Cli, faulty: Faulty, out: Path) -> None:
    done = cli("run", faulty("a.pdf"), "-o", out, "--engine", "unclear")
    assert done.returncode == 4
    assert "must be a pdfingest.Needs" in " ".join(done.stderr.split())


def texts(out: Path) -> list[str]:
    return [record["text"] for record in read_lines(out / "pages.jsonl")]


def test_an_engine_that_gives_ranges_loses_no_more_than_a_page(
    cli: Cli, faulty: Faulty, out: Path
) -> None:
    file = faulty("a.pdf", pages=5, fault="raises", page=3)
    assert cli("run", file, "-o", out, "--engine", "ranged", "-q").returncode == 1
    expected = ["1-5: page 1", "1-5: page 2", "4-5: page 4", "4-5: page 5"]
    assert [text.removesuffix(" of a.pdf") for text in texts(out)] == expected
    (line,) = read_lines(out / "report.jsonl")
    assert line["failed_pages"] == [3]


def test_pages_that_a_range_lacks_are_lost_by_name(cli: Cli, faulty: Faulty, out: Path) -> None:
    cli("run", faulty("a.pdf", pages=3, ends=2), "-o", out, "--engine", "ranged", "-q")
    (line,) = read_lines(out / "report.jsonl")
    assert line["failed_pages"] == [2]
    assert "gives no such page" in line["message"]


def test_an_engine_that_knows_no_pages_gives_documents(
    cli: Cli, faulty: Faulty, pdfs: Path, out: Path
) -> None:
    faulty("a.pdf", pages=7)
    make_pdf(pdfs / "b.pdf", ["of", "three", "pages"])
    done = cli("run", pdfs, "-o", out, "--engine", "whole", "--unit", "document", "-q")
    assert done.returncode == 0, done.stderr
    records: Lines = read_lines(out / "documents.jsonl")
    assert sorted((each["text"], each["metadata"]["total_pages"]) for each in records) == [
        ("page 1 of a.pdf", 1),
        ("page 1 of real", 1),
    ]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--engine", "whole"), "--unit: must be document for engine 'whole'"),
        (("--engine", "whole,pypdf", "--unit", "document"), "'whole' knows no pages"),
    ],
)
def test_an_engine_that_knows_no_pages_is_asked_for_none(
    cli: Cli, faulty: Faulty, out: Path, args: tuple[str, ...], said: str
) -> None:
    done = cli("run", faulty("a.pdf"), "-o", out, *args)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())


def test_doctor_tries_an_image_with_models(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARM_MIB", "100")
    done = cli("doctor", "--engine", "warmed", "--json")
    image = json.loads(done.stdout)["image"]
    assert done.returncode == 0
    assert image["private_bytes"] > 100 << 20
    assert 0 < image["file"]["private_peak_bytes"] < 25 << 20
    monkeypatch.setenv("WARM_FAULT", "raises")
    done = cli("doctor", "--engine", "warmed")
    assert done.returncode == 4
    assert "cannot be loaded by warmed:load" in " ".join(done.stdout.split())


def test_forks_read_a_network_of_torch_and_share_it(
    cli: Cli, pdfs: Path, faulty: Faulty, out: Path
) -> None:
    pytest.importorskip("torch", reason="needs PyTorch, which takes hundreds of MB")
    for number in range(4):
        faulty(f"{number}.pdf", pages=3)
    done = cli("run", pdfs, "-o", out, "--engine", "torched", "-q", "-w", "2")
    assert done.returncode == 0, done.stderr
    assert len(set(texts(out))) == 1
    assert len(texts(out)) == 12
    for line in read_lines(out / "report.jsonl"):
        assert 0 < line["private_peak_bytes"] < (256 << 20) / 10, line


def test_lanes_change_their_image_with_the_engine(
    faulty: Faulty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARM_MIB", "200")
    file = faulty("a.pdf")
    options = IngestOptions(memory_limit_bytes=96 << 20, memory_budget_bytes=1 << 30, workers=2)
    supervisor = Supervisor(options, str(tmp_path), Stop(), lambda *_: None)
    with closing(supervisor):
        for engine in ("warmed", "faulty", "warmed"):
            chosen = replace(options, engine=engine)
            template = job_template(chosen, with_image(find_tools(chosen), Stop()))
            source = Source("a.pdf", str(file))
            job = template._replace(source=source, spool=str(tmp_path / f"{engine}.jsonl"))
            (ended,) = filter(None, supervisor.run(iter([job])))
            assert isinstance(ended.outcome, Extracted), ended
            is_large = ended.outcome.cost.peak.baseline_bytes > 200 << 20
            assert is_large == (engine == "warmed")
