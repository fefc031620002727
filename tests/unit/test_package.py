"""What a program sees of the package, and what the wheel says of the project."""

from importlib.metadata import metadata, version

import pytest

import pdfingest
from pdfingest.__main__ import USUAL_ENGINES, needs_usual_image
from pdfingest.engines.registry import find_engines


def test_dir_shows_every_public_name() -> None:
    assert set(pdfingest.__all__) <= set(dir(pdfingest))
    assert "__version__" in dir(pdfingest)


def test_the_version_is_that_of_the_installed_package() -> None:
    assert pdfingest.__version__ == version("pdfingest")


def test_the_wheel_says_where_the_project_lives() -> None:
    urls = dict(each.split(", ", 1) for each in metadata("pdfingest").get_all("Project-URL") or [])
    home = "https://github.com/pdfingest/pdfingest"
    assert urls == {
        "Homepage": home,
        "Repository": home,
        "Issues": f"{home}/issues",
        "Documentation": f"{home}/tree/main/docs",
        "Changelog": f"{home}#changes",
    }


def test_the_image_that_a_run_begins_with_is_that_of_the_usual_engines() -> None:
    assert [each.module for each in find_engines("auto")] == list(USUAL_ENGINES)


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        ("", True),
        ("a.pdf -o out", True),
        ("a.pdf --engine auto", True),
        ("a.pdf --engine=pdfium,pypdf -w 2", True),
        ("a.pdf --engine pypdf -w 2", False),
        ("a.pdf --engine=another,pdfium", False),
        ("a.pdf --dry-run", False),
        ("a.pdf --engine", False),
    ],
)
def test_a_run_begins_no_image_that_it_is_not_going_to_use(words: str, *, needed: bool) -> None:
    assert needs_usual_image(words.split()) == needed
