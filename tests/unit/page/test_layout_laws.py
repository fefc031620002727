"""Laws of layout: no character is lost or made up, and the order is total and stable."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pdfingest.model import Format
from pdfingest.page.order import reading_order
from pdfingest.page.reading import read
from pdfingest.page.survey import NOTHING_IN_COMMON, survey_of
from pdfingest.pages import Box, Font, Page, Span
from spans import A4

WORDS = st.text(st.sampled_from("abcxyz -–•1.2)猫AB#*_|`"), min_size=1, max_size=12)
LINES = st.tuples(WORDS.filter(lambda text: not text.isspace()), st.sampled_from(["", "\ufffe"]))
NUMBERS = st.integers(0, 60).map(lambda number: number * 10.0)
SPANS = st.builds(
    lambda line, left, width, baseline, size, font, angle: Span(
        "".join(line), left, left + width, baseline, size, font, angle
    ),
    LINES,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.sampled_from([8.0, 10.0, 10.2, 16.0]),
    st.builds(Font, st.just("F"), st.booleans(), st.booleans(), st.booleans()),
    st.sampled_from([0, 0, 0, 90, 45]),
)
PAGES = st.lists(SPANS, max_size=40).map(
    lambda spans: Page("".join(span.text for span in spans), spans=tuple(spans), box=A4)
)
RULES = st.lists(
    st.builds(
        lambda x, y, length, is_flat: Box(x, y, x + length * is_flat, y + length * (not is_flat)),
        NUMBERS,
        NUMBERS,
        NUMBERS,
        st.booleans(),
    ),
    max_size=24,
)


def characters(text: str) -> Counter[str]:
    """All but white space and hyphens, which lines that are joined may lose."""
    counted = Counter(text)
    return Counter({c: n for c, n in counted.items() if not c.isspace() and c not in "-\ufffe"})


@given(st.lists(PAGES, min_size=1, max_size=4))
def test_no_character_is_lost_or_made_up(pages: list[Page]) -> None:
    survey = survey_of(pages)
    for page in pages:
        found = read(page, survey, Format.TEXT)
        assert characters(found.text + found.furniture) == characters(page.text)


@given(PAGES, RULES)
def test_markdown_loses_no_character(page: Page, rules: list[Box]) -> None:
    found = read(page._replace(rules=tuple(rules)), NOTHING_IN_COMMON, Format.MARKDOWN)
    assert not characters(page.text) - characters(found.text + "•–*+" * 40)


@given(PAGES, RULES)
def test_tables_have_nothing_twice_and_change_no_text(page: Page, rules: list[Box]) -> None:
    ruled = page._replace(rules=tuple(rules))
    found = read(ruled, NOTHING_IN_COMMON, Format.TEXT, tables=True)
    assert found.text == read(page, NOTHING_IN_COMMON, Format.TEXT).text
    cells = "".join(cell for table in found.tables for row in table.rows for cell in row)
    assert not characters(cells) - characters(page.text)


@given(PAGES)
def test_the_order_is_total_and_stable(page: Page) -> None:
    once = reading_order(page.spans)
    assert reading_order(page.spans) == once
    assert sum(len("".join(line.text.split())) for line in once) == sum(
        len("".join(span.text.split())) for span in page.spans
    )


@given(PAGES, st.sampled_from([90, 180, 270]))
def test_turning_the_page_does_not_change_its_text(page: Page, by: int) -> None:
    turned = tuple(span._replace(angle=(span.angle + by) % 360) for span in page.spans)
    texts = [
        read(Page(page.text, spans=spans), NOTHING_IN_COMMON, Format.TEXT).text
        for spans in (page.spans, turned)
    ]
    assert texts[0] == texts[1]


@given(PAGES)
def test_raw_is_what_the_engine_says(page: Page) -> None:
    assert read(page, NOTHING_IN_COMMON, Format.RAW) == page
