"""Shadows on pictures of pages."""

from collections.abc import Callable

import pytest

from pdfingest.ocr.engine import Picture
from pdfingest.ocr.light import is_uneven

WIDTH, HEIGHT = 400, 500


def picture(shade: Callable[[int, int], float]) -> Picture:
    """A picture of some brightness, with ink on every third row."""
    pixels = bytes(
        int(shade(x, y) * (40 if y % 3 == 0 and x % 2 else 250))
        for y in range(HEIGHT)
        for x in range(WIDTH)
    )
    return Picture(pixels, WIDTH, HEIGHT, 200)


@pytest.mark.parametrize(
    ("shade", "expected"),
    [
        (lambda _x, _y: 1.0, False),
        (lambda _x, _y: 0.3, False),
        (lambda x, _y: 1.0 - 0.2 * x / WIDTH, False),
        (lambda x, _y: 1.0 - 0.6 * x / WIDTH, True),
        (lambda x, y: 0.4 if x > 300 and y < 250 else 1.0, True),
        (lambda x, y: 0.2 if x < 50 and y < 120 else 1.0, False),
    ],
    ids=["bright", "dark", "slightly", "gradient", "corner", "small picture"],
)
def test_what_is_a_shadow(shade: Callable[[int, int], float], expected: bool) -> None:
    assert is_uneven(picture(shade)) == expected


def test_a_small_picture_has_none() -> None:
    assert not is_uneven(Picture(b"\x00\xff" * 50, 10, 10, 200))
