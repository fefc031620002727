"""What Tesseract calls the language that a document says it is in. Pure.

Tesseract's codes are those of ISO 639-3, with a script behind an underscore where a language has
several. Other engines do well to take the same.
"""


def _pairs(table: str) -> dict[str, str]:
    """Read a table of words with a colon in their middle."""
    return dict(pair.split(":") for pair in table.split())


USUAL = "eng"
"""What is read where nobody says which language it is."""
_BY_TWO_LETTERS = _pairs("""
    af:afr am:amh ar:ara as:asm az:aze be:bel bg:bul bn:ben bo:bod br:bre bs:bos ca:cat co:cos
    cs:ces cy:cym da:dan de:deu dv:div dz:dzo el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas
    fi:fin fo:fao fr:fra fy:fry ga:gle gd:gla gl:glg gu:guj he:heb hi:hin hr:hrv ht:hat hu:hun
    hy:hye id:ind in:ind is:isl it:ita iu:iku iw:heb ja:jpn ji:yid jv:jav jw:jav ka:kat kk:kaz
    km:khm kn:kan ko:kor ku:kmr ky:kir la:lat lb:ltz lo:lao lt:lit lv:lav mi:mri mk:mkd ml:mal
    mn:mon mr:mar ms:msa mt:mlt my:mya nb:nor ne:nep nl:nld nn:nor no:nor oc:oci or:ori pa:pan
    pl:pol ps:pus pt:por qu:que ro:ron ru:rus sa:san sd:snd sh:hrv si:sin sk:slk sl:slv sq:sqi
    sr:srp su:sun sv:swe sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tl:fil to:ton tr:tur tt:tat
    ug:uig uk:ukr ur:urd uz:uzb vi:vie yi:yid yo:yor zh:chi_sim
""")
_BY_THREE_LETTERS = _pairs("""
    alb:sqi arm:hye baq:eus bur:mya chi:chi_sim cmn:chi_sim cze:ces dut:nld fre:fra geo:kat ger:deu
    gre:ell ice:isl kur:kmr mac:mkd mao:mri may:msa nno:nor nob:nor per:fas pes:fas rum:ron slo:slk
    tgl:fil tib:bod wel:cym yue:chi_tra zho:chi_sim zsm:msa
""")
"""Codes of ISO 639-2 that libraries use, and of ISO 639-3 for which Tesseract has another."""
_ALONE = frozenset({"ceb", "chr", "enm", "fil", "frm", "grc", "kmr", "syr"})
"""Codes that are in neither table, nor stand for any of two letters."""
_KNOWN = frozenset(_BY_TWO_LETTERS.values()) | _ALONE
_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})
_BY_SCRIPT = {
    ("srp", "latn"): "srp_latn",
    ("aze", "cyrl"): "aze_cyrl",
    ("uzb", "cyrl"): "uzb_cyrl",
    ("deu", "latf"): "deu_latf",
}
"""Codes of languages in scripts that are not the usual ones."""
_CODES = _KNOWN.union(_BY_SCRIPT.values(), {"chi_tra"})


def code_of(tag: str) -> str:
    """Return Tesseract's code of a language.

    Args:
        tag: as a document says it (BCP 47), or as users may: `de-AT`, `zh_Hant`, `ger`; or a code.

    Returns:
        The code; empty if the text is no tag, or Tesseract does not know the language.

    >>> code_of("sr-Latn-RS")
    'srp_latn'
    >>> code_of("x-klingon")
    ''
    """
    if tag in _CODES:
        return tag
    language, *rest = tag.strip().replace("_", "-").lower().split("-")
    code = _BY_TWO_LETTERS.get(language) or _BY_THREE_LETTERS.get(language, language)
    if code == "chi_sim":
        return "chi_tra" if _TRADITIONAL.intersection(rest) else code
    if code == "chi_tra":
        return "chi_sim" if "hans" in rest else code
    if code not in _KNOWN:
        return ""
    return next((_BY_SCRIPT[code, each] for each in rest if (code, each) in _BY_SCRIPT), code)
