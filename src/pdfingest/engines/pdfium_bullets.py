"""Bullets of lists that are drawn as shapes, as browsers draw them: put before their lines."""

from collections.abc import Sequence

from pdfingest.engines.pdfium_shapes import Shape
from pdfingest.pages import Box, Span

_LEAST_EMS, _MOST_EMS = 0.15, 0.75
"""Width and height of a bullet."""
_NEAR_EMS = 2.5
"""Most that a bullet stands before its line."""
_BULLET = "\N{BULLET}"


def with_bullets(spans: Sequence[Span], shapes: Sequence[Shape]) -> list[Span]:
    """Return the spans of a page, each behind the bullet that is drawn before it."""
    round_ones = [shape.box for shape in shapes if _is_round(shape.box)]
    return [_marked(span, round_ones) for span in spans] if round_ones else list(spans)


def _is_round(box: Box) -> bool:
    """Whether a shape is about as wide as high."""
    width, height = box.right - box.left, box.bottom - box.top
    return bool(width and height and 1 / 2 < width / height < 2)  # noqa: PLR2004 - no line


def _marked(span: Span, shapes: Sequence[Box]) -> Span:
    if span.angle:
        return span
    em = span.size
    for box in shapes:
        width, height = box.right - box.left, box.bottom - box.top
        middle = (box.top + box.bottom) / 2
        if (
            0 <= span.left - box.right < _NEAR_EMS * em
            and 0 < span.baseline - middle < em
            and _LEAST_EMS * em < min(width, height)
            and max(width, height) < _MOST_EMS * em
        ):
            return span._replace(text=f"{_BULLET} {span.text}", left=box.left)
    return span
