"""What a child says is believed as far as it has the form of an answer to its job."""

import json
import pickle
from typing import Any

import pytest

from pdfingest.exchange.answer import Answer, NotAnAnswer, decoded, encoded
from pdfingest.job import EngineSpec, Job, Limits, PageRange, Sandbox
from pdfingest.model import FailureKind, Source, Unit
from pdfingest.outcome import Cost, EnvironmentFailure, Extracted, Failed, Halted, Peak, Unchanged

SHA256 = "ab" * 32
COST = Cost(7, 1.5, 2.5, 0.5, Peak(3, 2, "VmHWM"))
EXTRACTED = Extracted(
    COST, SHA256, "pdfium", 3, 100, 1, 1, (2, 5), FailureKind.CRASHED, "it died", 5
)  # fmt: skip
UNCHANGED = Unchanged(SHA256, "pdfium", 3, 100, 1, 0, (), 3)
JOB = Job(
    Source("a.pdf", "/a.pdf"), (EngineSpec("pdfium", "m:f", "1"), EngineSpec("pypdf", "m:f", "1")),
    (), Unit.PAGE, Limits(1 << 30, 1 << 30, 1_000_000), "spool", Sandbox.AUTO, earlier=UNCHANGED,
)  # fmt: skip


@pytest.mark.parametrize(
    "answer",
    [
        EXTRACTED,
        EXTRACTED._replace(failed_pages=tuple(range(1, 100_001)), last_page=100_003),
        Failed(FailureKind.ENCRYPTED, "no password", COST, engine="pypdf"),
        UNCHANGED._replace(cost=COST),
        Halted("no memory", COST),
        EnvironmentFailure("spool", "the disk is full"),
    ],
)
def test_an_answer_arrives_as_it_was(answer: Answer) -> None:
    assert decoded(encoded(answer), JOB) == answer


def with_field(name: str, value: Any) -> bytes:
    """The encoding of a good answer in which a field has another value."""
    kind, values = json.loads(encoded(EXTRACTED))
    fields = dict(zip(Extracted._fields, values, strict=True))
    return json.dumps([kind, [*{**fields, name: value}.values()]]).encode()


FORGED = {
    "nothing": b"",
    "no JSON": b"[",
    "no list": b"7",
    "not UTF-8": b'["Extracted", "\xff"]',
    "a pickle": pickle.dumps(EXTRACTED),
    "nested without end": b"[" * 100_000,
    "another class": b'["Source", ["a", "b", 0, 0, ""]]',
    "no class": b'["Nothing", []]',
    "a text for a number": with_field("pages", "3"),
    "a boolean for a number": with_field("pages", value=True),
    "a number below 0": with_field("pages", -1),
    "a number that no column holds": with_field("chars", 1 << 63),
    "a fraction for a number": with_field("chars", 1.5),
    "a number for a text": with_field("message", 7),
    "a text without end": with_field("message", "x" * 1_000_000),
    "null for a text": with_field("message", None),
    "no kind of failure": with_field("failure", "bad luck"),
    "a list for a text": with_field("engine", ["pdfium"]),
    "an engine that is not the job's": with_field("engine", "other"),
    "no hash": with_field("sha256", "../../etc"),
    "a hash in capitals": with_field("sha256", "AB" * 32),
    "lost pages out of order": with_field("failed_pages", [5, 2]),
    "a lost page twice": with_field("failed_pages", [2, 2]),
    "page 0": with_field("failed_pages", [0]),
    "lost pages that are texts": with_field("failed_pages", ["1"]),
    "more pages than are allowed": with_field("last_page", 2_000_000),
    "a field too many": with_field("more", 1),
    "a cost that is none": with_field("cost", []),
    "an endless time": with_field("cost", [7, 1.5, float("inf"), 0.5, [3, 2, ""], 1, "", ""]),
    "a time that is no number": with_field("cost", [7, float("nan"), 1, 1, [3, 2, ""], 1, "", ""]),
    "a time before all time": with_field("cost", [7, -1.0, 1, 1, [3, 2, ""], 1, "", ""]),
    "attempts of others": with_field("cost", [7, 1.5, 2.5, 0.5, [3, 2, ""], 9, "", ""]),
    "a signal of others": with_field("cost", [7, 1.5, 2.5, 0.5, [3, 2, ""], 1, "SIGKILL", ""]),
    "unchanged, but not as it was": encoded(UNCHANGED._replace(pages=9, cost=COST)),
    "unchanged, of another content": encoded(UNCHANGED._replace(sha256="cd" * 32)),
}


@pytest.mark.parametrize("data", FORGED.values(), ids=FORGED)
def test_what_is_no_answer_to_the_job_is_not_believed(data: bytes) -> None:
    answer = decoded(data, JOB)
    assert isinstance(answer, NotAnAnswer)
    assert "its child sent what is no answer" in answer.message


def test_unchanged_is_no_answer_where_no_earlier_run_ingested_anything() -> None:
    answer = decoded(encoded(UNCHANGED), JOB._replace(earlier=None))
    assert isinstance(answer, NotAnAnswer)


def test_lost_pages_are_of_the_range_that_was_asked_for() -> None:
    part = JOB._replace(pages=PageRange(3, 6))
    good = EXTRACTED._replace(failed_pages=(3, 6))
    assert decoded(encoded(good), part) == good
    for lost in ((2,), (7,)):
        answer = decoded(encoded(EXTRACTED._replace(failed_pages=lost)), part)
        assert isinstance(answer, NotAnAnswer)
