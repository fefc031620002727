"""An export holds the newest record of each page, in order, whole or not at all."""

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Cli, Lines, as_nobody_special, environment, in_a_place_where, read_lines
from pdfingest import load
from pdfingest.export import newest
from pdfingest.export.export import Target, export
from pdfingest.output.compact import compact
from pdfingest.output.lock import held

Make = Callable[..., Path]
Run = Callable[..., Any]


@pytest.fixture
def run(cli_here: Cli, pdfs: Path) -> Run:
    """Ingest into a directory."""

    def run(out: Path, *args: str) -> Any:
        return cli_here("run", pdfs, "-o", out, "--engine", "faulty", "-w", "2", "-q", *args)

    return run


@pytest.fixture
def sources(faulty: Make) -> None:
    """Nine files, and one that gives no record."""
    for number in range(9):
        faulty(f"{number}.pdf", pages=1 + number % 3)
    faulty("bad.pdf", fault="raises")


def exported(folder: Path) -> Lines:
    return [line for path in sorted(folder.iterdir()) for line in read_lines(path)]


def pages(lines: Lines) -> list[tuple[str, int]]:
    return [(line["metadata"]["source"], line["metadata"]["page"]) for line in lines]


@pytest.mark.usefixtures("sources")
def test_only_the_newest_state_of_each_source_is_exported_in_order(
    cli_here: Cli, run: Run, faulty: Make, pdfs: Path, out: Path
) -> None:
    run(out, "--order", "size")
    newer = faulty("3.pdf", pages=2, text="newer")
    os.utime(newer, (1, 1))  # what was written a moment ago may change unseen, and is read again
    (pdfs / "4.pdf").unlink()
    run(out)
    before = (out / "pages.jsonl").read_bytes()
    done = cli_here("export", out, "--to", "langchain")
    assert (done.returncode, done.stdout) == (0, "")
    lines = exported(out / "langchain")
    assert done.stderr.startswith(f"pdfingest: {len(lines)} records, 1 file, ")
    assert pages(lines) == sorted(set(pages(lines)))
    assert {source for source, _ in pages(lines)} == {f"{n}.pdf" for n in range(9) if n != 4}
    texts = [line["page_content"] for line in lines if line["metadata"]["source"] == "3.pdf"]
    assert texts == ["newer", "newer"]
    assert (out / "pages.jsonl").read_bytes() == before, "what is read stays as it is"
    compact(str(out))
    kept = [record["id"] for record in read_lines(out / "pages.jsonl")]
    assert [line["id"] for line in lines] == kept


@pytest.mark.usefixtures("sources")
def test_the_records_of_merged_shards_are_exported(cli_here: Cli, run: Run, out: Path) -> None:
    for shard in ("0/2", "1/2"):
        run(out, "--shard", shard)
    done = cli_here("export", out, "--to", "haystack")
    assert done.returncode == 3
    assert f"Merge them: pdfingest compact {out}" in done.stderr
    cli_here("compact", out)
    assert cli_here("export", out, "--to", "haystack", "-q").stderr == ""
    lines = exported(out / "haystack")
    assert [line["id"] for line in lines] == [r["id"] for r in read_lines(out / "pages.jsonl")]


def test_of_several_kinds_of_records_one_is_chosen(
    cli_here: Cli, faulty: Make, pdfs: Path, out: Path
) -> None:
    run = ("run", pdfs, "-o", out, "--engine", "faulty", "-q")
    faulty("a.pdf", pages=2)
    cli_here(*run)
    cli_here(*run, "--unit", "document")
    done = cli_here("export", out, "--to", "datatrove", "--unit", "page")
    assert done.returncode == 3, "the source was read again"
    assert "holds no records of the unit page" in done.stderr
    assert cli_here("export", out, "--to", "datatrove").returncode == 0
    assert [path.name for path in (out / "datatrove").iterdir()] == ["documents-00000.jsonl"]
    assert pages(exported(out / "datatrove")) == [("a.pdf", 0)]
    faulty("b.pdf", pages=2)
    cli_here("run", pdfs / "b.pdf", *run[2:])
    done = cli_here("export", out, "--to", "datatrove")
    assert done.returncode == 2
    assert "--unit: " in done.stderr
    assert "has records in documents.jsonl and pages.jsonl: choose one" in done.stderr
    for unit, found in (("document", [("a.pdf", 0)]), ("page", [("b.pdf", 1), ("b.pdf", 2)])):
        assert cli_here("export", out, "--to", "datatrove", "--unit", unit).returncode == 0
        assert pages(exported(out / "datatrove")) == found


