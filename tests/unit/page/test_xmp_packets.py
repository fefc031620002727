"""XMP fills in what the information dictionary leaves out, and nothing that is no XMP does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdfingest.page.document import iso_date
from pdfingest.page.xmp import completed, is_complete
from pdfingest.pages import DocumentInfo

HEAD = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
"""
SPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
    'xmlns:pdf="http://ns.adobe.com/pdf/1.3/"'
)
TAIL = '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'


def packet(content: str, attributes: str = "") -> bytes:
    """A packet, with the padding that programs write."""
    body = f'<rdf:Description rdf:about="" {SPACES} {attributes}>{content}</rdf:Description>'
    return f"{HEAD}{body}{TAIL}{' ' * 20}\n".encode()


ALL = packet(
    "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>A &amp; B</rdf:li>"
    "<rdf:li xml:lang='de'>Ein anderer</rdf:li></rdf:Alt></dc:title>"
    "<dc:creator><rdf:Seq><rdf:li>Ann</rdf:li>\n<rdf:li>Bob</rdf:li></rdf:Seq></dc:creator>"
    "<xmp:CreateDate>2021-03-04T05:06:07.89+01:00</xmp:CreateDate>"
    "<xmp:ModifyDate>2022-03-04T05:06:07Z</xmp:ModifyDate>"
    "<pdf:Producer>Some Program</pdf:Producer><pdf:Keywords>some, words</pdf:Keywords>"
    "<dc:description><rdf:Alt><rdf:li>What it is about</rdf:li></rdf:Alt></dc:description>"
    "<dc:subject><rdf:Bag><rdf:li>one</rdf:li><rdf:li>two</rdf:li></rdf:Bag></dc:subject>"
    "<dc:language><rdf:Bag><rdf:li>en-GB</rdf:li></rdf:Bag></dc:language>"
)


def test_all_properties_are_read() -> None:
    found = completed(DocumentInfo(), ALL)
    assert (found.title, found.author, found.producer) == ("A & B", "Ann, Bob", "Some Program")
    assert iso_date(found.created) == "2021-03-04T05:06:07+01:00"
    assert iso_date(found.modified) == "2022-03-04T05:06:07Z"
    assert (found.subject, found.keywords) == ("What it is about", "some, words")
    assert found.language == "en-GB"
    assert is_complete(found)
    assert not is_complete(DocumentInfo(title="t", author="a", created="c"))


def test_tags_are_keywords_where_there_are_no_others() -> None:
    bag = "<dc:subject><rdf:Bag><rdf:li>one</rdf:li><rdf:li>two</rdf:li></rdf:Bag></dc:subject>"
    assert completed(DocumentInfo(), packet(bag)).keywords == "one, two"
    assert completed(DocumentInfo(keywords="mine"), packet(bag)).keywords == "mine"


def test_the_information_dictionary_counts_first() -> None:
    info = DocumentInfo(title="Mine", created="D:1999")
    found = completed(info, ALL)
    assert (found.title, found.created, found.author) == ("Mine", "D:1999", "Ann, Bob")


def test_properties_may_be_attributes() -> None:
    found = completed(
        DocumentInfo(), packet("", 'xmp:CreateDate="2021-03-04" pdf:Producer="Some Program"')
    )
    assert (iso_date(found.created), found.producer) == ("2021-03-04", "Some Program")


DATES = {
    "2021": "2021", "2021-03": "2021-03", "2021-03-04": "2021-03-04",
    "2021-03-04T05:06": "2021-03-04T05:06:00", "2021-03-04T05:06:07Z": "2021-03-04T05:06:07Z",
    "2021-03-04T05:06:07-11:30": "2021-03-04T05:06:07-11:30", "2021-02-30": "", "yesterday": "",
}  # fmt: skip


@pytest.mark.parametrize(("written", "read"), DATES.items())
def test_dates_keep_their_precision(written: str, read: str) -> None:
    found = completed(DocumentInfo(), packet(f"<xmp:CreateDate>{written}</xmp:CreateDate>"))
    assert iso_date(found.created) == read


BOMB = (
    b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    + packet("<pdf:Producer>&b;</pdf:Producer>")
)  # fmt: skip


@pytest.mark.parametrize("hostile", [b"", b"\0\xff", ALL[:300], BOMB, b"<a>" * 100_000])
def test_what_is_no_xmp_says_nothing(hostile: bytes) -> None:
    assert completed(DocumentInfo(title="Mine"), hostile) == DocumentInfo(title="Mine")


@given(st.binary(max_size=200), st.integers(0, len(ALL)))
def test_damage_never_raises(damage: bytes, at: int) -> None:
    found = completed(DocumentInfo(producer="p"), ALL[:at] + damage + ALL[at:])
    assert found.producer == "p"
