"""What PDFium says of a file does not depend on how it gets it."""

from pathlib import Path

import pytest

from conftest import CORPUS, make_pdf
from pdfingest.engines import pdfium
from pdfingest.engines.engine import MalformedError
from pdfingest.model import DocumentInfo, Page


def read(path: Path) -> tuple[DocumentInfo, list[Page]] | str:
    """All of a document, or why it cannot be opened."""
    try:
        document = pdfium.open_document(str(path), ())
    except Exception as error:  # noqa: BLE001 - compared
        return repr(error)
    try:
        return document.info(), [document.page(each + 1) for each in range(document.page_count)]
    except MalformedError as error:
        return repr(error)
    finally:
        document.close()


def both_ways(path: Path, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """From memory, and from the file."""
    found: list[object] = []
    for most_bytes in (path.stat().st_size, path.stat().st_size - 1):
        monkeypatch.setattr(pdfium, "_IN_MEMORY_BYTES", most_bytes)
        assert (pdfium._content(str(path)) is None) == bool(found)
        found.append(read(path))
    return found


def test_a_small_file_is_read_from_memory_and_a_large_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_pdf(tmp_path / "a.pdf", ["one", "two"], title="A title")
    from_memory, from_file = both_ways(path, monkeypatch)
    assert from_memory == from_file
    assert isinstance(from_memory, tuple)
    assert [page.text.strip() for page in from_memory[1]] == ["one", "two"]


def test_a_torn_file_is_as_malformed_either_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_pdf(tmp_path / "a.pdf", ["one"])
    path.write_bytes(path.read_bytes()[:100])
    from_memory, from_file = both_ways(path, monkeypatch)
    assert from_memory == from_file
    assert str(from_memory).startswith("MalformedError")


@pytest.mark.skipif(not (CORPUS / "real").is_dir(), reason="needs the folder of real PDFs")
def test_real_files_are_the_same_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = sorted((CORPUS / "real").rglob("*.pdf"), key=lambda path: path.stat().st_size)
    for path in paths[::8]:
        from_memory, from_file = both_ways(path, monkeypatch)
        assert from_memory == from_file, path
