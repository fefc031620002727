"""Each row of the table of tools is run: its export, and its code, which gives all records."""

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from pdfingest import IngestOptions, ingest, load
from pdfingest.cli.main import main
from pdfingest.errors import EngineUnavailableError

pytestmark = pytest.mark.filterwarnings("default")  # the libraries warn of each other

PAGE = (ROOT / "docs" / "pipelines.md").read_text(encoding="utf-8")
_TABLE = re.compile(r"^\| tool \|.*\n\|[-|]+\n((?:\|.*\n)+)", re.MULTILINE)
_LINK = re.compile(r"[][]|\(.*\)")
_CODE = re.compile(r"`([^`]+)`")


def rows() -> list[Any]:
    """The command and the lines of code of each row."""
    (table,) = _TABLE.findall(PAGE)
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]
    return [
        pytest.param(command.strip("`"), _CODE.findall(code), id=_LINK.sub("", tool))
        for tool, command, code in cells
    ]


def run(lines: list[str]) -> Any:
    """Run lines of code, and return the value of the last one."""
    *most, last = lines
    names: dict[str, Any] = {}
    try:
        exec("\n".join(most), names)
        if "pyspark" in most[0] and shutil.which("java") is None:
            pytest.skip("Spark needs Java")
        return eval(last, names)
    except ModuleNotFoundError as error:
        if error.name is None or "." in error.name:
            raise  # the library is here, but not what the page says of it
        pytest.skip(f"{error.name} is not installed")
    except EngineUnavailableError as error:
        pytest.skip(str(error))


def counted(value: Any) -> int:
    """How many records a value of a library holds."""
    for name in ("collect", "fetchall"):
        if hasattr(value, name):
            value = getattr(value, name)()
    return len(value) if hasattr(value, "__len__") else sum(1 for _ in value)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the output of which the page speaks."""
    folder = tmp_path_factory.mktemp("place")
    summary = ingest([ROOT / "examples" / "pdfs"], IngestOptions(output=folder / "out", workers=2))
    assert summary.pages == 14
    return folder


@pytest.mark.parametrize(("command", "code"), rows())
def test_a_row_of_the_table_gives_all_records(
    command: str, code: list[str], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    if command:
        if "parquet" in command:
            pytest.importorskip("pyarrow")
        monkeypatch.setattr("sys.argv", shlex.split(command))
        assert main() == 0
    records = list(load("out"))
    if "datatrove" in command:  # it skips what has no text, as the page says
        records = [record for record in records if record["text"]]
    assert counted(run(code)) == len(records)
