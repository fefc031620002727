import pytest

from pdfingest.text import (
    clean,
    is_babble,
    is_unread,
    is_usable,
    parse_size,
    printable,
    source_name,
)


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


UNREAD = {
    "names of glyphs": "/g936/g1007/g1004/g3 /g296/g381/g396/g3/g1005",
    "numbers of glyphs": "/0/0/1/2/i255/4/5/6/6/7/8/9/5/8/7/6/i255",
    "private use": "\ue001\ue002\ue003 ab \ue004\ue005",
    "scripts that no language mixes": "ͻͱਓ͸ ͠ࢮͯ͠ ͳ໊Λ ͷ͜࢒͢ ࣈ׽ͷ෦टʹ͸",
    "the same, with spaces": "ୈ ೋ ৚ ୈ Ұ ߲ ͷ ද ͷ ੨ ৭ ͷ ౮ Ր ͷ ߲ ୈ",
}
READ = {
    "nothing": "",
    "paths": "see /usr/share/doc/1 and /dev/sda1 for how the disk is divided into parts",
    "dates": "1/2/2024 to 3/4/2024",
    "Greek in formulas": "α + β = γ where Δ is the difference of the two and π as usual",
    "Greek and Russian": "Ελληνικά, Русский, עברית, العربية, हिन्दी, ไทย: names of languages",
    "Japanese": "漏電遮断機構と検知機構を一つの箱内に収めたもの",
    "Hindi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता",
    "bullets": "\ue001 one thing\n\ue001 another thing",
}


@pytest.mark.parametrize("text", UNREAD.values(), ids=UNREAD)
def test_text_that_stands_for_glyphs(text: str) -> None:
    assert is_unread(text)


@pytest.mark.parametrize("text", READ.values(), ids=READ)
def test_text_that_says_what_it_shows(text: str) -> None:
    assert not is_unread(text)
    assert not is_babble(text)


@pytest.mark.parametrize("text", ["~ . ; i|l _ ' -- ^", "bcd fghj klmnp qrstv wxz", "a1b2 c3d4e5"])
def test_what_a_failed_ocr_leaves(text: str) -> None:
    assert is_babble(text)


def test_leaders_and_figures_are_no_babble() -> None:
    assert not is_babble("1 Scope ........................................ 12")
    assert not is_babble("12.5 % 1,234.56 01/02/2024 (7) 42-43")
