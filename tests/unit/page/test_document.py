import pytest

from pdfingest.page.document import iso_date


@pytest.mark.parametrize(
    ("date", "iso"),
    [
        ("D:20260102030405+01'30'", "2026-01-02T03:04:05+01:30"),
        ("D:20260102030405Z00'00'", "2026-01-02T03:04:05Z"),
        ("D:20260102030405-0800", "2026-01-02T03:04:05-08:00"),
        ("20260102", "2026-01-02"),
        ("D:202601", "2026-01"),
        ("D:2026", "2026"),
        ("D:2026010203", "2026-01-02T03:00:00"),
        ("D:20261302", ""),
        ("yesterday", ""),
        ("", ""),
    ],
)
def test_a_pdf_date_becomes_iso_8601_as_precise_as_it_is(date: str, iso: str) -> None:
    assert iso_date(date) == iso
