import json

import pytest

from pdfingest.errors import ExitCode
from pdfingest.model import FailOn, FailureKind, Source
from pdfingest.options import IngestOptions
from pdfingest.outcome import Cost, Extracted, Failed, Finished, Outcome, Peak
from pdfingest.output.summary import SHOWN_FAILURES, Summary

OK = Extracted(Cost(peak=Peak(100, 50, "VmHWM")), "", "pdfium", pages=2, chars=5, needs_ocr_pages=1)
PARTIAL = Extracted(
    Cost(), "", "pdfium", 1, 1, 0, failed_pages=(2,), failure=FailureKind.ENGINE_ERROR
)
FAILED = Failed(FailureKind.MALFORMED, "broken")


def folded(*outcomes: Outcome) -> Summary:
    summary = Summary()
    for number, outcome in enumerate(outcomes):
        summary.add(Finished(Source(f"{number}.pdf", ""), outcome))
    summary.end(None)
    return summary


def test_the_exit_code_is_judged_by_what_the_user_calls_a_failure() -> None:
    assert folded(OK).exit_code(IngestOptions(fail_on=FailOn.ANY)) is ExitCode.OK
    assert folded(OK, PARTIAL).exit_code(IngestOptions(fail_on=FailOn.ANY)) is ExitCode.SOME_FAILED
    assert folded(OK, PARTIAL).exit_code(IngestOptions(fail_on=FailOn.FAILED)) is ExitCode.OK
    assert folded(FAILED).exit_code(IngestOptions(fail_on=FailOn.FAILED)) is ExitCode.SOME_FAILED
    assert folded(FAILED).exit_code(IngestOptions(fail_on=FailOn.NEVER)) is ExitCode.OK


def test_an_interrupt_goes_before_failures() -> None:
    summary = folded(FAILED)
    summary.end(ExitCode.INTERRUPTED)
    assert summary.exit_code(IngestOptions(fail_on=FailOn.NEVER)) is ExitCode.INTERRUPTED


def test_pages_and_losses_are_counted() -> None:
    content = json.loads(json.dumps(folded(OK, PARTIAL, FAILED).to_json()))
    assert (content["ok"], content["partial"], content["failed"]) == (1, 1, 1)
    assert (content["pages"], content["pages_failed"], content["needs_ocr_pages"]) == (3, 1, 1)
    assert content["failures"]["malformed"] == 1
    assert content["peak_rss_bytes"]["max"] == 100
    assert content["peak_rss_bytes"]["max_source"] == "0.pdf"


@pytest.mark.parametrize(
    ("output_mib", "live_mib", "is_worth"),
    [(0, 0, False), (100, 36, True), (100, 37, False), (200, 100, False), (200, 99, True)],
)
def test_outputs_are_worth_compacting_once_most_of_them_is_old_and_that_is_much(
    output_mib: int, live_mib: int, is_worth: bool
) -> None:
    summary = Summary(output_bytes=output_mib << 20, live_bytes=live_mib << 20)
    assert summary.is_worth_compacting == is_worth


def test_only_the_first_losses_are_kept_by_name() -> None:
    summary = folded(*[FAILED] * (SHOWN_FAILURES + 5))
    assert len(summary.losses) == SHOWN_FAILURES
    assert summary.failed == SHOWN_FAILURES + 5
