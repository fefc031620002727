import json

from hypothesis import given
from hypothesis import strategies as st

from pdfingest.exchange.record import DocumentFacts, encode, page_record
from pdfingest.exchange.report_line import outcome_of, report_line
from pdfingest.job import EngineSpec
from pdfingest.model import FailureKind, Format, Source
from pdfingest.outcome import Cost, Extracted, Failed, Finished, Outcome, Peak
from pdfingest.pages import INFO_NAMES, Page
from pdfingest.text import clean

ANY_TEXT = st.text(st.characters(codec=None))  # lone surrogates and NUL included
FACTS = DocumentFacts(
    id="0" * 16, source="a.pdf", sha256="0" * 64, total_pages=9,
    info=dict.fromkeys(INFO_NAMES, ""), format=Format.TEXT, engine=EngineSpec("pdfium", "m:f", "1"),
)  # fmt: skip
# Given a named tuple, `builds` makes up all its fields, such as a confidence that is no number.
PAGES = st.tuples(ANY_TEXT, st.booleans(), ANY_TEXT, st.lists(ANY_TEXT).map(tuple)).map(
    lambda read: Page(*read)
)


@given(PAGES)
def test_a_record_survives_write_and_read(page: Page) -> None:
    record = page_record(FACTS, 3, page)
    line = encode(record)
    assert line.count(b"\n") == 1
    assert json.loads(line.decode("utf-8")) == record


@given(ANY_TEXT)
def test_clean_text_is_valid_and_stays_as_it_is(text: str) -> None:
    once = clean(text)
    once.encode("utf-8")
    assert not set("\x00\ufffe\r") & set(once)
    assert clean(once) == once


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cn"))))
def test_clean_changes_nothing_that_is_clean(text: str) -> None:
    assert clean(text) == text


@given(
    st.sampled_from([None, *FailureKind]),
    st.sets(st.integers(1, 99)),
    st.integers(0, 50),
    st.floats(0, 9e3).map(lambda value: round(value, 4)),
    st.text(),
)
def test_an_outcome_comes_back_from_its_report_line(
    kind: FailureKind | None, lost: set[int], pages: int, seconds: float, message: str
) -> None:
    peak = Peak(5 << 20, 1 << 20, "VmHWM")
    cost = Cost(7, 1700000000.125, seconds, seconds, peak, 2, "SIGSEGV", "f (a.py:1)")
    failed = tuple(sorted(lost))
    message = clean(message)
    outcome: Outcome
    if pages or kind is None:
        outcome = Extracted(
            cost, "s", "e", pages, 3, 1, 2, failed, kind if lost else None, message, 99
        )
    else:
        outcome = Failed(kind, message, cost, "s", "e", failed)
    line = json.loads(json.dumps(report_line(Finished(Source("a", "/a"), outcome), "digest")))
    assert outcome_of(line) == outcome