@pytest.mark.usefixtures("sources")
def test_shards_have_the_size_that_is_wanted(cli_here: Cli, run: Run, out: Path) -> None:
    run(out)
    cli_here("export", out, "--to", "llamaindex")
    whole = exported(out / "llamaindex")
    done = cli_here("export", out, "--to", "llamaindex", "--shard-bytes", "2K")
    shards = sorted((out / "llamaindex").iterdir())
    assert len(shards) > 2
    assert [path.name for path in shards] == [
        f"pages-{number:05d}.jsonl" for number in range(len(shards))
    ]
    for path in shards:
        *most, last = path.read_bytes().splitlines(keepends=True)
        assert len(b"".join(most)) < 2048
        assert path == shards[-1] or len(b"".join([*most, last])) >= 2048
    assert exported(out / "llamaindex") == whole
    assert f"{len(whole)} records, {len(shards)} files, " in done.stderr


@pytest.mark.usefixtures("sources")
def test_dolma_gets_gzip_that_is_the_same_each_time(cli_here: Cli, run: Run, out: Path) -> None:
    run(out)
    contents = []
    for _ in range(2):
        assert cli_here("export", out, "--to", "dolma").returncode == 0
        (shard,) = (out / "dolma").iterdir()
        contents.append(shard.read_bytes())
    assert shard.name == "pages-00000.jsonl.gz"
    assert contents[0] == contents[1]
    first = json.loads(gzip.decompress(contents[0]).splitlines()[0])
    assert list(first) == ["id", "text", "source", "added", "created", "metadata"]


@pytest.mark.usefixtures("sources")
def test_an_old_export_is_replaced_as_a_whole(cli_here: Cli, run: Run, out: Path) -> None:
    run(out)
    cli_here("export", out, "--to", "langchain", "-o", out / "made", "--shard-bytes", "2K")
    cli_here("export", out, "--to", "dolma", "-o", out / "made")
    assert [path.name for path in (out / "made").iterdir()] == ["pages-00000.jsonl.gz"]
    assert not (out / "made.new").exists()


@pytest.mark.usefixtures("sources")
def test_what_no_export_wrote_is_not_replaced(cli_here: Cli, run: Run, out: Path) -> None:
    run(out)
    (out / "mine").mkdir()
    (out / "mine" / "pages-00000.jsonl").touch()
    (out / "mine" / "notes.txt").touch()
    for path, reason in (
        (out / "mine", "holds notes.txt, which no export wrote"),
        (out, "which no export wrote"),
        (out / "summary.json", "is a file"),
    ):
        done = cli_here("export", out, "--to", "langchain", "-o", path)
        assert done.returncode == 2
        assert done.stderr.startswith(f"pdfingest: --output: {path} ")
        assert reason in done.stderr
    assert sorted(path.name for path in (out / "mine").iterdir()) == [
        "notes.txt",
        "pages-00000.jsonl",
    ]


@pytest.mark.usefixtures("sources")
def test_a_link_to_a_directory_stays_one(cli_here: Cli, run: Run, out: Path) -> None:
    run(out)
    (out / "elsewhere").mkdir()
    (out / "link").symlink_to("elsewhere")
    assert cli_here("export", out, "--to", "langchain", "-o", out / "link").returncode == 0
    assert (out / "link").is_symlink()
    assert exported(out / "elsewhere")


@pytest.mark.usefixtures("sources")
def test_the_output_of_a_run_in_the_environment_is_no_destination(
    cli_here: Cli, run: Run, out: Path
) -> None:
    run(out)
    variables = {"PDFINGEST_OUTPUT": str(out), "PDFINGEST_EXPORT_OUTPUT": str(out / "made")}
    assert cli_here("export", out, "--to", "langchain", env=variables).returncode == 0
    assert exported(out / "made")


