import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pdfingest.cli.head_start import give_head_start
from pdfingest.output.layout import ledger_of


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Engines for which an image was begun."""
    engines: list[str] = []

    def begin_image(modules: tuple[str, ...]) -> None:
        engines.append(modules[0].removeprefix("pdfingest.engines."))

    monkeypatch.setattr("pdfingest.cli.head_start.begin_image", begin_image)
    monkeypatch.chdir(tmp_path)
    for name in ("on", "output", "engine", "config"):
        monkeypatch.delenv(f"PDFINGEST_{name.upper()}", raising=False)
    return engines


@pytest.mark.parametrize(
    ("words", "engines"),
    [
        ("pdfs", ["pdfium"]),
        ("pdfs --engine pypdf", ["pypdf"]),
        ("--engine=pypdf,pdfium pdfs", ["pypdf"]),
        ("pdfs -o out -w 2", ["pdfium"]),
        ("pdfs -o -", ["pdfium"]),
        ("pdfs --engine nonsense", []),
        ("pdfs --engine", []),
        ("", []),
        ("pdfs --dry-run", []),
        ("--help", []),
        ("pdfs --on celery", []),
        ("pdfs -o done", []),
        ("pdfs --output=done", []),
    ],
)
def test_an_image_is_begun_where_children_will_surely_be_started(
    begun: list[str], words: str, engines: list[str]
) -> None:
    Path(ledger_of("done")).parent.mkdir(parents=True)
    Path(ledger_of("done")).touch()
    give_head_start(words.split())
    assert begun == engines


def test_configuration_and_environment_count(
    begun: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("pdfingest.toml").write_text('engine = "pypdf"\n')
    give_head_start(["pdfs"])
    assert begun == ["pypdf"]
    monkeypatch.setenv("PDFINGEST_ENGINE", "pdfplumber")
    give_head_start(["pdfs"])
    assert begun == ["pypdf", "pdfplumber"]
    monkeypatch.setenv("PDFINGEST_ENGINE", "")
    give_head_start(["pdfs"])
    assert begun == ["pypdf", "pdfplumber", "pypdf"]
    monkeypatch.setenv("PDFINGEST_ON", "celery")
    give_head_start(["pdfs"])
    assert begun == ["pypdf", "pdfplumber", "pypdf"]


def test_the_configuration_that_counts_is_the_one_that_counts_for_the_run(
    begun: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("pdfingest.toml").write_text('engine = "pypdf"\noutput = "done"\n')
    Path("other.toml").write_text('engine = "pdfplumber"\n')
    Path("below").mkdir()
    monkeypatch.chdir("below")
    give_head_start(["pdfs"])
    give_head_start(["pdfs", "--config", "../other.toml"])
    monkeypatch.setenv("PDFINGEST_CONFIG", "../other.toml")
    give_head_start(["pdfs"])
    assert begun == ["pypdf", "pdfplumber", "pdfplumber"]
    monkeypatch.delenv("PDFINGEST_CONFIG")
    done = Path("..", ledger_of("done"))
    done.parent.mkdir(parents=True)
    done.touch()
    give_head_start(["pdfs"])
    assert len(begun) == 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pdfingest.toml", b"= what\n"),
        ("pdfingest.toml", b"\xff"),
        ("pyproject.toml", b"[tool]\npdfingest = 3\n"),
    ],
)
def test_what_cannot_be_understood_is_left_to_who_says_so(
    begun: list[str], name: str, content: bytes
) -> None:
    Path(name).write_bytes(content)
    give_head_start(["pdfs"])
    assert begun == []


@pytest.mark.skipif(os.name != "posix", reason="needs fork")
def test_it_imports_next_to_nothing(tmp_path: Path) -> None:
    code = (
        "import json, sys\n"
        "from pdfingest.cli.head_start import give_head_start\n"
        "give_head_start(['pdfs'])\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    modules = json.loads(done.stdout)
    assert "subprocess" in modules, "it began no image"
    heavy = {"typer", "rich", "pdfingest.model", "importlib.metadata", "concurrent.futures.process"}
    assert heavy.isdisjoint(modules)


def test_it_is_given_before_the_command_line_is_imported() -> None:
    code = (
        "import sys\n"
        "import pdfingest.__main__ as main\n"
        "import pdfingest.cli.head_start as head_start\n"
        "head_start.give_head_start = lambda words: sys.exit(10 + ('typer' in sys.modules))\n"
        "main.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code, "run", "pdfs"], check=False)
    assert done.returncode == 10
