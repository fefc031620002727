from pathlib import Path

import pytest

from pdfingest import IngestOptions
from pdfingest.errors import ExitCode, OutputError
from pdfingest.model import Cost, Extracted, Failed, FailureKind, Finished, Source
from pdfingest.sink import open_sink
from pdfingest.summary import Summary

EXTRACTED = Extracted(Cost(), "ab", "pdfium", pages=1, chars=1, needs_ocr_pages=0)


def test_records_and_report_lines_are_appended_and_the_spool_is_gone(tmp_path: Path) -> None:
    with open_sink(IngestOptions(output=str(tmp_path)), "digest") as sink:
        for text in ("one\n", "two\n"):
            spool = Path(sink.new_spool())
            spool.write_text(text)
            sink.commit(Finished(Source(text, ""), EXTRACTED, str(spool)), Summary())
            assert not spool.exists()
        failed = Finished(Source("x", ""), Failed(FailureKind.CRASHED, ""), sink.new_spool())
        sink.commit(failed, Summary())
        sink.end(Summary())
    assert (tmp_path / "pages.jsonl").read_text() == "one\ntwo\n"
    assert len((tmp_path / "report.jsonl").read_text().splitlines()) == 3
    assert (tmp_path / "summary.json").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_stops_the_run_and_leaves_no_torn_line(tmp_path: Path) -> None:
    (tmp_path / "pages.jsonl").symlink_to("/dev/full")

    def commit_one() -> None:
        with open_sink(IngestOptions(output=str(tmp_path)), "digest") as sink:
            spool = Path(sink.new_spool())
            spool.write_text("one\n")
            sink.commit(Finished(Source("a", ""), EXTRACTED, str(spool)), Summary())

    with pytest.raises(OutputError, match="No space left") as caught:
        commit_one()
    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    assert (tmp_path / "report.jsonl").read_text() == ""


def test_a_disk_that_fills_up_in_the_middle_of_a_record_leaves_whole_records(
    tmp_path: Path,
) -> None:
    resource = pytest.importorskip("resource")
    options = IngestOptions(output=str(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def commit_two() -> None:
        with open_sink(options, "digest") as sink:
            spool = Path(sink.new_spool())
            spool.write_text("one\n")
            sink.commit(Finished(Source("a", ""), EXTRACTED, str(spool)), Summary())
            spool.write_text("x" * 5000 + "\n")
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
            sink.commit(Finished(Source("b", ""), EXTRACTED, str(spool)), Summary())

    try:
        with pytest.raises(OutputError, match="cannot write"):
            commit_two()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "pages.jsonl").read_text() == "one\n"


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write to"):
        open_sink(IngestOptions(output=str(tmp_path / "file")), "digest")
