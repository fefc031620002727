import pytest

from pdfingest.errors import OptionError
from pdfingest.service.settings import read_settings


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PDFINGEST_TIMEOUT", "nan"),
        ("PDFINGEST_PAGE_TIMEOUT", "inf"),
        ("PDFINGEST_MAX_PAGES", "0"),
        ("PDFINGEST_LANES", "-1"),
        ("PDFINGEST_LANES", "513"),
        ("PDFINGEST_SANDBOX", "foo"),
        ("PDFINGEST_ENGINE", "pdfium,,pypdf"),
    ],
)
def test_a_setting_that_cannot_be_is_told_by_its_variable(variable: str, value: str) -> None:
    with pytest.raises(OptionError, match=f"^{variable}: must "):
        read_settings({variable: value})
