"""What a page says, read from pictures of it: as few of them as will do. Runs in the child.

Owns how large and how far turned a page is drawn, so that it is read best. A page that is upright,
as good as straight and not set in tiny letters is drawn and read once, and one of Chinese twice.

Why so few pixels: with 200 an inch, text of 5 points and more is read as well as with 300, on scans
of 150 and of 300, in three quarters of the time, and Chinese better.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from pdfingest.ocr.engine import Line, Picture, Reader, Word
from pdfingest.ocr.junk import confidence, without_junk
from pdfingest.ocr.turning import turned

Draw: TypeAlias = Callable[[float, float], Picture]
"""Draws the page, given pixels an inch, and degrees by which it is turned clockwise."""
_POINTS = 72.0
_DPI = 200.0
"""Pixels an inch; twice as many where letters are too small for that."""
_SMALL = 24.0
"""Height of an em, in pixels, below which more pixels may help."""
_JUNK, _SURE = 0.45, 0.9
"""Confidence in a page from which on more pixels may make it better, and would not any more."""
_DOUBTFUL, _LEAST_CHARS = 0.7, 20
"""Confidence in a page that may stand on its head, and how many characters it has at least: pages
the right way up had .88 and more, others .38 and less."""
_SPECKS = 3
"""Characters of a line below which lines are specks of dirt on average."""
_SKEW, _MOST_SKEW = 1.5, 20.0
"""Degrees from which on a page is drawn straight, as Tesseract loses lines of text that is turned
by two; and above which they are no skew."""
_AGAIN = 0.9
"""Size of the second picture of a page of ideographs, relative to the first. Which of them are
misread differs from one size to another, and no one size is best. On twelve
texts in several fonts and sizes, two readings had a sixth fewer errors than one."""
_IDEOGRAPH = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_SAME_EMS = 0.5
"""Most that the ends and the baselines of a line differ between two readings, in ems."""
_AS_GOOD, _CLEARLY_BETTER = 0.95, 1.05
"""How much better a reading must be than another, to be taken instead: one of which more is known,
and one that is a guess."""


class Transcript(NamedTuple):
    """What was read of a page. Lengths are in points, after it is turned by `turn`."""

    lines: tuple[Line, ...]
    """From the left and the top of the page; made straight where it is askew."""
    width: float
    """Of the page, in points."""
    height: float
    """Of the page, in points."""
    turn: int
    """By how many degrees the page must be turned, clockwise, beyond what the document says, to be
    read: 0, 90, 180 or 270."""
    confidence: float
    """How sure the engine is of a character, on average, from 0 to 1; 0 if there is no text."""


class _Look(NamedTuple):
    """A picture of a page, and what was read in it, in pixels."""

    picture: Picture
    lines: tuple[Line, ...]
    skew: float
    turn: int
    angle: float
    """By how many degrees the page was turned beyond `turn`, clockwise."""

    @property
    def chars(self) -> int:
        """Number of characters, also of those that are junk."""
        return sum(map(_chars, self.lines))

    @property
    def worth(self) -> float:
        """Number of characters that are right, as far as the engine can tell."""
        return sum(_chars(line) * confidence(line) for line in self.lines)

    @property
    def has_lines(self) -> bool:
        """Whether there are lines of characters, right or wrong, and not mere specks."""
        return self.chars >= max(_LEAST_CHARS, _SPECKS * len(self.lines))

    @property
    def is_read(self) -> bool:
        """Whether what was read is text, for all that the engine can tell."""
        return self.worth >= _DOUBTFUL * self.chars

    @property
    def is_on_side(self) -> bool:
        """Whether most characters are in lines that are not horizontal."""
        return 2 * sum(_chars(line) for line in self.lines if line.angle) > self.chars

    @property
    def is_doubtful(self) -> bool:
        """Whether text may be there that stands on its head, or on its side."""
        return self.has_lines and (not self.is_read or self.is_on_side)

    @property
    def is_ideographs(self) -> bool:
        """Whether most characters of a page that was read are Chinese ones."""
        text = "".join(word.text for line in self.lines for word in line.words)
        return self.is_read and 2 * len(_IDEOGRAPH.findall(text)) > self.chars

    @property
    def is_small(self) -> bool:
        """Whether letters are so small that larger ones may be read better."""
        sizes = sorted((line.size, _chars(line)) for line in self.lines)
        small = sum(chars for size, chars in sizes if size < _SMALL)
        is_unsure = _JUNK * self.chars <= self.worth < _SURE * self.chars
        return self.has_lines and is_unsure and 2 * small > self.chars


def transcribe(draw: Draw, reader: Reader) -> Transcript:
    """Read a page.

    Args:
        draw: draws it; called once, or up to nine times if it is junk all over; once more if
            it is Chinese.
        reader: of its languages.

    Raises:
        Exception: whatever `draw` or `reader` raise.
    """
    look = _Looker(draw, reader)
    first = best = look(_DPI, 0, 0.0)
    best = look.straight(best)
    for turn in _other_turns(best) if best.is_doubtful else ():
        new = look.straight(look(_DPI, turn, 0.0))
        if new.worth > best.worth * (_AS_GOOD if best.is_read else _CLEARLY_BETTER):
            best = new
        if not best.is_doubtful:
            break
    if best.is_small:
        best = _as_good(look(2 * _DPI, best.turn, best.angle), best)
    if best.is_ideographs:
        best = look.again(best)
    return _transcript(best, first.picture)


class _Looker(NamedTuple):
    """Looks at one page in several ways."""

    draw: Draw
    reader: Reader

    def __call__(self, dpi: float, turn: int, angle: float) -> _Look:
        """Read a page in one way.

        Args:
            dpi: pixels an inch.
            turn: in quarters, in degrees.
            angle: by which it is turned beyond that.
        """
        picture = self.draw(dpi, turn + angle)
        lines, skew = self.reader.read(picture)
        return _Look(picture, lines, skew, turn, angle)

    def straight(self, look: _Look) -> _Look:
        """Return a look at a page that is not askew."""
        if not _SKEW <= abs(look.skew) <= _MOST_SKEW:
            return look
        return _as_good(self(_DPI, look.turn, look.angle + look.skew), look)

    def again(self, look: _Look) -> _Look:
        """Return a look with those lines of a second one of which the engine is surer."""
        other = self(_AGAIN * look.picture.dpi, look.turn, look.angle)
        scale = look.picture.dpi / other.picture.dpi
        lines = [_scaled(line, scale) for line in other.lines]
        return look._replace(lines=tuple(_surer(line, lines) for line in look.lines))


def _surer(line: Line, others: Iterable[Line]) -> Line:
    """Return a line with the words that another one has in its place, if those are surer."""
    for other in others:
        if _is_same(line, other) and confidence(other) > confidence(line):
            return line._replace(words=other.words)
    return line


def _is_same(a: Line, b: Line) -> bool:
    """Whether two readings of a page mean one line of it."""
    most = _SAME_EMS * a.size
    if a.angle != b.angle or abs(a.baseline - b.baseline) > most:
        return False
    return all(abs(x - y) <= most for x, y in zip(_box(a), _box(b), strict=True))


def _box(line: Line) -> tuple[float, float, float, float]:
    return (
        min(word.left for word in line.words),
        min(word.top for word in line.words),
        max(word.right for word in line.words),
        max(word.bottom for word in line.words),
    )


def _scaled(line: Line, scale: float) -> Line:
    words = tuple(
        word._replace(
            left=scale * word.left,
            top=scale * word.top,
            right=scale * word.right,
            bottom=scale * word.bottom,
        )
        for word in line.words
    )
    return Line(words, scale * line.baseline, scale * line.size, line.angle)


def _as_good(new: _Look, old: _Look) -> _Look:
    """Return the look of which more is known, unless it shows less."""
    return new if new.worth >= old.worth * _AS_GOOD else old


def _other_turns(look: _Look) -> Iterator[int]:
    """Yield by how much to turn a page that cannot be read as it is, the most likely first.

    Engines that find lines on their side read them from the top, rightly or not.
    """
    if look.is_on_side:
        yield from (270, 90, 180) if look.is_read else (90, 270, 180)
    else:
        yield from (180, 90, 270)


def _transcript(look: _Look, first: Picture) -> Transcript:
    """Return what was read in points, without junk.

    Args:
        look: the best one.
        first: picture of the page before it was turned.
    """
    width, height = (_POINTS / first.dpi * side for side in (first.width, first.height))
    if look.turn % 180:
        width, height = height, width
    lines = tuple(
        _straight(line, look, (width / 2, height / 2))
        for line in without_junk(look.lines, is_text=look.is_read)
    )
    chars = sum(map(_chars, lines))
    worth = sum(_chars(line) * confidence(line) for line in lines)
    return Transcript(lines, width, height, look.turn, worth / chars if chars else 0.0)


def _straight(line: Line, look: _Look, middle: tuple[float, float]) -> Line:
    """Return a line of a picture in points, turned so that it does not rise.

    Args:
        line: in pixels.
        look: where it was read.
        middle: of the page, which is the middle of the picture.
    """
    scale, skew = _POINTS / look.picture.dpi, look.skew if abs(look.skew) <= _MOST_SKEW else 0.0
    half = scale * look.picture.width / 2, scale * look.picture.height / 2

    def placed(x: float, y: float) -> tuple[float, float]:
        x, y = turned(scale * x - half[0], scale * y - half[1], skew)
        return x + middle[0], y + middle[1]

    words = [_moved(word, scale, placed) for word in line.words]
    ends = [
        turned(x, y, line.angle)[0]
        for word in line.words
        for x, y in ((word.left, word.top), (word.right, word.bottom))
    ]
    on_line = turned((min(ends) + max(ends)) / 2, line.baseline, -line.angle)
    baseline = turned(*placed(*on_line), line.angle)[1]
    return Line(tuple(words), baseline, scale * line.size, line.angle)


def _moved(word: Word, scale: float, placed: Callable[[float, float], tuple[float, float]]) -> Word:
    """Return a word in points, whose middle `placed` puts in its place."""
    text, left, top, right, bottom, sure = word
    x, y = placed((left + right) / 2, (top + bottom) / 2)
    across, down = scale * (right - left) / 2, scale * (bottom - top) / 2
    return Word(text, x - across, y - down, x + across, y + down, sure)


def _chars(line: Line) -> int:
    return sum(len(word.text) for word in line.words)
