import sys

import pytest
from pdfingest.isolation.rehearsal import rehearse

from pdfingest.engines.registry import find_engines
from pdfingest.model import Extracted

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="files without a name")


@pytest.mark.parametrize("engine", ["pdfium", "pypdf", "pdfplumber"])
def test_each_built_in_engine_can_be_rehearsed(engine: str) -> None:
    (spec,) = find_engines(engine)
    outcomes = rehearse(spec.module)
    assert len(outcomes) > 1
    for outcome in outcomes:
        assert isinstance(outcome, Extracted)
        assert (outcome.pages, outcome.failed_pages) == (1, ())
        assert outcome.chars > 30
