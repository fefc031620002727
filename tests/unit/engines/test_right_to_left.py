"""Words that are read from the right come in the order in which they are read."""

import pytest

from pdfingest.engines.right_to_left import righted

LAM, ALEF, BEH, DAL, WAW, YEH = "\u0644\u0627\u0628\u062f\u0648\u064a"


def falling(text: str, start: float = 100) -> list[float]:
    """Where letters stand that are read from the right."""
    return [start - 5.0 * n for n in range(len(text))]


def test_a_word_that_is_in_order_stays_as_it_is() -> None:
    word = YEH + WAW + LAM + DAL
    assert righted(word, falling(word)) == word


def test_a_word_whose_letters_rise_is_turned() -> None:
    word = YEH + WAW + LAM + DAL
    turned = word[::-1]
    assert righted(f"{word} {turned}", [*falling(word), 80, *falling(word, 70)[::-1]]) == (
        f"{word} {word}"
    )


def test_the_letters_of_a_ligature_that_were_reversed_are_turned() -> None:
    word = BEH + ALEF + LAM  # read: beh, lam-alef
    assert righted(word, [100, 95, 95]) == BEH + LAM + ALEF


def test_marks_follow_their_letter() -> None:
    word = BEH + YEH + "\u064e"
    assert righted(word, [100, 95, 95]) == word


def test_a_full_stop_at_the_left_end_comes_last() -> None:
    words = f". {BEH}{YEH} {DAL}{WAW}"
    assert righted(words, [10, 15, 100, 95, 92, 80, 75]) == f"{BEH}{YEH} {DAL}{WAW}."


@pytest.mark.parametrize("text", ["a plain line.", "1. first", ""])
def test_what_is_read_from_the_left_is_left_alone(text: str) -> None:
    assert righted(text, [5.0 * n for n in range(len(text))]) == text
