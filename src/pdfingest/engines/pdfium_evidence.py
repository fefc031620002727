"""Whether a page shows text that its text does not say, by evidence.

A page needs OCR if pictures or outlines on it show lines of text where no text is. What is cheap is
asked first: most pages have no picture and no drawing that may be letters, and are done once their
objects are counted. Where pictures cover something and little text lies on them, that part is drawn
small, what the text says is erased, and lines of text are looked for in what remains. So a scan
with a text layer, a photo, a logo, a plot or a map needs nothing, whatever it is made of.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from typing import Any, NamedTuple

from pdfingest.engines.pdfium_objects import Objects
from pdfingest.engines.pdfium_pictures import picture_of, scale_of
from pdfingest.engines.pdfium_scene import (
    Area,
    Drawn,
    Scene,
    areas_of,
    around,
    can_be_decoded,
    em_of,
    is_invisible,
    pixels_of,
    scene_of,
    segments_of,
    shared,
    size,
)
from pdfingest.engines.text_lines import text_lines
from pdfingest.model import OcrReason
from pdfingest.text import is_babble, is_usable, letters

_MOST_DECODED = 40_000_000
"""Pixels of images that are decoded for a page; one of A4 at 600 dpi has 35 million."""
_LEAST_SHARE = 0.02
"""Least part of the page that a picture takes, to be looked at beside text."""
_LEAST_IMAGE = 0.005
"""Least part of a page without text that images take, if what it shows may be in them."""
_LEAST_WIDTH, _LEAST_HEIGHT = 40.0, 20.0
"""Least sides of such a picture, in points."""
_LEAST_PIXELS = 10_000
_TOUCH = 3.0
"""Farthest that parts of one picture are apart, in points."""
_MOST_PICTURES = 64
"""Images of a page that are joined to pictures one by one; of more, only their hull is known."""
_MOST_LOOKS = 4
"""Pictures of a page that are looked at, the largest first."""
_COVERED = 0.3
"""Part of a picture that its text layer takes where it says all; lines of text have gaps."""
_TALLEST_SAID = 48.0
"""Greatest height of a text that hides what is below it, in points. Watermarks are larger."""
_ROOM = 0.5
"""How far letters reach beyond the box that PDFium gives a text, in heights of it: layers of OCR
stand some points off their picture, and PDFium goes by the metrics of the font."""
_LOW = 0.4
"""Height of a text in ems, below which its font does not say how high its letters are."""
_OF_SAID = 0.3
"""Least letters that are not said, for each that is said on the same picture."""
_LEAST_LETTERS, _LONG_LINE = 100, 7
"""Least letters in long lines that make a picture beside text a text, and those of such a line:
what is less is a logo or the labels of a plot."""
_LEAST_IN_CELLS = 180
"""Likewise in lines of any length, such as the cells of a table."""
_ALONE_LETTERS = 19
"""Likewise on a page that has no text."""
_SCANNED_LETTERS, _SCANNED, _LEAST_SHEET = 15, 0.9, 200_000
"""Likewise in images that cover at least this part of a sheet, of so many square points."""
_OUTLINED_LETTERS = 50
"""Likewise as outlines: many a logo is a page of its own, to be drawn on others."""
_MIDDLE = 1 / 6
"""Part of such a page that is looked at first; it takes as small a part of the time."""
_MANY_PATHS = 60
"""Paths of a page that may be letters."""
_LOOKS = 48
"""Paths that are looked at, spread over the page, to tell whether they are."""
_LETTER_SEGMENTS, _LETTER_HEIGHT = 6, (1.5, 40.0)
"""Least segments of a letter, and its heights in points."""
_TEXTS_LOOKED_AT = 16
"""Texts that are looked at, spread over the page, to tell whether they show."""
_TEXT_SEGMENTS = 600
"""Segments of a path that may be a whole line of letters."""
_MOST_SHOWN = 0.3
"""Part of the page that images take, from which they need OCR where they cannot be looked at."""


class _Part(NamedTuple):
    """A part of a page that may show text: a picture of one or more images, or outlines."""

    area: Area
    pixels: int = 0
    """What its images declare together."""
    covered: float = 0.0
    """What they cover, in square points."""


def unsaid(page: Any, objects: Objects, text: str) -> OcrReason:
    """Return what a page shows that its text does not say, or that there is no such thing.

    Args:
        page: handle of the page, turned so that its text is upright.
        objects: of the page itself.
        text: that PDFium reads.
    """
    scene = scene_of(page, objects)
    is_said = is_usable(text)
    if not scene.images and len(scene.paths) < (_MANY_PATHS if is_said else 1):
        return OcrReason.NONE
    images = list(_images(scene))
    is_layer = bool(images) and _is_invisible(scene.texts)
    if is_layer and (not is_said or is_babble(text)):
        shown = _shows_text(page, scene, images, ())
        return OcrReason.INVISIBLE if shown else OcrReason.NONE
    if not is_said:  # texts that show and are not read are not for this rule to judge
        return _shows_text(page, scene, images, list(_said(scene.texts)))
    said: list[Area] | None = None
    for parts, reason in (
        (_pictures(images, scene.box), OcrReason.IMAGE),
        (_outlines(scene), OcrReason.OUTLINES),
    ):
        if parts and said is None:
            said = list(_said(scene.texts))
        if said is not None and _says_more(page, parts, said, letters(text)):
            return reason
    return OcrReason.NONE


def _shows_text(
    page: Any, scene: Scene, images: Sequence[_Part], said: Sequence[Area]
) -> OcrReason:
    """Return whether a page without text shows some, in an image or as outlines."""
    whole = _joined([_Part(scene.box), *images])
    has_images = whole.covered > _LEAST_IMAGE * size(scene.box)
    if whole.pixels > _MOST_DECODED:  # what cannot be looked at is a scan, if it is large
        shows = whole.covered >= _MOST_SHOWN * size(scene.box)
    else:
        least = _ALONE_LETTERS if has_images else _OUTLINED_LETTERS
        if _is_scan(whole.covered, size(scene.box)):
            least = _SCANNED_LETTERS
        # The middle tells most pages of text. Then all, at the usual scale before the finest, for
        # which letters may be too large; on a page of A4 the two are one.
        looks = [(_middle(scene.box), 2), (_Part(scene.box), 1)]
        if scale_of(scene.box, _density(whole)) > scale_of(scene.box, 0.0):
            looks.append((whole._replace(area=scene.box), 1))
        shows = any(max(_letters(page, look, said)) >= times * least for look, times in looks)
        if has_images and not shows:  # what cannot be decoded is drawn as nothing
            shows = not all(can_be_decoded(page, image) for image in scene.images)
    if not shows:
        return OcrReason.NONE
    return OcrReason.IMAGE if has_images else OcrReason.OUTLINES


def _is_scan(covered: float, page: float) -> bool:
    """Return whether images cover a page as a scan does; logos are smaller, or their pages are."""
    return page >= _LEAST_SHEET and covered >= _SCANNED * page


def _middle(box: Area) -> _Part:
    """Return a band across the middle of a page."""
    left, bottom, right, top = box
    rest = (top - bottom) * (1 - _MIDDLE) / 2
    return _Part((left, bottom + rest, right, top - rest))


def _says_more(page: Any, parts: Sequence[_Part], said: Sequence[Area], known: int) -> bool:
    """Return whether parts of a page show text beside what its text says.

    Args:
        page: handle of the page.
        parts: what may show text.
        said: where the text of the page stands.
        known: number of letters of it.
    """
    found = in_lines = 0
    for part in sorted(parts, key=lambda each: -size(each.area))[:_MOST_LOOKS]:
        upon = [each for each in said if size(shared(part.area, each)) > 0]
        hidden = sum(size(shared(part.area, each)) for each in upon)
        if hidden < _COVERED * size(part.area) and part.pixels <= _MOST_DECODED:
            shown, long = _letters(page, part, upon)
            if shown > _OF_SAID * known * len(upon) / max(len(said), 1):
                found, in_lines = found + shown, in_lines + long
        if in_lines >= _LEAST_LETTERS or found >= _LEAST_IN_CELLS:
            return True
    return False


def _letters(page: Any, part: _Part, said: Iterable[Area]) -> tuple[int, int]:
    """Return about how many letters a part of a page shows, and how many of them in long lines."""
    picture = picture_of(page, part.area, _density(part), said)
    lines = [line.letters for line in text_lines(picture)] if picture else []
    return sum(lines), sum(each for each in lines if each >= _LONG_LINE)


def _density(part: _Part) -> float:
    """Return how many pixels a point its images have."""
    return math.sqrt(part.pixels / max(part.covered, 1.0))


def _images(scene: Scene) -> Iterator[_Part]:
    """Yield the images of a page, as far as they are on it."""
    for image, area in zip(scene.images, areas_of(scene.images), strict=True):
        shown = shared(area, scene.box)
        if size(shown) > 0:
            yield _Part(shown, pixels_of(image), size(shown))


def _pictures(images: Sequence[_Part], box: Area) -> list[_Part]:
    """Return the pictures of a page that are large enough to be text, each of images that touch."""
    pictures: list[_Part] = [_joined(images)] if len(images) > _MOST_PICTURES else []
    for image in () if pictures else images:
        near = [each for each in pictures if _touch(each.area, image.area)]
        pictures = [each for each in pictures if each not in near]
        pictures.append(_joined([image, *near]))
    return [each for each in pictures if _may_be_text(each, box)]


def _may_be_text(picture: _Part, box: Area) -> bool:
    left, bottom, right, top = picture.area
    return (
        min(picture.covered, size(picture.area)) >= _LEAST_SHARE * size(box)
        and max(right - left, top - bottom) >= _LEAST_WIDTH
        and min(right - left, top - bottom) >= _LEAST_HEIGHT
        and picture.pixels >= _LEAST_PIXELS
    )


def _touch(one: Area, other: Area) -> bool:
    left, bottom, right, top = shared(one, other)
    return left <= right + _TOUCH and bottom <= top + _TOUCH


def _joined(parts: Sequence[_Part]) -> _Part:
    """Return the smallest part that has some in it."""
    return _Part(
        reduce(around, (part.area for part in parts)),
        sum(part.pixels for part in parts),
        sum(part.covered for part in parts),
    )


def _outlines(scene: Scene) -> list[_Part]:
    """Return where paths are that may be letters, if there are many such paths."""
    paths = scene.paths
    if len(paths) < _MANY_PATHS:
        return []
    sample = paths[:: max(1, len(paths) // _LOOKS)]
    likely = [
        shared(area, scene.box)
        for path, area in zip(sample, areas_of(sample), strict=True)
        if _is_letter(path, area)
    ]
    if len(likely) * len(paths) < _MANY_PATHS * len(sample):
        return []
    part = _Part(reduce(around, likely))
    return [part] if size(part.area) >= _LEAST_SHARE * size(scene.box) else []


def _is_letter(path: Drawn, area: Area) -> bool:
    least, most = _LETTER_HEIGHT
    segments = segments_of(path)
    if segments >= _TEXT_SEGMENTS:
        return True
    return segments >= _LETTER_SEGMENTS and least <= area[3] - area[1] <= most


def _is_invisible(texts: Sequence[Drawn]) -> bool:
    """Return whether most texts of a page are drawn so that they do not show."""
    sample = texts[:: max(1, len(texts) // _TEXTS_LOOKED_AT)]
    return 2 * sum(map(is_invisible, sample)) > len(sample)


def _said(texts: list[Drawn]) -> Iterator[Area]:
    """Yield where texts stand, and hide what they say on a picture, with some room around."""
    for text, (left, bottom, right, top) in zip(texts, areas_of(texts), strict=True):
        height, em = min(top - bottom, right - left), em_of(text)
        if height < _LOW * em:
            height = em
        if height <= _TALLEST_SAID:
            room = _ROOM * height
            yield left - room, bottom - room, right + room, max(top, bottom + height) + room
