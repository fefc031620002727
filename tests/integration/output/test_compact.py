"""Compaction: the newest state of each source, in order, and the parts of shards as one."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from conftest import Cli, environment, in_a_place_where, read_lines
from pdfingest.output.compact import compact

Make = Callable[..., Path]


@pytest.fixture
def run(cli_here: Cli, pdfs: Path) -> Callable[..., Any]:
    """Ingest into a directory."""

    def run(out: Path, *args: str) -> Any:
        return cli_here("run", pdfs, "-o", out, "--engine", "faulty", "-w", "2", "-q", *args)

    return run


Run = Callable[..., Any]


@pytest.fixture
def sources(faulty: Make) -> None:
    """Ten files, one of which fails."""
    for number in range(9):
        faulty(f"{number}.pdf", pages=1 + number % 3, text="x" * 100 * number)
    faulty("bad.pdf", fault="raises")


def places(out: Path) -> list[tuple[str, int]]:
    return [(r["source"], r["metadata"]["page"]) for r in read_lines(out / "pages.jsonl")]


@pytest.mark.usefixtures("sources")
def test_it_leaves_the_newest_state_of_each_source_in_order(
    cli_here: Cli, run: Run, faulty: Make, pdfs: Path, out: Path
) -> None:
    run(out, "--order", "size")
    faulty("3.pdf", pages=2)
    (pdfs / "4.pdf").unlink()
    (pdfs / "bad.pdf").unlink()
    faulty("bad.pdf", pages=1)
    run(out)
    assert places(out) != sorted(places(out))
    assert cli_here("compact", out).returncode == 0
    assert places(out) == sorted(set(places(out)))
    assert [place for place in places(out) if place[0] in ("3.pdf", "4.pdf", "bad.pdf")] == [
        ("3.pdf", 1),
        ("3.pdf", 2),
        ("bad.pdf", 1),
    ]
    report = read_lines(out / "report.jsonl")
    assert [line["source"] for line in report] == [
        "0.pdf", "1.pdf", "2.pdf", "3.pdf", "5.pdf", "6.pdf", "7.pdf", "8.pdf", "bad.pdf",
    ]  # fmt: skip
    assert {line["status"] for line in report} == {"ok"}
    assert all(line["pid"] for line in report), "each line tells what its records cost"


@pytest.mark.usefixtures("sources")
def test_a_run_goes_on_from_a_compacted_directory(
    cli_here: Cli, run: Run, faulty: Make, out: Path
) -> None:
    run(out)
    cli_here("compact", out)
    before = (out / "pages.jsonl").read_bytes()
    faulty("new.pdf")
    assert run(out).returncode == 1
    assert (out / "pages.jsonl").read_bytes().startswith(before)
    cli_here("compact", out)
    assert len(places(out)) == before.count(b"\n") + 1
    again = (out / "pages.jsonl").read_bytes(), (out / "report.jsonl").read_bytes()
    cli_here("compact", out)
    assert again == ((out / "pages.jsonl").read_bytes(), (out / "report.jsonl").read_bytes())


@pytest.mark.usefixtures("sources")
def test_two_machines_have_the_same_file(cli_here: Cli, run: Run, tmp_path: Path) -> None:
    for name, args in (("one", ("-w", "1")), ("two", ("--order", "name"))):
        run(tmp_path / name, *args)
        cli_here("compact", tmp_path / name)
    one, two = ((tmp_path / name / "pages.jsonl").read_bytes() for name in ("one", "two"))
    assert one == two


@pytest.mark.usefixtures("sources")
def test_a_source_is_in_one_of_the_record_files_only(cli_here: Cli, run: Run, out: Path) -> None:
    run(out)
    run(out, "--unit", "document")
    cli_here("compact", out)
    assert places(out) == []
    assert len(read_lines(out / "documents.jsonl")) == 9


@pytest.mark.usefixtures("sources")
def test_a_run_that_compacts_leaves_the_newest_state_of_each_source(
    run: Run, faulty: Make, pdfs: Path, out: Path
) -> None:
    run(out)
    newer = faulty("3.pdf", pages=2, text="newer")
    os.utime(newer, (1, 1))  # what was written a moment ago may change unseen, and is read again
    (pdfs / "4.pdf").unlink()
    assert run(out, "--compact").returncode == 1
    assert places(out) == sorted(set(places(out)))
    texts = [r["text"] for r in read_lines(out / "pages.jsonl") if r["source"] == "3.pdf"]
    assert texts == ["newer", "newer"]
    report = [line["source"] for line in read_lines(out / "report.jsonl")]
    assert report == sorted({path.name for path in pdfs.iterdir()})
    assert run(out, "--compact", "--dry-run").stdout == "bad.pdf\n", "all else is unchanged"


def test_outputs_that_are_mostly_old_are_told_with_the_command(
    cli_here: Cli, faulty: Make, pdfs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "my out"

    def hints(*more: str) -> list[str]:
        """The last line of the summary, if it is about what is old."""
        faulty("a.pdf", text="0123456789abcdef", times=40 << 16)
        words = ("run", pdfs, "-o", out, "--engine", "faulty", "--no-progress", "--force", *more)
        done = cli_here(*words)
        assert done.returncode == 0, done.stderr
        return [line for line in done.stderr.splitlines() if line.startswith("old")]

    assert hints() == []
    assert hints() == [], "40 MiB are old, and as many are not"
    (hint,) = hints()
    assert hint.split() == (
        f"old 80.0 MiB of 120.0 MiB. To remove it: pdfingest compact '{out}'".split()
    )
    assert hints("--compact") == [], "nothing is old any more"
    assert hints() == []


@pytest.mark.slow
def test_a_kill_leaves_the_old_state_or_the_new(
    cli_here: Cli, run: Run, faulty: Make, tmp_path: Path, out: Path
) -> None:
    for number in range(40):
        faulty(f"{number}.pdf", pages=2)
    run(out)
    run(out, "--force")
    twin = tmp_path / "twin"
    subprocess.run(["cp", "-a", out, twin], check=True)
    cli_here("compact", twin)
    command = [sys.executable, "-m", "pdfingest", "compact", str(out)]
    random = Random(3)
    for _ in range(10):
        process = subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.05, 0.4))
        process.kill()
        process.wait()
        assert run(out, "--dry-run").stdout == ""
        assert {line["status"] for line in read_lines(out / "report.jsonl")} == {"ok"}
        assert set(places(out)) == set(places(twin))
    assert cli_here("compact", out).returncode == 0
    assert (out / "pages.jsonl").read_bytes() == (twin / "pages.jsonl").read_bytes()


@pytest.mark.usefixtures("sources")
def test_a_compaction_that_was_committed_is_finished_by_the_next_run(
    run: Run, monkeypatch: pytest.MonkeyPatch, out: Path
) -> None:
    run(out)
    run(out, "--force")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            compact(str(out))
    assert len(places(out)) == 2 * len(set(places(out))), "the old files have the names"
    run(out)
    assert places(out) == sorted(set(places(out)))


FILL_UP = """
import os, sys
from pdfingest import IngestOptions, ingest
from pdfingest.output.compact import compact
from pdfingest.errors import LedgerError, OutputError

