"""What PDFium says of a file does not depend on how it gets it: from memory, or piece by piece."""

import tracemalloc
from pathlib import Path

import pytest

from conftest import CORPUS
from pdfingest.engines import pdfium, pdfium_files
from pdfingest.engines.engine import MalformedError
from pdfingest.pages import DocumentInfo, Page
from written import Node, plain_pdf, stream, tree_objects

MIB = 1 << 20
LARGE = 9 * MIB
"""A file of this size is not read into memory."""


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


def write(path: Path, padding: int) -> Path:
    """A file of two pages, with an object that nothing uses."""
    objects = tree_objects(Node(["one", "two"]), catalog=b"/Lang(en)")
    path.write_bytes(plain_pdf({**objects, max(objects) + 1: stream(bytes(padding))}))
    return path


def test_a_small_file_is_read_into_memory_and_a_large_one_is_not(tmp_path: Path) -> None:
    found = []
    for padding, is_in_memory in ((2 * MIB, True), (LARGE, False)):
        path = write(tmp_path / "a.pdf", padding)
        tracemalloc.start()
        found.append(read(path))
        assert (tracemalloc.get_traced_memory()[1] > MIB) == is_in_memory
        tracemalloc.stop()
    from_memory, from_file = found
    assert from_memory == from_file
    assert isinstance(from_memory, tuple)
    assert [page.text.strip() for page in from_memory[1]] == ["one", "two"]


def test_a_torn_file_is_as_malformed_either_way(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pdf", 0)
    torn = path.read_bytes()[:100]
    found = []
    for padding in (0, LARGE):
        path.write_bytes(torn + bytes(padding))
        found.append(str(read(path)))
    assert found[0] == found[1]
    assert found[0].startswith("MalformedError")


@pytest.mark.skipif(not (CORPUS / "real").is_dir(), reason="needs the folder of real PDFs")
def test_real_files_are_the_same_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = sorted((CORPUS / "real").rglob("*.pdf"), key=lambda path: path.stat().st_size)
    for path in paths[::8]:
        found = []
        for most_bytes in (path.stat().st_size, path.stat().st_size - 1):
            monkeypatch.setattr(pdfium_files, "_IN_MEMORY_BYTES", most_bytes)
            found.append(read(path))
        assert found[0] == found[1], path
