"""The command: how it starts, what it refuses, and that nothing but the protocol is on stdout."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("mcp")

from agent import agent_of

from conftest import ROOT, Cli, environment, make_pdf
from pdfingest import IngestOptions, ingest


def test_a_directory_that_no_run_wrote_is_refused(cli: Cli, tmp_path: Path) -> None:
    done = cli("mcp", tmp_path / "out", stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (3, "")
    assert "holds no output of a run" in done.stderr
    assert "--allow FOLDER" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--allow", "nowhere"], "--allow nowhere: it is not a directory"),
        (["-", "--allow", "."], "DIR: must be a directory"),
        (["--max-chars", "10"], "--max-chars: must be 1000 or more"),
    ],
)
def test_a_wrong_command_line_is_told(cli: Cli, words: list[str], said: str) -> None:
    done = cli("mcp", *words, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_without_the_extra_the_command_says_what_to_install(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mcp.py").write_text("raise ModuleNotFoundError(name='mcp')")
    done = cli("mcp", "--allow", ".", env={"PYTHONPATH": str(tmp_path)}, stdin=subprocess.DEVNULL)
    assert done.returncode == 4
    assert "pip install 'pdfingest[mcp]'" in done.stderr


def test_other_commands_import_nothing_of_it() -> None:
    code = (
        "import sys; sys.argv[1:] = ['run', '--help']\n"
        "from pdfingest.cli.main import main\n"
        "main()\n"
        "found = [m for m in sys.modules if m.startswith(('mcp', 'pdfingest.agents', 'anyio'))]\n"
        "assert not found, found\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_stdout_has_the_protocol_alone(tmp_path: Path, faulty: Callable[..., Path]) -> None:
    faulty("a.pdf", fault="print")
    arguments = {"name": "ingest", "arguments": {"inputs": ["."]}}
    client = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    sent: list[dict[str, object]] = [
        {"id": 1, "method": "initialize", "params": client},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": arguments},
    ]
    command = [sys.executable, "-m", "pdfingest", "mcp", "out", "--allow", "pdfs", "-v"]
    with subprocess.Popen(
        [*command, "--engine", "faulty"],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for each in sent:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **each}) + "\n")
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        rest, log = process.communicate(timeout=20)
    assert [each["id"] for each in answers] == [1, 2]
    assert answers[1]["result"]["structuredContent"]["ok"] == 1
    assert rest == ""
    assert "finished" in log
    assert process.returncode == 0


def test_the_configuration_that_the_docs_show_starts_a_server(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```text\n(\{.*?)```", page, re.DOTALL)
    (server,) = json.loads(block)["mcpServers"].values()
    assert server["command"] == "pdfingest"
    first, *words = server["args"]
    assert first == "mcp"
    (tmp_path / "papers").mkdir()
    shown = [word.replace("/home/ada", str(tmp_path)) for word in words]
    with agent_of(tmp_path, *shown) as agent:
        assert "ingest" in agent.tools()


def test_the_docs_name_every_tool_and_argument(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
    make_pdf(tmp_path / "pdfs" / "a.pdf")
    ingest(tmp_path / "pdfs", IngestOptions(output=tmp_path / "out"))
    with agent_of(tmp_path, "out", "--allow", "pdfs") as agent:
        tools = agent.tools()
    rows = dict(re.findall(r"^\| `(\w+)\((.*?)\)` \|", page, re.MULTILINE))
    assert {name: each.split(", ") for name, each in rows.items()} == {
        name: [*tool.input_schema["properties"]] for name, tool in tools.items()
    }