pdfs, disk = sys.argv[1:]
out = f"{disk}/out"
files = [f"{out}/pages.jsonl", f"{out}/report.jsonl"]


def leave(pages):
    with open(f"{disk}/filler", "wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)):
                pass
        except OSError:
            filler.truncate(max(filler.tell() - 4096 * pages, 0))


def contents():
    return [open(path, "rb").read() for path in files]


for force in (False, True):
    ingest(pdfs, IngestOptions(output=out, engine="faulty", workers=1, force=force))
before, refusals, room = contents(), set(), 0
while True:
    leave(room)
    try:
        compact(out)
        break
    except (LedgerError, OutputError) as error:
        assert "is full" in str(error) or "No space left" in str(error), error
        refusals.add(type(error).__name__)
    assert not [name for name in os.listdir(out) if name.endswith(".new")], room
    assert contents() == before, room
    room += 1
assert sum(map(len, contents())) < sum(map(len, before))
print(*sorted(refusals))
"""
"""Compacts on a disk with room for no page (4 KiB), then for one more each time, until it fits."""


@pytest.mark.usefixtures("sources")
def test_a_full_disk_is_told_and_gets_back_what_was_written(pdfs: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    program = in_a_place_where(f"mount -t tmpfs -o size=1m none {disk}")
    done = subprocess.run(
        [*program, sys.executable, "-c", FILL_UP, pdfs, disk],
        env=environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout == "LedgerError OutputError\n", "each of them had its turn"


def test_a_new_file_that_cannot_grow_is_told_in_a_line(
    cli: Cli, run: Run, faulty: Make, out: Path
) -> None:
    resource = pytest.importorskip("resource")
    for number in range(5):
        faulty(f"{number}.pdf", pages=9, text="x" * 5000)
    run(out)
    limit = 100_000, 100_000  # bytes, where pages.jsonl has twice as many
    done = cli("compact", out, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    assert done.returncode == 4
    assert done.stderr.startswith(f"pdfingest: cannot write to {out}: File too large.")
    assert done.stderr.count("\n") == 1
    assert list(out.glob("*.new")) == []
    assert len(places(out)) == 45
    assert cli("compact", out).returncode == 0


@pytest.mark.usefixtures("sources")
def test_shards_in_parallel_are_one_run(
    cli_here: Cli, run: Run, pdfs: Path, tmp_path: Path, out: Path
) -> None:
    run(tmp_path / "whole")
    command = [sys.executable, "-m", "pdfingest", "run", str(pdfs), "-o", str(out)]
    shards = [
        subprocess.Popen(
            [*command, "--engine", "faulty", "-q", "-w", "1", "--shard", shard],
            env=environment(CLOUD_RUN_TASK_INDEX="2", CLOUD_RUN_TASK_COUNT="3"),
        )
        for shard in ("0/3", "1/3", "auto")
    ]
    assert sorted(shard.wait() for shard in shards) == [0, 0, 1]
    for folder in (out, tmp_path / "whole"):
        assert cli_here("compact", folder).returncode == 0
    merged = out / "pages.jsonl"
    assert merged.read_bytes() == (tmp_path / "whole" / "pages.jsonl").read_bytes()
    assert len(read_lines(out / "report.jsonl")) == 10
    # The parts stay, and the next sharded run builds on them.
    assert run(out, "--shard", "1/3", "--dry-run").stdout in ("", "bad.pdf\n")
    assert cli_here("compact", out).returncode == 0
    assert merged.read_bytes() == (tmp_path / "whole" / "pages.jsonl").read_bytes()


@pytest.mark.usefixtures("sources")
def test_parts_that_are_missing_or_unfinished_are_told(cli_here: Cli, run: Run, out: Path) -> None:
    run(out, "--shard", "0/2")
    done = cli_here("compact", out)
    assert done.returncode == 4
    assert "--shard 1/2" in done.stderr
    assert not (out / "pages.jsonl").exists()
    done = run(out)
    assert done.returncode == 4
    assert "was written by shards" in done.stderr


def test_a_shard_without_sources_is_no_failure(
    cli_here: Cli, run: Run, faulty: Make, out: Path
) -> None:
    faulty("only.pdf")
    assert [run(out, "--shard", f"{index}/5").returncode for index in range(5)] == [0] * 5
    assert cli_here("compact", out).returncode == 0
    assert places(out) == [("only.pdf", 1)]


def test_what_holds_no_output_is_refused(cli_here: Cli, tmp_path: Path) -> None:
    done = cli_here("compact", tmp_path)
    assert done.returncode == 3
    assert "holds no output" in done.stderr
    assert list(tmp_path.iterdir()) == [tmp_path / "cwd"]


def test_an_output_that_was_edited_is_told(
    cli_here: Cli, run: Run, faulty: Make, out: Path
) -> None:
    faulty("a.pdf", pages=2)
    run(out)
    (out / "pages.jsonl").write_text(json.dumps({}) + "\n")
    done = cli_here("compact", out)
    assert done.returncode == 4
    assert "shorter than its ledger says" in done.stderr
    assert (out / "pages.jsonl").read_text() == "{}\n"
