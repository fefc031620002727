import pytest

from pdfingest.text import clean, is_usable, parse_size, printable, source_name


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("non\ufffeUnicode", "non-\nUnicode"),
        ("a\x00b", "ab"),
        ("a\x04b", "a\ufffdb"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("\ud83d\ude00", "\U0001f600"),
        ("\ud83d lone", "\ufffd lone"),
        ("x\uffffy", "xy"),
    ],
)
def test_document_text_is_made_safe(raw: str, text: str) -> None:
    assert clean(raw) == text


def test_a_source_name_shows_invalid_bytes_and_never_reads_like_another_name() -> None:
    invalid = b"caf\xe9.pdf".decode("utf-8", "surrogateescape")
    assert source_name(invalid) == r"caf\xe9.pdf"
    assert source_name(r"caf\xe9.pdf") == r"caf\\xe9.pdf"
    assert source_name("sub/ünï.pdf") == "sub/ünï.pdf"


def test_a_name_cannot_move_the_cursor_or_turn_the_line_around() -> None:
    assert printable("a\x1b[2Jb\nc\u202ed\udce9") == r"a\x1b[2Jb\nc\u202ed\udce9"


def test_a_long_name_is_cut_in_the_middle_to_the_width() -> None:
    assert printable("abcdefghij", 5) == "ab…ij"
    assert printable("abcde", 5) == "abcde"


def test_text_without_a_letter_or_digit_is_not_usable() -> None:
    assert not is_usable(" \n\ufffd-.")
    assert is_usable("燈")


@pytest.mark.parametrize(
    ("text", "size"),
    [("512", 512), ("1K", 1024), ("1.5g", 3 << 29), ("4GiB", 4 << 30), ("2 MB", 2 << 20)],
)
def test_a_size_is_read_as_people_write_it(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1", "1X", "1 2"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)
