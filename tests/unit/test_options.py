import pytest

from pdfingest import IngestOptions, Unit
from pdfingest.errors import ExitCode, PdfingestError
from pdfingest.extract.registry import find_engines
from pdfingest.options import options_digest


@pytest.mark.parametrize("workers", [0, -1, 513])
def test_a_number_of_workers_that_cannot_be_is_a_usage_error(workers: int) -> None:
    with pytest.raises(PdfingestError, match="workers") as caught:
        IngestOptions(workers=workers)
    assert caught.value.exit_code is ExitCode.USAGE


def test_the_digest_holds_what_changes_the_text_and_nothing_else() -> None:
    auto, pypdf = find_engines("auto"), find_engines("pypdf")
    base = options_digest(IngestOptions(), auto)
    assert options_digest(IngestOptions(workers=3, output="x", passwords=("p",)), auto) == base
    assert options_digest(IngestOptions(unit=Unit.DOCUMENT), auto) != base
    assert options_digest(IngestOptions(), pypdf) != base


def test_an_unknown_engine_is_named_with_those_that_are_known() -> None:
    with pytest.raises(PdfingestError, match=r"nonsuch.*auto, pdfium, pypdf.*faulty") as caught:
        find_engines("nonsuch")
    assert caught.value.exit_code is ExitCode.ENVIRONMENT
