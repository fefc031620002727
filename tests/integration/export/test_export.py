"""An export holds the newest record of each page, in order."""

import gzip
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from conftest import Cli, read_lines
from exports import Make, Run, exported, pages
from pdfingest import load
from pdfingest.output.compact import compact
from pdfingest.output.snapshot import snapshot


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
    assert done.stderr.startswith(f"{len(lines)} records, 1 file, ")
    assert pages(lines) == sorted(set(pages(lines)))
    assert {source for source, _ in pages(lines)} == {f"{n}.pdf" for n in range(9) if n != 4}
    texts = [line["page_content"] for line in lines if line["metadata"]["source"] == "3.pdf"]
    assert texts == ["newer", "newer"]
    assert (out / "pages.jsonl").read_bytes() == before, "what is read stays as it is"
    compact(str(out))
    kept = [record["id"] for record in read_lines(out / "pages.jsonl")]
    assert [line["id"] for line in lines] == kept


@pytest.mark.usefixtures("sources")
def test_the_records_of_shards_are_exported_merged_or_not(
    cli_here: Cli, run: Run, out: Path
) -> None:
    for shard in ("0/2", "1/2", "0/3", "1/3", "2/3"):  # a source is in two parts then
        run(out, "--shard", shard)
    before = list(load(out))
    cli_here("compact", out)
    assert cli_here("export", out, "--to", "haystack", "-q").stderr == ""
    ids = [record["id"] for record in read_lines(out / "pages.jsonl")]
    assert [line["id"] for line in exported(out / "haystack")] == ids
    assert [record["id"] for record in before] == ids == sorted(set(ids), key=ids.index)


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
    assert contents[0][4:8] == bytes(4), "the time in the header (RFC 1952, 2.3.1)"
    first = json.loads(gzip.decompress(contents[0]).splitlines()[0])
    assert list(first) == ["id", "text", "source", "added", "created", "metadata"]


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
    records = list(load(out))
    tries = 0

    def compacted_before(output: str) -> Any:
        nonlocal tries
        tries += 1
        if tries == 1:
            compact(output)
        return snapshot(output)

    monkeypatch.setattr("pdfingest.output.states.snapshot", compacted_before)
    assert list(load(out)) == records
    assert tries == 2


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
    out.mkdir()
    (out / "pages.jsonl").touch()
    done = cli_here("export", out, "--to", "langchain")
    assert done.returncode == 3
    assert f"{out / 'pages.jsonl'} holds no records" in done.stderr
    assert [path.name for path in out.iterdir()] == ["pages.jsonl"]
    (out / "pages.jsonl").unlink()
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
    (out / "pages.jsonl").write_bytes(content.replace(b"\n", b" "))
    done = cli_here("export", out, "--to", "langchain")
    assert done.returncode == 4
    assert "pages.jsonl does not hold what its ledger says" in done.stderr
    (out / "pages.jsonl").unlink()
    done = cli_here("export", out, "--to", "langchain")
    assert done.returncode == 4
    assert "lacks pages.jsonl" in done.stderr
    assert not (out / "langchain").exists()
    assert not (out / "langchain.new").exists()


@pytest.mark.usefixtures("sources")
def test_load_gives_the_newest_records_of_a_directory_or_of_its_file(run: Run, out: Path) -> None:
    run(out)
    run(out, "--force")
    records = list(load(out))
    places = [(record["source"], record["metadata"]["page"]) for record in records]
    assert places == sorted(set(places))
    assert list(load(out / "pages.jsonl")) == records, "the ledger beside it tells what is newest"
    assert list(load(out, unit="page")) == records
