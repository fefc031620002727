"""Of a page of ideographs, each line is taken from the surer one of two readings."""

import pytest

from pdfingest.ocr.engine import Line, Sight
from pdfingest.ocr.transcript import Transcript, transcribe
from seen import SURE, Reader, line

RIGHT = ("灯塔的看守人每天晚上都写字", "他记下天气和经过的船只数量")
WRONG = ("灯塔的看守入每天晚上都写宇", "他纪下天气和经过的般只数量")
SURER = 0.98


def _lines(texts: tuple[str, ...], dpi: float, *sure: float) -> tuple[Line, ...]:
    """Lines below each other, as they lie in a picture of so many pixels an inch."""
    em = 30 * dpi / 200
    return tuple(
        line(text, 3 * em, (3 + 2 * row) * em, em, confidence=sure[row])
        for row, text in enumerate(texts)
    )


def _texts(read: Transcript) -> list[str]:
    return ["".join(word.text for word in line.words) for line in read.lines]


def test_each_line_is_the_surer_one_and_stays_where_it_was() -> None:
    def see(dpi: float, _angle: float) -> Sight:
        if dpi == 200:
            return Sight(_lines((WRONG[0], RIGHT[1]), dpi, SURE, SURER))
        return Sight(_lines((RIGHT[0], WRONG[1]), dpi, SURER, SURE))

    reader = Reader(see)
    read = transcribe(reader.draw, reader)
    assert reader.asked == [(200, 0), (180, 0)]
    assert _texts(read) == [*RIGHT]
    assert read.confidence == pytest.approx(SURER)
    em = 30 * 72 / 200
    assert [each.size for each in read.lines] == pytest.approx([em, em])
    assert [each.words[0].left for each in read.lines] == pytest.approx([3 * em, 3 * em], abs=0.1)


@pytest.mark.parametrize(("right", "down"), [(5, 0), (0, 5)])
def test_a_surer_line_in_another_place_is_not_taken(right: float, down: float) -> None:
    def see(dpi: float, _angle: float) -> Sight:
        em = 30 * dpi / 200
        if dpi == 200:
            return Sight(_lines(RIGHT, dpi, SURE, SURE))
        place = (3 + right) * em, (3 + down) * em
        return Sight((line(WRONG[0], *place, em, confidence=SURER),))

    reader = Reader(see)
    assert _texts(transcribe(reader.draw, reader)) == [*RIGHT]


def test_lines_that_only_one_reading_has_are_those_of_the_first() -> None:
    def see(dpi: float, _angle: float) -> Sight:
        return Sight(_lines(RIGHT if dpi == 200 else WRONG[:1], dpi, SURER, SURE))

    reader = Reader(see)
    assert _texts(transcribe(reader.draw, reader)) == [*RIGHT]


def test_a_page_with_a_few_ideographs_is_read_once() -> None:
    text = ("The keeper wrote every evening 灯塔", "in a book bound with green cloth.")
    reader = Reader(lambda dpi, _angle: Sight(_lines(text, dpi, SURE, SURE)))
    transcribe(reader.draw, reader)
    assert reader.asked == [(200, 0)]


def test_a_page_that_is_turned_is_read_again_as_it_was_turned() -> None:
    def see(dpi: float, angle: float) -> Sight:
        sure = SURE if angle == 90 else 0.5
        return Sight(_lines(RIGHT, dpi, sure, sure))

    reader = Reader(see)
    assert transcribe(reader.draw, reader).turn == 90
    assert reader.asked[-2:] == [(200, 90), (180, 90)]


def test_a_surer_line_in_another_direction_is_not_taken() -> None:
    def see(dpi: float, _angle: float) -> Sight:
        if dpi == 200:
            return Sight(_lines(RIGHT, dpi, SURE, SURE))
        return Sight(tuple(each._replace(angle=270) for each in _lines(WRONG, dpi, SURER, SURER)))

    reader = Reader(see)
    assert _texts(transcribe(reader.draw, reader)) == [*RIGHT]


def test_a_page_of_which_nothing_is_sure_is_not_read_again() -> None:
    reader = Reader(lambda dpi, _angle: Sight(_lines(WRONG, dpi, 0.5, 0.5)))
    transcribe(reader.draw, reader)
    assert 180 not in [dpi for dpi, _ in reader.asked]
