"""`pdfingest compare` runs each engine for itself, and shows what each made of the same files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Cli, make_pdf, read_lines

TWO = ("--engine", "pdfium,pypdf")
Faulty = Callable[..., Path]


@pytest.fixture
def files(pdfs: Path) -> Path:
    """Two PDFs that all engines read alike."""
    for name in ("one", "two"):
        make_pdf(pdfs / f"{name}.pdf", [f"{name} of several words in a row"])
    return pdfs


def test_engines_that_read_alike_do_not_differ(cli: Cli, files: Path) -> None:
    done = cli("compare", files, *TWO, "--json", "-q")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(each["engine"], each["ok"], each["pages"]) for each in found["engines"]] == [
        ("pdfium", 2, 2),
        ("pypdf", 2, 2),
    ]
    (pair,) = found["pairs"]
    assert (pair["words_one"], pair["only_one"], pair["only_other"]) == (14, 0, 0)
    assert pair["same_order"] == 1
    assert found["files"] == []


def test_what_an_engine_loses_is_its_own_loss(cli: Cli, faulty: Faulty, pdfs: Path) -> None:
    faulty("bad.pdf", pages=3, fault="segfault", page=2, second_text="words that differ " * 10)
    faulty("good.pdf", pages=3, second_text="words that differ " * 10)
    done = cli("compare", pdfs, "--engine", "faulty,second", "--json", "-q")
    assert done.returncode == 1, "as a run that loses a page"
    found = json.loads(done.stdout)
    one, other = found["engines"]
    assert (one["ok"], one["partial"], one["pages"], one["failures"]) == (1, 1, 5, {"crashed": 1})
    assert (other["ok"], other["partial"], other["pages"]) == (2, 0, 6)
    assert found["pairs"][0]["only_one"] == 1
    assert {each["source"] for each in found["files"]} == {"bad.pdf", "good.pdf"}


def test_outputs_can_be_kept_and_are_read_again(cli: Cli, files: Path, out: Path) -> None:
    for _ in range(2):  # the second time nothing has changed
        done = cli("compare", files, *TWO, "--keep", out, "--json", "-q")
        assert done.returncode == 0, done.stderr
        assert [each["pages"] for each in json.loads(done.stdout)["engines"]] == [2, 2]
        assert json.loads(done.stdout)["pairs"][0]["words_one"] == 14
    assert len(read_lines(out / "pypdf" / "pages.jsonl")) == 2


def test_texts_stand_side_by_side_and_none_of_them_is_markup(
    cli: Cli, faulty: Faulty, pdfs: Path, tmp_path: Path
) -> None:
    hostile = "<script>alert(1)</script> & ordinary words that both have " * 5
    faulty("<b>.pdf", text=f"{hostile}one {hostile}", second_text=f"{hostile}other {hostile}")
    done = cli("compare", pdfs, "--engine", "faulty,second", "--html", tmp_path / "a.html", "-q")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<b>.pdf" not in page
    assert page.count("&lt;script&gt;alert(1)") == 20
    assert page.count("<mark>one</mark>") == page.count("<mark>other</mark>") == 1
    assert "http" not in page


def test_documents_are_compared_where_an_engine_knows_no_pages(
    cli: Cli, faulty: Faulty, pdfs: Path
) -> None:
    faulty("a.pdf")
    args = ("--engine", "faulty,whole", "--unit", "document", "--json", "-q")
    found = json.loads(cli("compare", pdfs, *args).stdout)
    assert found["pairs"][0]["words_one"] == found["pairs"][0]["words_other"] == 5


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("--engine", "pdfium"), 2, "must name two engines or more"),
        (("--engine", "pdfium,nothing"), 4, "engine 'nothing' is not installed"),
    ],
)
def test_engines_that_cannot_be_compared_are_told_at_once(
    cli: Cli, files: Path, out: Path, args: tuple[str, ...], code: int, said: str
) -> None:
    done = cli("compare", files, *args, "--keep", out)
    assert done.returncode == code
    assert said in " ".join(done.stderr.split())
    assert not out.exists()


def test_tables_fit_a_terminal(cli: Cli, files: Path) -> None:
    done = cli("compare", files, *TWO, "-q", env={"COLUMNS": "80"})
    assert done.returncode == 0
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    assert done.stdout.splitlines()[1].startswith("pdfium")
