"""Lines become paragraphs, items, code and rows."""

from collections.abc import Sequence

import pytest

from pdfingest.model import Format
from pdfingest.page.reading import read
from pdfingest.page.survey import NOTHING_IN_COMMON, survey_of
from pdfingest.pages import Span
from spans import BOLD, EM, FIXED, column, page, span

FULL = "this line reaches to the right end of its column"
SHORT = "and this one does not."


def text_of(spans: Sequence[Span]) -> str:
    return read(page(spans), NOTHING_IN_COMMON, Format.TEXT).text


def test_lines_of_a_paragraph_are_one_line() -> None:
    assert text_of(column([FULL, FULL, SHORT])) == f"{FULL} {FULL} {SHORT}"


def test_a_gap_ends_a_paragraph() -> None:
    spans = [*column([FULL, FULL]), *column([FULL, FULL], top=140)]
    assert text_of(spans) == f"{FULL} {FULL}\n\n{FULL} {FULL}"


def test_a_line_further_in_begins_a_paragraph() -> None:
    spans = column([FULL, FULL, FULL[5:], FULL])
    spans[2] = spans[2]._replace(left=75, right=290)
    assert text_of(spans) == f"{FULL} {FULL}\n\n{FULL[5:]} {FULL}"


def test_a_short_line_ends_a_paragraph() -> None:
    assert text_of(column([FULL, SHORT, FULL, SHORT])) == f"{FULL} {SHORT}\n\n{FULL} {SHORT}"


def test_a_line_of_justified_text_that_ends_early_ends_a_paragraph() -> None:
    early = FULL[: len(FULL) * 4 // 5].rstrip()
    spans = column([FULL, FULL, FULL, early, FULL, FULL])
    assert text_of(spans) == f"{FULL} {FULL} {FULL} {early}\n\n{FULL} {FULL}"


def test_lines_that_merely_end_where_they_like_are_no_paragraphs() -> None:
    lines = [f"{FULL} now", FULL, f"{FULL} even", FULL[:-7], f"{FULL} more", SHORT]
    assert text_of(column(lines)) == " ".join(lines)


@pytest.mark.parametrize("other", [{"size": 2 * EM}, {"font": BOLD}], ids=["larger", "bold"])
def test_what_looks_different_is_a_paragraph_of_its_own(other: dict) -> None:  # type: ignore[type-arg]
    spans = [span("Heading", **other), *column([FULL, SHORT], top=112)]
    assert text_of(spans) == f"Heading\n\n{FULL} {SHORT}"


def test_a_paragraph_goes_on_in_the_next_column() -> None:
    lines = [f"left column, its line of text {n}" for n in range(4)]
    more = [f"right column, its line of text {n}" for n in range(4)]
    assert text_of([*column(lines), *column(more, left=300)]) == " ".join([*lines, *more])


def test_footnotes_come_after_the_text_that_goes_on_in_the_next_column() -> None:
    note = span("1 A note at the foot of it.", baseline=200, size=7)
    lines = [f"left column, its line of text {n}" for n in range(4)]
    more = [f"right column, its line of text {n}" for n in range(4)]
    spans = [*column(lines), note, *column(more, left=300)]
    assert text_of(spans) == f"{' '.join([*lines, *more])}\n\n{note.text}"


@pytest.mark.parametrize("mark", ["•", "–", "1.", "(a)", "12)"])
def test_items_are_blocks_of_their_own(mark: str) -> None:
    lines = [f"{mark} {FULL}", f"{mark} {SHORT}", f"{mark} {FULL}"]
    assert text_of(column(lines)) == "\n\n".join(lines)


def test_code_keeps_its_lines() -> None:
    code = [each._replace(font=FIXED) for each in column(["def f():", "return 1"])]
    assert text_of([*column([FULL] * 3, top=50), *code]).endswith("def f():\nreturn 1")


def test_text_in_a_font_of_one_width_is_no_code_where_all_text_is() -> None:
    letter = [each._replace(font=FIXED) for each in column([FULL, FULL, SHORT])]
    assert text_of(letter) == f"{FULL} {FULL} {SHORT}"


def test_rows_keep_their_lines() -> None:
    rows = [[span(name, 50, y), span(number, 200, y)]
            for y, name, number in ((100, "North", "12"), (112, "South", "7"))]  # fmt: skip
    assert text_of([each for row in rows for each in row]) == "North\t12\nSouth\t7"


def test_one_wide_space_in_a_justified_line_makes_no_row() -> None:
    wide = [span("wide", 50, 112), span("space", 290 - 25, 112)]
    spans = [*column([FULL[:48]]), *wide, *column([FULL[:48]], top=124)]
    assert text_of(spans) == f"{FULL[:48]} wide space {FULL[:48]}"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (
            ["a word that ends in the mid\ufffe", "dle of it"],
            "a word that ends in the middle of it",
        ),
        (["the self-evident and self\ufffe", "evident"], "the self-evident and self-evident"),
        (["a state-of\ufffe", "the-art machine"], "a state-of-the-art machine"),
        (["the Nord\ufffe", "Süd line"], "the Nord-Süd line"),
        (["in the years 1914\ufffe", "1918 of war"], "in the years 1914-1918 of war"),
        (["it was broken off-", "hand, as ever"], "it was broken offhand, as ever"),
        (["ein Zeichen \ufffe", "und mehr"], "ein Zeichen -und mehr"),
    ],
)
def test_a_hyphen_at_a_line_end_is_kept_where_it_is_the_words_own(
    lines: list[str], text: str
) -> None:
    assert text_of(column(lines)) == text


