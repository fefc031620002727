"""Where the text of a page stands, from PDFium: two ends, a baseline and a font for each line.

To ask for the box of every character costs three times what reading the page does. PDFium has
found the lines already, and the boxes of the text objects in a line show whether it has wide gaps,
as the rows of tables and lines of two columns do. Only in such lines are single boxes asked for.
"""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import pypdfium2_raw as pdfium

from pdfingest.engines import pdfium_calls as calls
from pdfingest.engines.frames import Frame, Rect
from pdfingest.engines.gaps import GAP_EMS, widest_space
from pdfingest.engines.pdfium_faces import described
from pdfingest.engines.right_to_left import RIGHT_TO_LEFT, righted
from pdfingest.engines.utf16_lines import lines_of
from pdfingest.pages import Box, Font, Span

_SPACE = re.compile(r"(?<=\S)\s+(?=\S)")
_SPARSE_EMS = 0.72
"""Mean width of the characters of a line that has gaps within a text object, in Latin letters."""
_MOST_RECTS = 12
"""Text objects of a line whose boxes are asked for; of letters drawn one by one, the gaps are."""
_TOUCH = 1.0
"""How far text may stand over a rule beside it, in points."""
_SAME_HEIGHT = 0.01


class _Style(NamedTuple):
    """What characters of one font, size and height have in common."""

    size: float
    angle: int
    rise: float
    """How far their baseline is above the bottom of their boxes."""
    font: Font
    height: float
    """Of their boxes, which tells whether a matrix scales them in the same way."""


