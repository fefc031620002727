import pytest

from pdfingest.errors import OptionError
from pdfingest.service.settings import read_settings


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PDFINGEST_TIMEOUT", "nan"),
        ("PDFINGEST_PAGE_TIMEOUT", "inf"),
        ("PDFINGEST_MAX_PAGES", "0"),
        ("PDFINGEST_LANES", "0"),
        ("PDFINGEST_LANES", "-1"),
        ("PDFINGEST_LANES", "two"),
        ("PDFINGEST_KEEP", "inf"),
        ("PDFINGEST_LEASE", "0"),
        ("PDFINGEST_RATE", "0"),
        ("PDFINGEST_MAX_UPLOAD", "much"),
        ("PDFINGEST_REDIS_URL", "foo"),
        ("PDFINGEST_REDIS_URL", "http://127.0.0.1:6379"),
        ("PDFINGEST_CORS_ORIGINS", "example.org"),
        ("PDFINGEST_ROOT_PATH", "pdf"),
        ("PDFINGEST_LANES", "513"),
        ("PDFINGEST_SANDBOX", "foo"),
        ("PDFINGEST_ENGINE", "pdfium,,pypdf"),
    ],
)
def test_a_setting_that_cannot_be_is_told_by_its_variable(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(OptionError, match=f"^{variable}: must "):
        read_settings()
