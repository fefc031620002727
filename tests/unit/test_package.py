"""What a program sees of the package, and what the wheel says of the project."""

import subprocess
import sys
from importlib.metadata import metadata, version

import pdfingest


def test_dir_shows_every_public_name() -> None:
    assert set(pdfingest.__all__) <= set(dir(pdfingest))
    assert "__version__" in dir(pdfingest)


def test_the_version_is_that_of_the_installed_package() -> None:
    assert pdfingest.__version__ == version("pdfingest")


def test_the_version_costs_nothing_before_it_is_asked_for() -> None:
    code = (
        "import sys, pdfingest\n"
        "assert 'importlib.metadata' not in sys.modules\n"
        "assert pdfingest.__version__\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_wheel_says_where_the_project_lives() -> None:
    urls = dict(each.split(", ", 1) for each in metadata("pdfingest").get_all("Project-URL") or [])
    home = "https://github.com/pdfingest/pdfingest"
    assert urls == {
        "Homepage": home,
        "Repository": home,
        "Issues": f"{home}/issues",
        "Changelog": f"{home}#changes",
    }
