"""Whether light falls evenly on a picture of a page. Pure.

One border between paper and ink for all of a page is best, unless there is a shadow on it: then
what is in the shadow is all ink.
"""

from pdfingest.ocr.engine import Picture

_TILES = 8
"""Into how many parts the width and the height are divided."""
_SAMPLES = 24
"""Rows of a part that are looked at, and about as many pixels of each."""
_PAPER = 0.8
"""Share of the pixels of a part that are darker than its paper, or as dark."""
_FEW = 2
"""Parts that may be dark or bright for another reason, such as a small picture."""
_EVEN = 0.7
"""Least brightness of the darkest paper, relative to the brightest."""


def is_uneven(picture: Picture) -> bool:
    """Whether the paper is much darker in some parts of a picture than in others."""
    data, width, height, _ = picture
    if min(width, height) < _TILES * _SAMPLES:
        return False
    tile_width, tile_height = width // _TILES, height // _TILES
    rows, columns = tile_height // _SAMPLES, tile_width // _SAMPLES
    papers: list[int] = []
    for top in range(0, tile_height * _TILES, tile_height):
        for left in range(0, tile_width * _TILES, tile_width):
            seen: list[int] = []
            for row in range(top, top + tile_height, rows):
                begin = row * width + left
                seen += data[begin : begin + tile_width : columns]
            seen.sort()
            papers.append(seen[int(_PAPER * len(seen))])
    papers.sort()
    return papers[_FEW] < _EVEN * papers[-_FEW - 1]
