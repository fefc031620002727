import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import pdfingest
from conftest import make_pdf, read_lines
from pdfingest import ExitCode, Finished, IngestOptions, Listener, Source, Stop, Summary


class Recorder(Listener):
    def __init__(self) -> None:
        self.events: list[str] = []

    def on_planned(self, sources: int, size_bytes: int) -> None:
        self.events.append(f"planned {sources}")

    def on_started(self, lane: int, source: Source) -> None:
        self.events.append(f"started {source.name}")

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        self.events.append(f"finished {finished.source.name} {summary.finished}")

    def on_ended(self, summary: Summary) -> None:
        self.events.append("ended")


def test_every_public_name_is_there() -> None:
    for name in pdfingest.__all__:
        assert getattr(pdfingest, name).__doc__
    with pytest.raises(AttributeError, match="nonsuch"):
        _ = pdfingest.nonsuch


def test_ingest_returns_the_summary_and_tells_listeners(pdfs: Path, out: Path) -> None:
    make_pdf(pdfs / "a.pdf", ["one", "two"])
    recorder = Recorder()
    summary = pdfingest.ingest(
        [str(pdfs)], IngestOptions(output=str(out), workers=1), listeners=[recorder]
    )
    assert (summary.ok, summary.pages) == (1, 2)
    assert recorder.events == ["planned 1", "started a.pdf", "finished a.pdf 1", "ended"]


def test_paths_and_texts_are_taken_wherever_they_make_sense(pdfs: Path, out: Path) -> None:
    make_pdf(pdfs / "a.pdf", ["one", "two"])
    summary = pdfingest.ingest(pdfs, IngestOptions(output=out, unit="document", sandbox="auto"))
    assert (summary.ok, summary.pages) == (1, 2)
    assert len(read_lines(out / "documents.jsonl")) == 1
    (record,) = pdfingest.stream(str(pdfs), IngestOptions(unit="document"))
    assert record["metadata"]["total_pages"] == 2


def test_stream_yields_records_as_they_come_and_leaves_no_files(pdfs: Path, tmp_path: Path) -> None:
    make_pdf(pdfs / "a.pdf", ["one", "two"])
    (pdfs / "b.pdf").write_text("no")
    records = list(pdfingest.stream([str(pdfs)], IngestOptions(workers=1)))
    assert [record["text"].strip() for record in records] == ["one", "two"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pdfs"]


def test_closing_a_stream_ends_its_children(faulty: Callable[..., Path], pdfs: Path) -> None:
    faulty("a.pdf")
    faulty("b.pdf", fault="hang")
    stream = pdfingest.stream([str(pdfs)], IngestOptions(engine="faulty", workers=2))
    assert next(iter(stream))["source"] == "a.pdf"
    closing = threading.Thread(target=stream.close)  # type: ignore[attr-defined]  # a generator
    closing.start()
    closing.join(10)
    assert not closing.is_alive()


def test_a_stop_from_another_thread_ends_the_run(
    faulty: Callable[..., Path], pdfs: Path, out: Path
) -> None:
    for name in ("a", "b", "c"):
        faulty(f"{name}.pdf", fault="hang")
    stop = Stop()
    timer = threading.Timer(0.5, stop.request, [ExitCode.TERMINATED])
    timer.start()
    options = IngestOptions(output=str(out), engine="faulty", workers=1)
    summary = pdfingest.ingest([str(pdfs)], options, stop=stop)
    timer.join()
    assert summary.exit_code(options) is ExitCode.TERMINATED
    assert [line["failure"] for line in read_lines(out / "report.jsonl")] == ["cancelled"]
    assert (summary.failed, summary.not_begun) == (1, 2)


def test_an_exception_in_a_listener_ends_the_run_and_its_children(
    faulty: Callable[..., Path], pdfs: Path, out: Path
) -> None:
    faulty("a.pdf")
    faulty("b.pdf", fault="hang")

    class Broken(Listener):
        def on_finished(self, finished: Finished, summary: Summary) -> None:
            raise RuntimeError("broken listener")

    options = IngestOptions(output=str(out), engine="faulty", workers=2)
    with pytest.raises(RuntimeError, match="broken listener"):
        pdfingest.ingest([str(pdfs)], options, listeners=[Broken()])
    assert len(read_lines(out / "report.jsonl")) == 1
