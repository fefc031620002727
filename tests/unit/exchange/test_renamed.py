"""Records under another name: nothing but the name changes."""

from hypothesis import given
from hypothesis import strategies as st

from pdfingest.exchange.record import encode, record_id
from pdfingest.exchange.renamed import renamed

SHA256 = "9f" * 32
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


def cut(text: bytes, at: list[int]) -> list[bytes]:
    """The same bytes in pieces."""
    ends = sorted(min(each, len(text)) for each in at)
    return [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]


def line(name: str, text: str) -> bytes:
    """A record as far as a name is in it."""
    file_name = name.rpartition("/")[2]
    return encode(
        {
            "id": f"{record_id(name, SHA256)}:p0001",
            "text": text,
            "source": name,
            "metadata": {"source": name, "file_name": file_name, "title": text},
            "tables": text,
        }
    )


@given(old=names, new=names, text=names, at=st.lists(st.integers(0, 900), max_size=6))
def test_only_the_names_of_the_record_change_wherever_it_is_cut(
    old: str, new: str, text: str, at: list[int]
) -> None:
    hostile = f'{text}","source":"{old}","metadata":{{"source":"{old}","file_name":"{old}"'
    for said in (text, hostile, line(old, text).decode()):
        got = b"".join(renamed(cut(line(old, said) * 2, at), old, new, SHA256))
        assert got == line(new, said) * 2
