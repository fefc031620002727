"""OCR engines by name, and what is said of one that is not there."""

from importlib import metadata
from pathlib import Path

import pytest

from pdfingest.errors import EngineUnavailableError
from pdfingest.job import EngineSpec
from pdfingest.ocr import registry

ENTRY = "[pdfingest.ocr]\nmine = os.path\nparts = seen:Reader\n"


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that has OCR engines, and no `tesserocr`."""
    folder = tmp_path / "mine-1.5.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.5\n")
    (folder / "entry_points.txt").write_text(ENTRY)
    monkeypatch.setattr("sys.path", [str(tmp_path)])


def test_auto_is_tesseract() -> None:
    pytest.importorskip("tesserocr")
    found = registry.find_ocr("auto")
    assert found == registry.find_ocr("tesseract")
    assert found == EngineSpec(
        "tesseract", "pdfingest.ocr.tesseract", metadata.version("tesserocr")
    )
    assert callable(registry.load_ocr(found).open_reader)


@pytest.mark.usefixtures("others")
def test_a_package_adds_one() -> None:
    assert registry.known_ocr() == ("tesseract", "mine", "parts")
    assert registry.find_ocr("mine") == EngineSpec("mine", "os.path", "1.5")


@pytest.mark.usefixtures("others")
def test_it_is_said_how_to_install_what_is_missing() -> None:
    with pytest.raises(EngineUnavailableError, match=r"pip install 'pdfingest\[ocr\]'"):
        registry.find_ocr("auto")
    with pytest.raises(EngineUnavailableError, match="Known here: auto, tesseract, mine, parts"):
        registry.find_ocr("absent")


def test_what_is_no_ocr_engine_is_refused() -> None:
    with pytest.raises(EngineUnavailableError, match="no languages and no missing"):
        registry.load_ocr(EngineSpec("mine", "os.path", ""))
    with pytest.raises(EngineUnavailableError, match="ModuleNotFoundError"):
        registry.load_ocr(EngineSpec("mine", "absent.module:it", ""))
