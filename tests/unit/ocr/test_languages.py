"""What Tesseract calls a language that a document says it is in."""

import pytest

from pdfingest.ocr.languages import code_of


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("en", "eng"),
        ("de-AT", "deu"),
        ("DE_de", "deu"),
        (" fr-CA ", "fra"),
        ("ger", "deu"),
        ("deu", "deu"),
        ("nb-NO", "nor"),
        ("zh", "chi_sim"),
        ("zh-Hans", "chi_sim"),
        ("zh-Hant-HK", "chi_tra"),
        ("zh-TW", "chi_tra"),
        ("yue", "chi_tra"),
        ("chi_tra", "chi_tra"),
        ("srp_latn", "srp_latn"),
        ("sr", "srp"),
        ("sr-Latn-RS", "srp_latn"),
        ("uz-Cyrl", "uzb_cyrl"),
        ("de-Latf", "deu_latf"),
        ("iw", "heb"),
        ("grc", "grc"),
        ("x-klingon", ""),
        ("English", ""),
        ("", ""),
        ("\x00-\ud800", ""),
    ],
)
def test_a_tag_has_a_code(tag: str, code: str) -> None:
    assert code_of(tag) == code
