"""Settings are checked when they are read, and told by the variables that users set."""

import pytest

from pdfingest import IngestOptions
from pdfingest.errors import OptionError, UsageError
from pdfingest.service.settings import Settings, read_settings
from pdfingest.service.variables import NAMES


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


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PDFINGEST_STORE", "ftp://x"),
        ("PDFINGEST_STORE", "s3:///key"),
        ("PDFINGEST_SOURCE_PREFIXES", "relative/folder"),
        ("PDFINGEST_WEBHOOK_HOSTS", "a.example"),
    ],
)
def test_a_place_that_cannot_be_is_told_by_its_variable(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=f"^{variable}"):
        read_settings()


def test_no_secret_is_in_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDFINGEST_REDIS_URL", "http://:s3cret@host")
    with pytest.raises(OptionError) as error:
        read_settings()
    assert "s3cret" not in str(error.value)
    monkeypatch.delenv("PDFINGEST_REDIS_URL")
    monkeypatch.setenv("PDFINGEST_WEBHOOK_SECRET", "s3cret")
    assert "s3cret" not in repr(read_settings())


def test_a_variable_that_is_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDFINGEST_LANES", "")
    monkeypatch.setenv("PDFINGEST_MAX_UPLOAD", "3M")
    settings = read_settings()
    assert settings.lanes == IngestOptions().workers
    assert settings.max_upload == 3 << 20


def test_the_program_knows_the_names_of_all_settings_without_reading_them() -> None:
    assert list(Settings.model_fields) == list(NAMES)