def test_hyphens_are_the_words_own_where_hardly_any_line_ends_with_one() -> None:
    lines = [FULL] * 50 + ["it was an auto\ufffe", "symlinked folder"]
    assert text_of(column(lines, step=12)).endswith("an auto-symlinked folder")


def test_a_word_that_stands_elsewhere_whole_is_joined_though_its_parts_are_words() -> None:
    lines = ["we understand that we stand under it, and under\ufffe", "stand it well."]
    assert "and understand it well" in text_of(column(lines))


def test_lines_of_scripts_without_spaces_are_joined_without_one() -> None:
    assert text_of(column(["吾輩は猫である名前はまだ無い", "どこで生れたか"])) == (
        "吾輩は猫である名前はまだ無いどこで生れたか"
    )


def furnished(number: int, head: str = "The Known Quarterly") -> list[Span]:
    """A page with a running head and a page number."""
    return [
        span(head, 200, 40, size=8),
        *column([f"{FULL} {number}", SHORT], top=80),
        span(f"page {number}", 250, 810, size=8),
    ]


def test_what_stands_on_page_after_page_is_furniture() -> None:
    pages = [page(furnished(number)) for number in range(1, 5)]
    found = read(pages[2], survey_of(pages), Format.TEXT)
    assert found.text == f"{FULL} 3 {SHORT}"
    assert found.furniture == "The Known Quarterly\npage 3"


def test_heads_that_change_with_the_chapter_are_furniture_if_they_stand_apart() -> None:
    heads = ["Plants", "Plants", "Animals", "Animals", "Ducks"]
    pages = [page(furnished(number, head)) for number, head in enumerate(heads, 1)]
    assert read(pages[4], survey_of(pages), Format.TEXT).furniture == "Ducks\npage 5"


def test_a_first_line_that_looks_like_the_text_is_text() -> None:
    pages = [
        page([span(f"Page {n} of a letter", 50, 60), *column([FULL, SHORT])]) for n in (1, 2, 3)
    ]
    assert read(pages[0], survey_of(pages), Format.TEXT).furniture == ""


def test_a_page_is_never_all_furniture() -> None:
    pages = [page([span(f"page {number}", 250, 40)]) for number in range(1, 4)]
    assert read(pages[0], survey_of(pages), Format.TEXT).text == "page 1"


def test_what_is_repeated_in_the_text_is_no_furniture() -> None:
    same = "This line begins the text of every page."
    pages = [page(column([same, f"{FULL} {n}", SHORT], top=80)) for n in range(1, 5)]
    assert read(pages[0], survey_of(pages), Format.TEXT).furniture == ""


def test_what_is_repeated_just_above_the_text_is_no_furniture() -> None:
    name = span("Minutes of the meeting", 60, 88, font=BOLD)
    pages = [page([name, *column([f"{FULL} {n}", SHORT], top=100)]) for n in range(1, 5)]
    assert read(pages[0], survey_of(pages), Format.TEXT).furniture == ""


def test_what_is_repeated_in_the_middle_of_pages_is_no_furniture() -> None:
    pages = [page([span(f"Slide {n}", 50, 60), span("Questions?", 250, 420)]) for n in range(1, 5)]
    assert "Questions?" in read(pages[0], survey_of(pages), Format.TEXT).text


def test_ligatures_are_letters_and_characters_are_composed() -> None:
    assert text_of([span("the o\ufb03ce of A\u0308rzte")]) == "the office of \u00c4rzte"


def test_headings_that_follow_each_other_stay_apart() -> None:
    heads = [
        span("1.3.2 The role of users", 50, 100, 12, BOLD),
        span("Reporting", 50, 128, 12, BOLD),
    ]
    more = [span("1.3.3 Teams", 50, 200, 12, BOLD), span("Blends", 50, 228, 12, BOLD)]
    text = text_of([*heads, *column([FULL, SHORT], top=150), *more, *column([FULL], top=250)])
    assert text.startswith("1.3.2 The role of users\n\nReporting\n\n")


def test_lines_with_much_room_between_them_are_a_paragraph() -> None:
    lines = [FULL] * 8 + [SHORT]
    assert text_of(column(lines, step=24)) == " ".join(lines)