@pytest.mark.usefixtures("sources")
def test_a_killed_export_costs_nothing_and_leaves_nothing(
    run: Run, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(out)
    export(str(out), Target.LANGCHAIN)
    old = exported(out / "langchain")

    for name in ("os.fsync", "os.rename"):  # in the midst of writing, and when it is written
        with monkeypatch.context() as patch:

            def killed(*_: object, patch: pytest.MonkeyPatch = patch) -> None:
                patch.setattr("shutil.rmtree", lambda *_, **__: None)  # it clears nothing up
                raise KeyboardInterrupt

            patch.setattr(name, killed)
            with pytest.raises(KeyboardInterrupt):
                export(str(out), Target.LANGCHAIN)
        assert exported(out / "langchain") == old
        assert (out / "langchain.new" / "shards").exists()
    export(str(out), Target.LANGCHAIN)
    assert exported(out / "langchain") == old
    assert not (out / "langchain.new").exists()


@pytest.mark.usefixtures("sources")
def test_an_old_export_that_was_moved_away_comes_back(run: Run, out: Path) -> None:
    run(out)
    export(str(out), Target.LANGCHAIN)
    old = exported(out / "langchain")
    (out / "langchain.new").mkdir()
    (out / "langchain").rename(out / "langchain.new" / "old")  # and killed before the new one is
    (out / "pages.jsonl").write_bytes(b"")  # so that the next export fails
    with pytest.raises(Exception, match="shorter than its ledger says"):
        export(str(out), Target.LANGCHAIN)
    assert exported(out / "langchain") == old


@pytest.mark.usefixtures("sources")
def test_two_exports_do_not_write_to_one_place(cli_here: Cli, run: Run, out: Path) -> None:
    run(out)
    with held(str(out / "langchain.new")):
        done = cli_here("export", out, "--to", "langchain")
        assert done.returncode == 75
        assert "is in use by process" in done.stderr
        assert cli_here("export", out, "--to", "haystack").returncode == 0


def test_a_directory_that_a_run_holds_is_exported_as_far_as_it_is_committed(
    cli: Cli, cli_here: Cli, faulty: Make, pdfs: Path, out: Path, tmp_path: Path
) -> None:
    done = tmp_path / "done"
    faulty("a.pdf", pages=3)
    cli_here("run", pdfs, "-o", out, "--engine", "faulty", "-q")
    faulty("b.pdf", fault="waits", until=str(done))
    running = threading.Thread(target=cli, args=("run", pdfs, "-o", out, "--engine", "faulty"))
    running.start()
    try:
        assert cli("export", out, "--to", "langchain").returncode == 0
        assert pages(exported(out / "langchain")) == [("a.pdf", n) for n in (1, 2, 3)]
    finally:
        done.touch()
        running.join()
    assert cli_here("export", out, "--to", "langchain").returncode == 0
    assert ("b.pdf", 1) in pages(exported(out / "langchain"))


@pytest.mark.usefixtures("sources")
def test_a_compaction_in_between_does_not_mix_two_states(
    run: Run, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(out)
    run(out, "--force")
    records = [record["id"] for record in load(out)]
    real, times = newest.snapshot, [0]

    def compacted_before(output: str) -> Any:
        times[0] += 1
        if times[0] == 1:
            compact(output)
        return real(output)

    monkeypatch.setattr(newest, "snapshot", compacted_before)
    assert [record["id"] for record in load(out)] == records
    assert times == [2]


@pytest.mark.usefixtures("sources")
def test_a_compaction_that_was_killed_is_told(
    cli_here: Cli, run: Run, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(out)
    run(out, "--force")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            compact(str(out))
    done = cli_here("export", out, "--to", "langchain")
    assert done.returncode == 4
    assert f"Run: pdfingest compact {out}" in done.stderr
    cli_here("compact", out)
    assert cli_here("export", out, "--to", "langchain").returncode == 0


def test_what_has_no_records_is_told(cli_here: Cli, run: Run, faulty: Make, out: Path) -> None:
    done = cli_here("export", out, "--to", "langchain")
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    faulty("bad.pdf", fault="raises")
    run(out)
    done = cli_here("export", out, "--to", "langchain")
    assert done.returncode == 3
    assert f"{out} holds no records" in done.stderr
    assert not (out / "langchain").exists()


@pytest.mark.usefixtures("sources")
def test_records_that_are_damaged_are_told(cli_here: Cli, run: Run, out: Path) -> None:
    run(out)
    content = (out / "pages.jsonl").read_bytes()
    first, rest = content.split(b"\n", 1)
    (out / "pages.jsonl").write_bytes(b"x" * len(first) + b"\n" + rest)
    done = cli_here("export", out, "--to", "langchain")
    assert done.returncode == 4
    assert "the line at byte 0 is not a record" in done.stderr
    (out / "pages.jsonl").unlink()
    done = cli_here("export", out, "--to", "langchain")
    assert done.returncode == 4
    assert "lacks pages.jsonl" in done.stderr
    assert not (out / "langchain").exists()
    assert not (out / "langchain.new").exists()


@pytest.mark.usefixtures("sources")
def test_a_place_that_cannot_be_written_is_told(run: Run, out: Path) -> None:
    run(out)
    out.chmod(0o555)
    command = [*as_nobody_special(), sys.executable, "-m", "pdfingest", "export", str(out)]
    done = subprocess.run(
        [*command, "--to", "langchain"],
        env=environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    out.chmod(0o755)
    assert done.returncode == 4
    assert "Permission denied" in done.stderr
    assert "name another --output" in done.stderr


def test_a_full_disk_is_told_and_gets_back_what_was_written(
    run: Run, faulty: Make, out: Path, tmp_path: Path
) -> None:
    faulty("a.pdf", pages=40, text="x" * 100_000)
    run(out)
    disk = tmp_path / "disk"
    disk.mkdir()
    program = in_a_place_where(f"mount -t tmpfs -o size=1m none {disk}")
    command = f"{sys.executable} -m pdfingest export {out} --to langchain -o {disk}/made"
    done = subprocess.run(
        [*program, "sh", "-c", f"{command}; echo $?; ls {disk}"],
        env=environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stdout == "4\n", "and nothing is left on it"
    assert f"cannot write to {disk}/made: No space left on device" in done.stderr


def test_a_mount_point_is_told(out: Path, run: Run, faulty: Make, tmp_path: Path) -> None:
    faulty("a.pdf")
    run(out)
    disk = tmp_path / "disk"
    disk.mkdir()
    program = in_a_place_where(f"mount -t tmpfs none {disk}")
    command = [sys.executable, "-m", "pdfingest", "export", str(out), "--to", "langchain"]
    done = subprocess.run(
        [*program, *command, "-o", str(disk)],
        env=environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "is a mount point. Name a directory below it." in done.stderr


@pytest.mark.usefixtures("sources")
def test_a_library_that_is_missing_is_told_with_its_command(run: Run, out: Path) -> None:
    run(out)
    for words, command in (
        (["export", str(out), "--to", "parquet"], "pip install 'pdfingest[parquet]'"),
        (["polars"], "pip install polars"),
        (["langchain"], "pip install langchain-core"),
        (["llamaindex"], "pip install llama-index-core"),
        (["haystack"], "pip install haystack-ai"),
    ):
        without = "import sys\nfor name in ('pyarrow', 'polars', 'langchain_core', 'llama_index', "
        without += "'haystack'):\n    sys.modules[name] = None\n"
        use = (
            f"import pdfingest.__main__ as program\nsys.argv = ['pdfingest', *{words}]\n"
            "sys.exit(program.main())"
            if len(words) > 1
            else f"import pdfingest\ntry: pdfingest.load({str(out)!r}, {words[0]!r})\n"
            "except pdfingest.PdfingestError as error: sys.exit(str(error))"
        )
        done = subprocess.run(
            [sys.executable, "-c", without + use],
            env=environment(), capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode in (1, 4)
        assert command in done.stderr, done.stderr


@pytest.mark.usefixtures("sources")
def test_load_reads_a_directory_or_its_file_and_names_what_it_can(run: Run, out: Path) -> None:
    run(out)
    run(out, "--force")
    records = list(load(out))
    assert pages([dict(record) for record in records]) == sorted(
        {(r["source"], r["metadata"]["page"]) for r in records}
    )  # type: ignore[misc]  # a record is a dict
    assert list(load(out / "pages.jsonl")) == records, "the ledger beside it tells what is newest"
    with pytest.raises(Exception, match="as_: must be one of records, langchain"):
        load(out, "spreadsheet")  # type: ignore[call-overload]  # as a caller without types may
    with pytest.raises(Exception, match="unit: must be page"):
        load(out, unit="book")  # type: ignore[call-overload]  # likewise
