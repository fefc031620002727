"""Every file that goes into a run is accounted for, whatever the mixture."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from faulty import write_pdf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import read_lines
from pdfingest import IngestOptions, ingest
from pdfingest.errors import NoInputError

# Every way in which a file can end, each with the lines and the records that it must leave.
ENDINGS = {
    "": ("ok", "", 2),
    "sigkill": ("partial", "crashed", 1),
    "segfault": ("partial", "crashed", 1),
    "exit0": ("partial", "crashed", 1),
    "raises": ("partial", "engine_error", 1),
    "system_exit": ("partial", "engine_error", 1),
    "unpicklable_text": ("partial", "engine_error", 1),
    "memory_error": ("partial", "memory_limit", 1),
    "malformed": ("partial", "malformed", 1),
    "vanished": ("failed", "unreadable", 0),
    "fifo": ("failed", "unreadable", 0),
    "not_pdf": ("failed", "not_pdf", 0),
}


@pytest.mark.slow
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(sorted(ENDINGS)), max_size=8), st.integers(1, 4))
def test_n_files_in_are_n_accounted_for_in_any_mixture(endings: list[str], workers: int) -> None:
    with TemporaryDirectory() as root:
        out = Path(root) / "out"
        expected = {}
        for number, ending in enumerate(endings):
            path = Path(root) / f"{number}.pdf"
            expected[path.name] = ENDINGS[ending]
            if ending == "vanished":
                path.symlink_to("nowhere")
            elif ending == "fifo":
                os.mkfifo(path)
            elif ending == "not_pdf":
                path.write_text("hello")
            else:
                write_pdf(path, pages=2, fault=ending, page=2)
        options = IngestOptions(output=str(out), engine="faulty", workers=workers)
        try:
            summary = ingest([root], options)
        except NoInputError:
            assert not endings
            return
        assert summary.finished == summary.planned == len(endings)
        report = read_lines(out / "report.jsonl")
        records = read_lines(out / "pages.jsonl")
        ended = {
            line["source"]: (
                line["status"],
                line["failure"],
                sum(record["source"] == line["source"] for record in records),
            )
            for line in report
        }
        assert len(report) == len(endings)
        assert ended == expected
