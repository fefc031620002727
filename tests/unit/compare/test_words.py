"""How texts differ is told by their words, and their order apart from it."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pdfingest.compare.words import Difference, difference, words_of

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h"]), max_size=30)


@given(WORDS)
def test_the_same_text_does_not_differ(words: list[str]) -> None:
    found = difference(words, words)
    assert (found.only, found.share, found.order) == ((0, 0), 0.0, 1.0)


@given(WORDS, st.randoms(use_true_random=False))
def test_another_order_changes_the_order_alone(words: list[str], draw: Random) -> None:
    moved = [*words]
    draw.shuffle(moved)
    found = difference(words, moved)
    assert found.only == (0, 0)
    assert 0 <= found.in_order <= found.told


@given(WORDS, WORDS)
def test_the_other_way_round_is_the_same(one: list[str], other: list[str]) -> None:
    there, back = difference(one, other), difference(other, one)
    assert there.only == back.only[::-1]
    assert there.words == back.words[::-1]
    assert (there.told, there.in_order) == (back.told, back.in_order)


@given(WORDS, WORDS)
def test_what_only_one_has_is_what_makes_them_the_same(one: list[str], other: list[str]) -> None:
    found = difference(one, other)
    assert len(one) - found.only[0] == len(other) - found.only[1], "what both have is one number"


def test_the_longest_run_in_order_counts() -> None:
    found = difference(["a", "b", "c", "d", "e"], ["b", "c", "a", "d", "e"])
    assert (found.told, found.in_order) == (5, 4)


def test_differences_add_up() -> None:
    one = difference(["a", "b"], ["a"])
    other = difference(["c"], ["d", "e"])
    assert one.plus(other) == Difference((3, 3), (2, 2), 1, 1)
    assert one.plus(other).share == 4 / 6


def test_words_are_those_of_people() -> None:
    assert words_of("Über 3,5 km, 中文 don't") == ["über", "3", "5", "km", "中", "文", "don", "t"]