class Spans:
    """Reads the spans of pages. One for each document, as it remembers the document's fonts."""

    def __init__(self) -> None:
        self._fonts: dict[int, Font] = {}
        self._styles: dict[tuple[int, float], _Style] = {}
        self._walls: Sequence[Box] = ()
        doubles, floats = (ctypes.c_double * 4)(), (ctypes.c_float * 6)()
        # To look at memory as a view takes a third of the time that a field of ctypes does.
        self._doubles = memoryview(doubles).cast("B").cast("d")
        self._matrix = memoryview(floats).cast("B").cast("f")
        self._box = self._matrix[:4]
        self._to_doubles = tuple(ctypes.byref(doubles, 8 * n) for n in range(len(doubles)))
        self._to_floats = ctypes.byref(floats)

    def read(
        self, text_page: Any, text: str, units: int, count: int, rules: Sequence[Box]
    ) -> list[Span]:
        """Return the spans of a page.

        Args:
            text_page: handle of the text.
            text: all of the text, as PDFium gives it.
            units: its length in UTF-16.
            count: number of characters that PDFium counts; of those in the text, in UTF-16.
            rules: of the page; spans end at those that are vertical.
        """
        self._walls = [rule for rule in rules if rule.bottom - rule.top > rule.right - rule.left]
        self._styles.clear()  # a matrix of the page may scale what has the same font and size
        spans: list[Span] = []
        turns = RIGHT_TO_LEFT.search(text) is not None
        for line, first, last in lines_of(text, is_wide=len(text) != units):
            start, end = (first, last) if count == units else _indices(text_page, first, last)
            if turns and RIGHT_TO_LEFT.search(line) and len(line) == end - start:
                origins = [self._origin(text_page, at)[0] for at in range(start, end)]
                self._add(spans, text_page, righted(line, origins), start, end)
            else:
                self._add(spans, text_page, line, start, end)
        return spans

    def _add(self, spans: list[Span], page: Any, line: str, start: int, end: int) -> None:
        """Add the spans of one line, which is the characters from `start` to before `end`."""
        count = end - start
        rects = calls.count_rects(page, start, count)
        probe = start if rects == 1 else self._main_character(page, line, start, end)
        calls.loose_box(page, probe, self._to_floats)
        left, top, right, bottom = self._box
        style = self._style(page, probe, top - bottom, bottom)
        size, font = style.size, style.font
        end_bottom = bottom
        if probe != start:
            calls.loose_box(page, start, self._to_floats)
            left, _, right, _ = self._box
        if count > 1:
            calls.loose_box(page, end - 1, self._to_floats)
            end_left, end_top, end_right, end_bottom = self._box
            left, right = min(left, end_left), max(right, end_right)
            if rects > 1 and (font.is_bold or font.is_italic):
                # A line that begins bold need not be bold.
                last = self._style(page, end - 1, end_top - end_bottom, end_bottom).font
                is_same = (font.is_bold, font.is_italic) == (last.is_bold, last.is_italic)
                font = font if is_same or last.is_bold else last
        if style.angle or abs(end_bottom - bottom) > size:
            spans += self._turned(page, line, start, end, style)
            return
        is_apart = rects > _MOST_RECTS
        if 1 < rects <= _MOST_RECTS:
            left, right, is_apart = self._extent(page, rects, size, left, right)
        baseline = -bottom - style.rise
        is_cut = bool(self._walls) and bool(self._cuts(left, right, baseline))
        is_whole = not is_apart and not is_cut and right - left <= _SPARSE_EMS * size * count
        if is_whole or len(line) != count:  # else a place in the line is no place on the page
            spans.append(Span(line, left, right, baseline, size, font))
            return
        for text, begin, stop, up in self._parts(page, line, start, size, right):
            spans.append(Span(text, begin, stop, baseline - up, size, font))

    def _extent(
        self, page: Any, rects: int, size: float, left: float, right: float
    ) -> tuple[float, float, bool]:
        """Return where a line begins and ends, and whether parts of it stand apart.

        Parts are beside each other, or on other lines, as far as their text objects show it.
        """
        gap, is_apart = GAP_EMS * size, False
        before_right, before_top, before_bottom = math.inf, math.inf, -math.inf
        for index in range(rects):
            calls.rect(page, index, *self._to_doubles)
            begin, top, stop, bottom = self._doubles
            left = min(left, begin)
            right = max(right, stop)
            if begin - before_right > gap or top < before_bottom or bottom > before_top:
                is_apart = True
            before_right, before_top, before_bottom = stop, top, bottom
        return left, right, is_apart

    def _style(self, page: Any, place: int, height: float, bottom: float) -> _Style:
        """Return the style of a character, given the height and the bottom of its box."""
        drawn = calls.text_object(page, place)
        key = (calls.font_of(drawn) if drawn else 0, calls.font_size(page, place))
        style = self._styles.get(key)
        if style is not None and abs(style.height - height) < _SAME_HEIGHT * height:
            return style
        calls.matrix_of(page, place, self._to_floats)
        a, b, c, d, _, _ = self._matrix
        size = (key[1] * math.hypot(c, d)) or 1.0
        angle = 0 if not b and a > 0 else _angle(a, b)
        rise = self._origin(page, place)[1] - bottom
        if key[0] not in self._fonts:
            self._fonts[key[0]] = described(key[0])
        style = _Style(size, angle, rise, self._fonts[key[0]], height)
        if not angle:
            self._styles[key] = style
        return style

    def _origin(self, page: Any, place: int) -> tuple[float, float]:
        calls.char_origin(page, place, *self._to_doubles[:2])
        return self._doubles[0], self._doubles[1]

    def _turned(self, page: Any, line: str, start: int, end: int, style: _Style) -> Iterator[Span]:
        """Yield the spans of a line that is not horizontal, after the page is turned by its angle.

        Vertical writing is not turned, but goes down.
        """
        x, y = self._origin(page, start)
        count = end - start
        rects = range(calls.count_rects(page, start, count))
        boxes = [self._rect(page, index) for index in rects] or [Rect(x, y, x, y)]
        lefts, bottoms, rights, tops = zip(*boxes, strict=True)
        left, bottom, right, top = min(lefts), min(bottoms), max(rights), max(tops)
        if not style.angle:
            if right - left > top - bottom:  # it only stands on two lines
                yield Span(line, left, right, -y, style.size, style.font)
            else:
                yield Span(line, -top, -bottom, -left, style.size, style.font, 270)
            return
        frame = Frame(style.angle)
        begin, stop, above = frame.place(Rect(left, bottom, right, top))
        baseline = frame.baseline(x, y)
        placed = [frame.place(box) for box in boxes]
        is_apart = any(b[0] - a[1] > GAP_EMS * style.size for a, b in pairwise(placed))
        is_whole = not is_apart and 2 * abs(above - placed[0][2]) < style.size
        if is_whole or len(line) != count:
            yield Span(line, begin, stop, baseline, style.size, style.font, style.angle)
            return
        for text, first, last in self._pieces(page, line, start, style.size, frame):
            baseline = frame.baseline(*self._origin(page, start + first))
            ends = [frame.place(self._loose(page, start + each)) for each in (first, last)]
            begin, stop = min(each[0] for each in ends), max(each[1] for each in ends)
            yield Span(text, begin, stop, baseline, style.size, style.font, style.angle)

    def _pieces(
        self, page: Any, line: str, start: int, size: float, frame: Frame
    ) -> Iterator[tuple[str, int, int]]:
        """Yield the pieces of a line that stand apart, with where in it each begins and ends."""
        begin = 0
        for space in _SPACE.finditer(line):
            before = frame.place(self._loose(page, start + space.start() - 1))
            after = frame.place(self._loose(page, start + space.end()))
            is_gap = after[0] - before[1] > GAP_EMS * size
            if is_gap or abs(after[2] - before[2]) > size / 2:
                yield line[begin : space.start()], begin, space.start() - 1
                begin = space.end()
        yield line[begin:], begin, len(line.rstrip()) - 1

    def _loose(self, page: Any, place: int) -> Rect:
        calls.loose_box(page, place, self._to_floats)
        left, top, right, bottom = self._box
        return Rect(left, bottom, right, top)

    def _rect(self, page: Any, index: int) -> Rect:
        calls.rect(page, index, *self._to_doubles)
        left, top, right, bottom = self._doubles
        return Rect(left, bottom, right, top)

    def _main_character(self, page: Any, line: str, start: int, end: int) -> int:
        """Return the character of a line whose size is the line's: the second largest of three.

        A line may begin with a bullet or a note's number, and end with one.
        """
        middle = (start + end) // 2
        if calls.font_size(page, start) == calls.font_size(page, middle):
            return start
        if line[min(middle - start, len(line) - 1)].isspace():
            middle -= 1
        sizes = sorted((float(calls.font_size(page, at)), at) for at in (start, middle, end - 1))
        return sizes[1][1]

    def _parts(
        self, page: Any, line: str, start: int, size: float, right: float
    ) -> Iterator[tuple[str, float, float, float]]:
        """Yield the parts of a line that stand apart: where they begin and end, and how far up."""
        first = self._loose(page, start)
        first_bottom = bottom = first.bottom
        begin, begin_x = 0, first.left
        gaps = [
            (each.start(), each.end(), *self._gap(page, start + each.start(), start + each.end()))
            for each in _SPACE.finditer(line)
        ]
        cuts = self._cuts(first.left, right, -first.bottom)
        wide = GAP_EMS * size
        if not any(abs(up - bottom) > size for *_, up in gaps):
            wide = widest_space(line, [after - before for _, _, before, after, _ in gaps], size)
        for before, after, end_x, next_x, next_bottom in gaps:
            is_cut = any(end_x - _TOUCH <= cut <= next_x + _TOUCH for cut in cuts)
            if is_cut or next_x - end_x > wide or abs(next_bottom - bottom) > size:
                yield line[begin:before], begin_x, end_x, bottom - first_bottom
                begin, begin_x, bottom = after, next_x, next_bottom
        yield line[begin:], begin_x, max(begin_x, right), bottom - first_bottom

    def _cuts(self, left: float, right: float, y: float) -> list[float]:
        """Return where rules cross a line."""
        return [
            rule.left
            for rule in self._walls
            if left < rule.left < right and rule.top < y < rule.bottom
        ]

    def _gap(self, page: Any, space: int, after: int) -> tuple[float, float, float]:
        """Return where the gap before a character begins and ends, and the character's bottom."""
        calls.loose_box(page, space - 1, self._to_floats)
        _, _, end_x, _ = self._box
        calls.loose_box(page, after, self._to_floats)
        next_x, _, _, bottom = self._box
        return end_x, next_x, bottom


def _indices(page: Any, start: int, end: int) -> tuple[int, int]:
    """Return the indices of characters for those of the text in UTF-16."""
    first = pdfium.FPDFText_GetCharIndexFromTextIndex(page, start)
    last = pdfium.FPDFText_GetCharIndexFromTextIndex(page, end - 1)
    return max(first, 0), max(last, first, 0) + 1


def _angle(a: float, b: float) -> int:
    """Return the direction of a baseline, in degrees from 0 to 359."""
    return round(math.degrees(math.atan2(b, a))) % 360
