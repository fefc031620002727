"""The extractor reads one file after the other, and says truthfully when it did not."""

from pathlib import Path

import pytest

from conftest import make_pdf
from pdfingest.errors import ExitCode
from pdfingest.model import FailureKind
from pdfingest.outcome import Failed
from pdfingest.service.extractor import Extractor
from pdfingest.service.store import open_store
from pdfingest.service.ticket import Ticket, new_id
from pdfingest.stop import Stop

from .conftest import settings_in

pytestmark = pytest.mark.service


def test_a_file_whose_worker_is_stopped_before_a_child_begins_is_cancelled(tmp_path: Path) -> None:
    settings = settings_in(
        {
            "PDFINGEST_STORE": str(tmp_path / "store"),
            "PDFINGEST_SOURCE_PREFIXES": str(tmp_path),
            "PDFINGEST_LANES": "1",
        }
    )
    path = make_pdf(tmp_path / "a.pdf")
    (tmp_path / "lane").mkdir()
    extractor, stop = (
        Extractor(settings, open_store(settings.store), str(tmp_path / "lane")),
        Stop(),
    )
    stop.request(ExitCode.TERMINATED)
    with extractor.extract(Ticket(new_id(), "a.pdf", str(path)), stop) as (finished, _):
        assert isinstance(finished.outcome, Failed)
        assert finished.outcome.failure is FailureKind.CANCELLED
    with extractor.extract(Ticket(new_id(), "a.pdf", str(path)), Stop()) as (finished, _):
        assert Path(finished.spool).read_text().count("\n") == 1
    assert not list((tmp_path / "store" / "scratch").iterdir())
    extractor.close()


def test_one_lane_gives_pages_and_chunks_of_the_size_that_a_ticket_asks_for(
    tmp_path: Path,
) -> None:
    settings = settings_in(
        {"PDFINGEST_STORE": str(tmp_path / "store"), "PDFINGEST_SOURCE_PREFIXES": str(tmp_path)}
    )
    path = make_pdf(tmp_path / "a.pdf", ["Some words of this page, and more of them. " * 8])
    (tmp_path / "lane").mkdir()
    extractor = Extractor(settings, open_store(settings.store), str(tmp_path / "lane"))
    found = []
    for size in ("", "20", "40", ""):
        options = {"unit": "chunk", "chunk_tokens": size} if size else {}
        ticket = Ticket(new_id(), "a.pdf", str(path), options=options)
        with extractor.extract(ticket, Stop()) as (finished, _):
            found.append(Path(finished.spool).read_text().count("\n"))
    extractor.close()
    assert found[0] == found[3] == 1
    assert found[1] > found[2] > 1
