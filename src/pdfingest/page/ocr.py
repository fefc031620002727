"""Text that was read from a picture of a page, as spans: alone, or beside text that the page has.

Runs in the child; pure.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise, zip_longest

from pdfingest.ocr.engine import Line, Word
from pdfingest.ocr.transcript import Transcript
from pdfingest.ocr.turning import turned
from pdfingest.page.unsaid import corner, unsaid
from pdfingest.pages import Box, Page, Span

_GAP_EMS = 1.0
"""Least gap between two words at which a span ends."""
_SAME = 1.19
"""Most that the sizes of lines that are set in one size differ, as Tesseract measures them: it was
1.16. Headings are mostly a fifth larger than the text or more."""
_HYPHEN = re.compile("(?<=[^\\W\\d_])[-\u2010\xad]$")
_UNSPACED = re.compile("[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
"""Characters that have no blanks beside them: of Chinese and Japanese, but not of Korean."""


def spans_of(read: Transcript, box: Box, turn: int) -> tuple[Span, ...]:
    """Return what was read as spans, in the order of the engine.

    Args:
        read: of the page.
        box: what of the page is shown.
        turn: by how many degrees the document has it turned for display, clockwise.
    """
    page_turn = (turn + read.turn) % 360
    origin = corner(box, page_turn)
    lines = [
        line._replace(size=size)
        for line, size in zip(read.lines, _sizes(read.lines), strict=True)
        if line.words
    ]
    return tuple(
        span
        for line, after in zip_longest(lines, lines[1:])
        for span in _spans(_divided(line, after), origin, page_turn)
    )


def read_page(page: Page, read: Transcript) -> Page:
    """Return a page with what was read from its picture, instead of its own text."""
    found = spans_of(read, page.box, page.turn)
    return page._replace(
        text=_joined(found), spans=found, lost=0, lacks_text=False, is_doubtful=False
    )


def with_ocr(page: Page, read: Transcript) -> Page:
    """Return a page with its own text, and what its picture says beside that."""
    found = spans_of(unsaid(read, page), page.box, page.turn)
    if not found:
        return page
    text = "\n".join(part for part in (page.text.rstrip(), _joined(found)) if part)
    return page._replace(text=text, spans=(*page.spans, *found))


def _joined(spans: Iterable[Span]) -> str:
    """Return the texts of spans, each on a line; U+FFFE is a line end as well."""
    return "\n".join(span.text for span in spans).replace("\ufffe\n", "\ufffe")


def _divided(line: Line, after: Line | None) -> Line:
    """Return a line with U+FFFE for the hyphen at its end, if the next one goes on in its word.

    What tells is a small letter. That a hyphen is the word's own, only the document tells.
    """
    last = line.words[-1]
    if after is None or not _HYPHEN.search(last.text) or not after.words[0].text[0].islower():
        return line
    return line._replace(words=(*line.words[:-1], last._replace(text=f"{last.text[:-1]}\ufffe")))


def _sizes(lines: Sequence[Line]) -> list[float]:
    """Return the sizes of lines, those one size that are as good as one.

    An engine measures the letters of each line, and what they are differs. The layout of a page
    goes by sizes that are exact.
    """
    sizes = [0.0] * len(lines)
    rest = sorted(range(len(lines)), key=lambda place: lines[place].size)
    while rest:
        middle = lines[_middle(lines, rest)].size
        for place in rest:
            if middle / _SAME <= lines[place].size <= middle * _SAME:
                sizes[place] = middle
        rest = [place for place in rest if not sizes[place]]
    return sizes


def _middle(lines: Sequence[Line], places: Sequence[int]) -> int:
    """Return that of some places in ascending order on whose either side as many letters are."""
    weights = [sum(len(word.text) for word in lines[place].words) for place in places]
    half, passed = sum(weights) / 2, 0
    for place, weight in zip(places, weights, strict=True):
        passed += weight
        if passed >= half:
            return place
    return places[-1]


def _spans(line: Line, origin: tuple[float, float], turn: int) -> Iterator[Span]:
    """Yield the spans of a line, which end where the gap to the next word is wide."""
    x, y = turned(*origin, line.angle)
    angle = (turn + line.angle) % 360
    for words in _runs(line):
        ends = [
            turned(a, b, line.angle)[0]
            for word in words
            for a in (word.left, word.right)
            for b in (word.top, word.bottom)
        ]
        yield Span(
            _text(words),
            x + min(ends),
            x + max(ends),
            y + line.baseline,
            line.size,
            angle=angle,
        )


def _runs(line: Line) -> Iterator[list[Word]]:
    """Yield words between which there are no wide gaps."""
    run: list[Word] = [*line.words[:1]]
    for a, b in pairwise(line.words):
        if _gap(a, b, line.angle) > _GAP_EMS * line.size:
            yield run
            run = []
        run.append(b)
    yield run


def _gap(a: Word, b: Word, angle: int) -> float:
    """Return how far two words of a line are from each other; both may be the left one."""
    if angle % 180:
        return max(b.top - a.bottom, a.top - b.bottom)
    return max(b.left - a.right, a.left - b.right)


def _text(words: Iterable[Word]) -> str:
    """Return words with blanks between them, but for scripts that have none."""
    text = ""
    for word in words:
        is_close = _UNSPACED.match(text[-1:]) and _UNSPACED.match(word.text)
        text = f"{text} {word.text}" if text and not is_close else text + word.text
    return text
