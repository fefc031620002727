import io
from collections.abc import Callable
from pathlib import Path

import pytest

from pdfingest.errors import ExitCode, OutputError
from pdfingest.model import FailureKind, Source, Unit
from pdfingest.outcome import Cost, Extracted, Failed, Finished
from pdfingest.output.ledger import Place
from pdfingest.output.sink import DirectorySink, Sink, StreamSink
from pdfingest.output.summary import Summary

EXTRACTED = Extracted(Cost(), "ab", "pdfium", pages=1, chars=1, needs_ocr_pages=0)


def sink_of(folder: Path, lengths: dict[str, int] | None = None) -> DirectorySink:
    return DirectorySink(str(folder), Unit.PAGE, "digest", lengths or {})


def test_records_and_report_lines_are_appended_and_the_spool_is_gone(tmp_path: Path) -> None:
    with sink_of(tmp_path) as sink:
        for text in ("one\n", "two\n"):
            spool = Path(sink.new_spool())
            spool.write_text(text)
            sink.write(Finished(Source(text, ""), EXTRACTED, str(spool)))
            assert not spool.exists()
        failed = Finished(Source("x", ""), Failed(FailureKind.CRASHED, ""), sink.new_spool())
        sink.write(failed)
        sink.end(Summary())
    assert (tmp_path / "pages.jsonl").read_text() == "one\ntwo\n"
    assert len((tmp_path / "report.jsonl").read_text().splitlines()) == 3
    assert (tmp_path / "summary.json").exists()


@pytest.mark.parametrize("make", [sink_of, lambda _: StreamSink(io.BytesIO())])
def test_pages_that_are_not_in_the_spool_are_refused_instead_of_reported_as_ok(
    make: Callable[[Path], Sink], tmp_path: Path
) -> None:
    with make(tmp_path) as sink:
        spool = Path(sink.new_spool())
        spool.touch()
        with pytest.raises(RuntimeError, match=r"a\.pdf has pages, but no records"):
            sink.write(Finished(Source("a.pdf", ""), EXTRACTED, str(spool)))
    assert not any(path.read_text() for path in tmp_path.glob("*.jsonl"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_stops_the_run_and_leaves_no_torn_line(tmp_path: Path) -> None:
    (tmp_path / "pages.jsonl").symlink_to("/dev/full")

    def commit_one() -> None:
        with sink_of(tmp_path) as sink:
            spool = Path(sink.new_spool())
            spool.write_text("one\n")
            sink.write(Finished(Source("a", ""), EXTRACTED, str(spool)))

    with pytest.raises(OutputError, match="No space left") as caught:
        commit_one()
    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    assert (tmp_path / "report.jsonl").read_text() == ""


def test_a_disk_that_fills_up_in_the_middle_of_a_record_leaves_whole_records(
    tmp_path: Path,
) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def commit_two() -> None:
        with sink_of(tmp_path) as sink:
            spool = Path(sink.new_spool())
            spool.write_text("one\n")
            sink.write(Finished(Source("a", ""), EXTRACTED, str(spool)))
            spool.write_text("x" * 5000 + "\n")
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
            sink.write(Finished(Source("b", ""), EXTRACTED, str(spool)))

    try:
        with pytest.raises(OutputError, match="cannot write"):
            commit_two()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "pages.jsonl").read_text() == "one\n"


def test_a_sink_tells_where_things_stand_and_how_long_the_outputs_are(tmp_path: Path) -> None:
    with sink_of(tmp_path) as sink:
        spool = Path(sink.new_spool())
        for text in ("one\n", "second\n"):
            spool.write_text(text)
            place = sink.write(Finished(Source(text, ""), EXTRACTED, str(spool)))
        assert (place.records, place.records_at, place.records_bytes) == ("pages.jsonl", 4, 7)
        failed = sink.write(Finished(Source("x", ""), Failed(FailureKind.CRASHED, "")))
        assert failed == Place("", 11, 0, place.report_at + place.report_bytes, failed.report_bytes)
        assert sink.sync() == {
            "pages.jsonl": 11,
            "report.jsonl": failed.report_at + failed.report_bytes,
        }


def test_what_was_not_committed_is_cut_off(tmp_path: Path) -> None:
    (tmp_path / "pages.jsonl").write_text("one\ntorn")
    (tmp_path / "report.jsonl").write_text("line\nline\n")
    with sink_of(tmp_path, {"pages.jsonl": 4, "report.jsonl": 5}):
        pass
    assert (tmp_path / "pages.jsonl").read_text() == "one\n"
    assert (tmp_path / "report.jsonl").read_text() == "line\n"


@pytest.mark.parametrize(
    ("lengths", "said"),
    [({}, "no ledger knows it"), ({"pages.jsonl": 9, "report.jsonl": 0}, "has committed 9")],
)
def test_outputs_that_are_not_what_the_ledger_says_are_refused_and_left_alone(
    tmp_path: Path, lengths: dict[str, int], said: str
) -> None:
    (tmp_path / "pages.jsonl").write_text("foreign\n")
    with pytest.raises(OutputError, match=said):
        sink_of(tmp_path, lengths)
    assert (tmp_path / "pages.jsonl").read_text() == "foreign\n"
