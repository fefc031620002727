"""Lines of text in a picture, found by the shape of its ink without reading them.

Letters are small connected pieces of ink of about one height, on a plain ground, side by side in
lines. Which letters they are does not matter, so this works for any script, and a photo has none of
them. It is plain Python: an image library would double the memory of a child, and few pages ever
get here.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from operator import itemgetter
from typing import NamedTuple

from pdfingest.engines.ink_pieces import Piece, pieces_of

_TILE, _BAND = 64, 32
"""Width and height of the parts of a picture that have one ground each, in pixels."""
_CONTRAST = 50
"""Least difference between ink and its ground, of 255 levels."""
_PLAIN = 0.4
"""Least share of a tile that its ground has; the levels of a photo are spread wider."""
_SIXTEENTHS = bytes(level >> 4 for level in range(256))
_WHITE = 15
"""The sixteenth that most grounds are in."""
_NO_INK = bytes(256)

_LEAST_HEIGHT, _MOST_HEIGHT = 3, 80
"""Heights of pieces, in pixels. Lower ones are dots, higher ones are in posters and logos."""
_LEAST_MEDIAN = 5
"""Least height of the letters of a line; what is lower is as often the grain of a photo."""
_LEAST_PIECES, _MOST_LETTERS = 4, 6
"""Least pieces of a line, and most letters of a piece, as in Arabic or a bad scan."""
_MOST_WIDTH = 25
"""Greatest width of a piece, in heights: words in which letters touch, but no rules."""
_SLOT = 16
"""Height of the slots by which a line is found, in pixels."""
_WIDEST_GAP = 1.3
"""Widest gap between words, in heights of the line."""
_DEEPEST = 0.6
"""How far letters reach over each other, in heights of the line."""
_ALIKE = 2.6
"""Greatest ratio of the heights of neighbors, such as `l` and `a`."""
_FULL = 0.85
"""Greatest share of their boxes that letters fill; dashes, bars and dots fill more."""
_FAINT = 0.15
_EVEN = 0.8
"""Least share of the pieces of a line that are about as high as the median."""
_KINDS = 3
"""Least number of different widths in a line; tick marks and patterns have one or two."""
_UNEQUAL = 1.3
"""Least ratio of the areas of pieces of two widths in a line; equal dots differ by less."""
_LEAST_LENGTH = 3
"""Least length of a line, in heights of its letters."""
_OF_ALL = 0.3
"""Least share of the pieces of a picture that are letters in lines; in a drawing few are, by
chance."""
_ENOUGH = 200
"""Letters in lines across a picture that make it needless to look along it."""


class Picture(NamedTuple):
    """A picture in levels of gray, one byte a pixel, 0 for black, rows from the top."""

    width: int
    height: int
    levels: bytes


class TextLine(NamedTuple):
    """A line of text: its box in pixels, ends excluded, and about how many letters it has."""

    left: int
    top: int
    right: int
    bottom: int
    letters: int


class _Line:
    """A line under way: its pieces from the left, and where it is at its right end."""

    __slots__ = ("bottom", "pieces", "right", "top")

    def __init__(self, first: Piece) -> None:
        self.pieces = [first]
        self.right, self.top, self.bottom = first.right, first.top, first.bottom

    @property
    def slot(self) -> int:
        return (self.top + self.bottom) // 2 // _SLOT

    def is_level_with(self, piece: Piece) -> bool:
        """Return whether a piece is about as high as the end of the line, and beside it."""
        height, own = piece.bottom - piece.top, self.bottom - self.top
        shared = min(piece.bottom, self.bottom) - max(piece.top, self.top)
        low, high = min(height, own), max(height, own)
        return 2 * shared >= low and high <= _ALIKE * low

    def add(self, piece: Piece) -> None:
        """Add a piece at the end. One that is low, such as a comma, does not move the line."""
        self.pieces.append(piece)
        self.right = max(self.right, piece.right)
        if 3 * (piece.bottom - piece.top) >= 2 * (self.bottom - self.top):
            self.top, self.bottom = piece.top, piece.bottom


def text_lines(picture: Picture) -> list[TextLine]:
    """Return the lines of text in a picture, which run across it or, if more do, along it."""
    pieces = pieces_of(_ink(picture))
    across = _found(pieces)
    if letters_of(across) >= _ENOUGH:
        return across
    along = _found([Piece(y, x, bottom, right, area) for x, y, right, bottom, area in pieces])
    if letters_of(along) <= letters_of(across):
        return across
    return [TextLine(line.top, line.left, line.bottom, line.right, line.letters) for line in along]


def letters_of(lines: Sequence[TextLine]) -> int:
    """Return about how many letters some lines have."""
    return sum(line.letters for line in lines)


def _found(pieces: Sequence[Piece]) -> list[TextLine]:
    """Return the lines of text that pieces of ink make from the left to the right."""
    likely = [each for each in pieces if _may_be_letter(each)]
    lines = [(line, text) for line in _chained(likely) if (text := _as_text(line))]
    if sum(len(line.pieces) for line, _ in lines) < _OF_ALL * len(likely):
        return []
    return [text for _, text in lines]


def _may_be_letter(piece: Piece) -> bool:
    height = piece.bottom - piece.top
    is_narrow = piece.right - piece.left <= _MOST_WIDTH * height
    return is_narrow and _LEAST_HEIGHT <= height <= _MOST_HEIGHT


def _ink(picture: Picture) -> list[bytes]:
    """Return the rows of a picture, with 1 where there is ink on a plain ground and 0 elsewhere.

    The ground is that of each tile, so that white letters on black and paper that is darker on one
    side are the same as black on white.
    """
    width, height, levels = picture
    rows: list[bytes] = []
    tables: dict[int, bytes] = {}
    for top in range(0, height, _BAND):
        bottom = min(top + _BAND, height)
        band = levels[top * width : bottom * width]
        if band == band[:1] * len(band):
            rows += [bytes(width)] * (bottom - top)
            continue
        lines = [band[at : at + width] for at in range(0, len(band), width)]
        parts: list[list[bytes]] = []
        for ground, left, right in _grounds(lines[::2], width):
            if ground not in tables:
                tables[ground] = bytes(abs(each - ground) > _CONTRAST for each in range(256))
            table = _NO_INK if ground < 0 else tables[ground]
            parts.append([line[left:right].translate(table) for line in lines])
        rows += [b"".join(row) for row in zip(*parts, strict=True)]
    return rows


def _grounds(lines: Sequence[bytes], width: int) -> Iterator[tuple[int, int, int]]:
    """Yield the ground of each stretch of a band that has one, and where it begins and ends."""
    tiles = range(0, width, _TILE)
    grounds = (_ground(b"".join([line[left : left + _TILE] for line in lines])) for left in tiles)
    for ground, stretch in groupby(zip(grounds, tiles, strict=True), itemgetter(0)):
        lefts = [left for _, left in stretch]
        yield ground, lefts[0], min(lefts[-1] + _TILE, width)


def _ground(tile: bytes) -> int:
    """Return the level of the ground of a tile, or -1 if it has none or nothing else."""
    if tile == tile[:1] * len(tile):
        return -1
    steps = tile.translate(_SIXTEENTHS)
    if 2 * steps.count(_WHITE) > len(tile):
        return 16 * _WHITE + 8
    counts = [steps.count(step) for step in range(16)]  # a Counter takes ten times as long
    level = counts.index(max(counts))
    share = sum(counts[max(level - 1, 0) : level + 2]) / len(tile)
    return 16 * level + 8 if share >= _PLAIN else -1


def _chained(pieces: Sequence[Piece]) -> list[_Line]:
    """Return pieces of ink in lines, each next to the one that it is nearest to."""
    slots = defaultdict[int, list[_Line]](list)
    done: list[_Line] = []
    for piece in sorted(pieces):
        line = _nearest(piece, slots, done)
        if line is None:
            line = _Line(piece)
            slots[line.slot].append(line)
            continue
        before = line.slot
        line.add(piece)
        if line.slot != before:
            slots[before].remove(line)
            slots[line.slot].append(line)
    return [*done, *chain.from_iterable(slots.values())]


def _nearest(
    piece: Piece, slots: "defaultdict[int, list[_Line]]", done: list[_Line]
) -> _Line | None:
    """Return the line whose end is nearest to a piece, and that the piece belongs to.

    Lines that end too far before it are done, as pieces come from the left.
    """
    slot = (piece.top + piece.bottom) // 2 // _SLOT
    best, least = None, float("inf")
    for each in range(slot - 1, slot + 2):
        for line in slots[each].copy():
            gap, height = piece.left - line.right, line.bottom - line.top
            if gap > _WIDEST_GAP * height:
                slots[each].remove(line)
                done.append(line)
            elif -_DEEPEST * height <= gap < least and line.is_level_with(piece):
                best, least = line, gap
    return best


def _as_text(line: _Line) -> TextLine | None:
    """Return a line if its pieces look like letters."""
    pieces = line.pieces
    if len(pieces) < _LEAST_PIECES:
        return None
    heights = sorted(piece.bottom - piece.top for piece in pieces)
    median = heights[len(heights) // 2]
    left, right = pieces[0].left, line.right
    if not _differ(pieces) or right - left < _LEAST_LENGTH * median:
        return None
    even = sum(median <= 2 * each and each <= 1.7 * median for each in heights)
    boxes = sum((each.right - each.left) * (each.bottom - each.top) for each in pieces)
    filled = sum(each.area for each in pieces) / boxes
    letters = (right - left) // median
    if median < _LEAST_MEDIAN or len(pieces) < letters / _MOST_LETTERS:
        return None
    if even < _EVEN * len(pieces) or not _FAINT <= filled <= _FULL:
        return None
    top, bottom = min(each.top for each in pieces), max(each.bottom for each in pieces)
    return TextLine(left, top, right, bottom, letters)


def _differ(pieces: Sequence[Piece]) -> bool:
    """Return whether pieces differ as letters do; the digits of some fonts are all as wide."""
    kinds = len({piece.right - piece.left for piece in pieces})
    if kinds >= _KINDS:
        return True
    areas = [piece.area for piece in pieces]
    return kinds > 1 and max(areas) >= _UNEQUAL * min(areas)
