"""Markdown shows what the page does, and nothing of its text reads as Markdown by chance."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdfingest.model import Format
from pdfingest.page.markdown import escaped
from pdfingest.page.reading import read
from pdfingest.page.survey import NOTHING_IN_COMMON
from pdfingest.pages import Font, Span, Title
from spans import BOLD, FIXED, REGULAR, column, page, span

TEXT = ["this line reaches to the right end of its column", "and this one does not."] * 3


def markdown(spans: Sequence[Span]) -> str:
    body = column(TEXT, top=600)
    found = read(page([*spans, *body]), NOTHING_IN_COMMON, Format.MARKDOWN).text
    return found.partition("\n\nthis line")[0]


def test_headings_have_levels_by_their_size() -> None:
    spans = [span("Title", size=20), span("Section", baseline=150, size=14)]
    assert (
        markdown([*spans, span("Next", baseline=180, size=14)])
        == "# Title\n\n## Section\n\n## Next"
    )


def test_a_bold_line_is_a_heading_below_those_that_are_larger() -> None:
    spans = [span("Section", size=14), span("Methods", baseline=150, font=BOLD)]
    assert markdown(spans) == "# Section\n\n## Methods"


@pytest.mark.parametrize("text", ["A bold sentence ends like this.", "word " * 50, "1 234"])
def test_not_all_that_is_bold_is_a_heading(text: str) -> None:
    assert not markdown([span(text.strip(), font=BOLD)]).startswith("#")


ITALIC = Font("Serif-Italic", is_italic=True)
BOTH = Font("Serif-BoldItalic", is_bold=True, is_italic=True)


@pytest.mark.parametrize(("font", "mark"), [(BOLD, "**"), (ITALIC, "*"), (BOTH, "***")])
def test_a_paragraph_that_is_emphasized_is_marked(font: Font, mark: str) -> None:
    text = "All of this is said with some emphasis, and ends like this."
    assert markdown([span(text, font=font)]) == f"{mark}{text}{mark}"


def test_emphasis_that_is_not_of_the_whole_paragraph_is_left_out() -> None:
    lines = [each._replace(font=ITALIC) for each in column(TEXT[:2])]
    lines[1] = lines[1]._replace(font=REGULAR)
    assert markdown(lines) == " ".join(TEXT[:2])


def test_lists_are_lists_within_lists() -> None:
    items = [
        span("• fruit", 60, 100),
        span("– apples", 80, 112),
        span("• wood", 60, 124),
    ]
    assert markdown(items) == "- fruit\n   - apples\n- wood"


def test_numbers_of_items_are_kept() -> None:
    assert markdown(column(["1. sow it", "2. count it", "(a) twice"])) == (
        "1. sow it\n2. count it\n- (a) twice"
    )


def test_code_is_fenced_and_indented_and_has_its_blank_lines() -> None:
    code = [
        span("if a:", 50, 100, font=FIXED),
        span("b = '```'", 70, 112, font=FIXED),
        span("c()", 50, 136, font=FIXED),
    ]
    assert markdown(code) == "````\nif a:\n    b = '```'\n\nc()\n````"


def test_rows_with_as_many_cells_are_a_table() -> None:
    rows = [[span(name, 50, y), span(number, 200, y)]
            for y, name, number in ((100, "Region", "a|b"), (112, "South", "7"))]  # fmt: skip
    assert markdown([each for row in rows for each in row]) == (
        "| Region | a\\|b |\n| --- | --- |\n| South | 7 |"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# no heading", r"\# no heading"),
        ("1859. A year", r"1859\. A year"),
        ("- a dash", r"\- a dash"),
        ("*stars* and _lines_", r"\*stars\* and \_lines\_"),
        ("a <b> & &amp; [c](d)", r"a \<b\> & \&amp; \[c\](d)"),
        ("plain, quite plain: 3.5 - 2", "plain, quite plain: 3.5 - 2"),
        ("---", r"\---"),
    ],
)
def test_what_is_markdown_s_own_is_escaped(text: str, expected: str) -> None:
    assert escaped(text) == expected


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_escaping_adds_nothing_but_backslashes(text: str) -> None:
    marked = escaped(text)
    rest = iter(marked)
    assert all(character in rest for character in text)
    assert len(marked) - len(text) == marked.count("\\") - text.count("\\")


def linked_to(spans: Sequence[Span], *links: tuple[str, str]) -> str:
    """Markdown of a page with links, each by its text and its target."""
    found = page([*spans, *column(TEXT, top=600)])._replace(
        link_texts=tuple(text for text, _ in links),
        links=tuple(target for _, target in links),
    )
    return read(found, NOTHING_IN_COMMON, Format.MARKDOWN).text.partition("\n\nthis line")[0]


def test_a_link_stands_where_its_text_does() -> None:
    spans = column(["See the harbour", "office for more."])
    assert linked_to(spans, ("harbour\r\noffice", "https://example.org/a b")) == (
        "See the [harbour office](<https://example.org/ab>) for more."
    )


@pytest.mark.parametrize("text", ["", "not on the page", "(["])
def test_a_link_whose_text_is_not_there_is_left_out(text: str) -> None:
    assert linked_to([span("See here.")], (text, "https://example.org")) == "See here."


def test_links_do_not_stand_within_each_other() -> None:
    links = [("the harbour", "a:<1>"), ("harbour", "a:2"), ("office", "a:3")]
    assert linked_to([span("See the harbour office")], *links) == (
        "See [the harbour](<a:%3C1%3E>) [office](<a:3>)"
    )


def test_links_of_one_text_stand_one_after_the_other_and_never_in_code() -> None:
    code = span("see here", 50, 100, font=FIXED)
    text = span("See here, and here.", 50, 160)
    assert linked_to([code, text], ("here", "a:1"), ("here", "a:2")) == (
        "```\nsee here\n```\n\nSee [here](<a:1>), and [here](<a:2>)."
    )


def test_a_thousand_links_of_one_text_take_no_time() -> None:
    words, links = " ".join(["here"] * 1000), [("here", f"a:{n}") for n in range(1000)]
    begin = time.process_time()
    assert linked_to([span(words)], *links).endswith(" [here](<a:999>)")
    assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    ("titles", "expected"),
    [
        ([("1 The Keeper", 2)], "## 1 The keeper"),
        ([("the  keeper", 1)], "1 The keeper"),
        ([("", 1), ("1 The keeper", 99)], "###### 1 The keeper"),
    ],
)
def test_what_the_outline_names_is_a_heading(titles: list[tuple[str, int]], expected: str) -> None:
    found = page([span("1 The keeper"), *column(TEXT, top=600)])._replace(
        titles=tuple(Title(text, level) for text, level in titles),
    )
    text = read(found, NOTHING_IN_COMMON, Format.MARKDOWN).text
    assert text.partition("\n\nthis line")[0] == expected


def test_an_item_of_a_list_is_no_heading_though_the_outline_names_it() -> None:
    found = page([span("• sow"), *column(TEXT, top=600)])._replace(titles=(Title("sow", 1),))
    assert read(found, NOTHING_IN_COMMON, Format.MARKDOWN).text.startswith("- sow")
