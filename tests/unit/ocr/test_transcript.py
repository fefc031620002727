"""How often a page is drawn, and how, until it is read."""

import math
from functools import partial

import pytest

from pdfingest.ocr.engine import Line, Sight, Word
from pdfingest.ocr.transcript import transcribe
from seen import PAGE, SURE, UNSURE, Reader, sight

TEXT = ("The keeper wrote every evening", "in a book bound with green cloth.")


def _always(seen: Sight, _dpi: float, _angle: float) -> Sight:
    return seen


def upright_at(turn: float) -> Reader:
    """A page that must be turned to be read."""
    return Reader(
        lambda _dpi, angle: sight(TEXT, confidence=SURE if angle % 360 == turn else UNSURE)
    )


def test_an_upright_page_is_drawn_once() -> None:
    reader = Reader(lambda _dpi, _angle: sight(TEXT, skew=0.4))
    read = transcribe(reader.draw, reader)
    assert reader.asked == [(200, 0)]
    assert (read.width, read.height) == pytest.approx(PAGE, abs=0.5)
    assert read.turn == 0
    assert read.confidence == pytest.approx(SURE)
    texts = [" ".join(word.text for word in line.words) for line in read.lines]
    assert texts == [*TEXT]


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_that_cannot_be_read_is_turned(turn: int) -> None:
    reader = upright_at(turn)
    read = transcribe(reader.draw, reader)
    assert read.turn == turn
    assert reader.asked[-1:] == [(200, turn)]
    assert read.confidence == pytest.approx(SURE)
    width, height = PAGE if turn == 180 else PAGE[::-1]
    assert (read.width, read.height) == pytest.approx((width, height), abs=0.5)


def test_a_page_on_its_side_is_read_upright_even_if_the_engine_can_read_it() -> None:
    def see(_dpi: float, angle: float) -> Sight:
        found = sight(TEXT)
        lines = [line._replace(angle=270 if angle == 0 else 0) for line in found.lines]
        return Sight(tuple(lines))

    reader = Reader(see)
    assert transcribe(reader.draw, reader).turn == 270
    assert reader.asked == [(200, 0), (200, 270)]


def test_a_page_that_no_turn_makes_better_is_no_text() -> None:
    reader = Reader(lambda _dpi, _angle: sight(TEXT, confidence=UNSURE))
    read = transcribe(reader.draw, reader)
    assert [angle for _, angle in reader.asked] == [0, 180, 90, 270]
    assert (read.lines, read.confidence, read.turn) == ((), 0.0, 0)


def test_specks_and_blank_pages_are_not_turned() -> None:
    for seen in (sight(()), sight(["a"], confidence=UNSURE), sight(["."] * 30, confidence=UNSURE)):
        reader = Reader(partial(_always, seen))
        assert transcribe(reader.draw, reader).lines == ()
        assert reader.asked == [(200, 0)]


def test_a_page_askew_is_drawn_straight() -> None:
    reader = Reader(lambda _dpi, angle: sight(TEXT if angle else TEXT[:1], skew=3.0 - angle))
    read = transcribe(reader.draw, reader)
    assert reader.asked == [(200, 0), (200, 3)]
    assert len(read.lines) == 2


def test_a_page_askew_that_is_read_worse_when_straight_is_kept() -> None:
    reader = Reader(lambda _dpi, angle: sight(TEXT[:1] if angle else TEXT, skew=3.0))
    assert len(transcribe(reader.draw, reader).lines) == 2


def test_text_askew_of_which_only_the_skew_is_seen_is_drawn_straight() -> None:
    reader = Reader(lambda _dpi, angle: sight(TEXT) if angle else Sight((), -4.0))
    assert len(transcribe(reader.draw, reader).lines) == 2
    assert reader.asked == [(200, 0), (200, -4)]


def test_what_rises_a_little_is_made_straight_without_being_drawn_again() -> None:
    slope = math.tan(math.radians(1))
    lines = [
        Line((Word("left" * 3, 100, 980, 200, 1000, SURE),), 1000, 30),
        Line(
            (Word("right" * 3, 1500, 980 - 1400 * slope, 1600, 1000 - 1400 * slope, SURE),), 0, 30
        ),
    ]
    lines[1] = lines[1]._replace(baseline=1000 - 1400 * slope)
    reader = Reader(lambda _dpi, _angle: Sight(tuple(lines), 1.0))
    left, right = transcribe(reader.draw, reader).lines
    assert left.baseline == pytest.approx(right.baseline, abs=0.1)
    assert len(reader.asked) == 1


def test_a_line_on_its_side_is_made_straight_around_the_same_middle() -> None:
    # The page is 1653 by 2339 pixels; a point in its middle must stay there.
    word = Word("vertical" * 2, 816.5, 1069.5, 836.5, 1269.5, SURE)
    seen = Line((word,), -826.5, 30, 270)
    other = sight(TEXT * 3).lines
    reader = Reader(lambda _dpi, _angle: Sight((*other, seen), 1.4))
    found = transcribe(reader.draw, reader).lines[-1]
    assert found.baseline == pytest.approx(-826.5 * 72 / 200, abs=0.1)


def test_small_letters_that_are_read_badly_are_drawn_larger() -> None:
    def see(dpi: float, _angle: float) -> Sight:
        lines = sight(TEXT, confidence=0.75 if dpi == 200 else SURE).lines
        return Sight(tuple(line._replace(size=20 * dpi / 200) for line in lines))

    reader = Reader(see)
    read = transcribe(reader.draw, reader)
    assert reader.asked == [(200, 0), (400, 0)]
    assert read.confidence == pytest.approx(SURE)
    assert read.lines[0].size == pytest.approx(7.2)
