"""Lines of text are told from photos, drawings and textures by the shape of their ink."""

import random
from collections.abc import Callable

import pytest
from PIL import Image, ImageDraw, ImageOps

from pdfingest.engines.ink_pieces import Piece, pieces_of
from pdfingest.engines.text_lines import Picture, letters_of, text_lines
from pictures import photo, scanned, sentences, typeset, words_image, worn

LETTER = scanned(typeset(sentences(1, 12), "Times", 11), 110)


def seen(picture: Image.Image) -> int:
    """About how many letters a picture shows."""
    return letters_of(text_lines(Picture(*picture.size, picture.convert("L").tobytes())))


def ruled() -> Image.Image:
    picture = Image.new("L", (600, 800), 255)
    for y in range(20, 800, 20):
        ImageDraw.Draw(picture).line((20, y, 580, y), fill=0)
    return picture


def scattered() -> Image.Image:
    picture, draw = Image.new("L", (600, 800), 255), random.Random(1)
    for _ in range(400):
        x, y = draw.randrange(590), draw.randrange(790)
        ImageDraw.Draw(picture).ellipse((x, y, x + 8, y + 8), fill=0)
    return picture


TEXTS: dict[str, Callable[[], Image.Image]] = {
    "black on white": lambda: LETTER,
    "white on black": lambda: ImageOps.invert(LETTER),
    "on gray paper": lambda: worn(LETTER, 1),
    "sideways": lambda: LETTER.rotate(90, expand=True),
    "upside down": lambda: LETTER.rotate(180),
    "askew": lambda: LETTER.rotate(3, fillcolor=255),
}
OTHERS: dict[str, Callable[[], Image.Image]] = {
    "nothing": lambda: Image.new("L", (600, 800), 255),
    "a photo": lambda: photo(1),
    "noise": lambda: Image.frombytes("L", (600, 800), random.Random(1).randbytes(480_000)),
    "rules": ruled,
    "dots": scattered,
    "one word": lambda: words_image("Harbour", 600, 200),
    "a pixel": lambda: Image.new("L", (1, 1), 0),
}


@pytest.mark.parametrize("make", TEXTS.values(), ids=TEXTS)
def test_text_is_seen(make: Callable[[], Image.Image]) -> None:
    assert 300 < seen(make()) < 1500, "the page has 580 letters"


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_what_is_no_text_is_not(make: Callable[[], Image.Image]) -> None:
    assert seen(make()) < 10


def test_a_line_is_where_it_stands() -> None:
    picture = Image.new("L", (800, 400), 255)
    picture.paste(words_image("a harbour with two piers", 500, 80, 24), (200, 100))
    (line,) = text_lines(Picture(*picture.size, picture.tobytes()))
    assert 200 <= line.left < 260
    assert 100 <= line.top < line.bottom <= 180


def test_pieces_touch_at_corners_and_join_late() -> None:
    drawn = ["x.x..x", "x.x...", "xxx..x"]
    rows = [bytes(character == "x" for character in row) for row in drawn]
    assert sorted(pieces_of(rows)) == [
        Piece(0, 0, 3, 3, 7), Piece(5, 0, 6, 1, 1), Piece(5, 2, 6, 3, 1)
    ]  # fmt: skip
    assert pieces_of([b"\1\0", b"\0\1"]) == [Piece(0, 0, 2, 2, 2)]
