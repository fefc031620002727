"""What an agent may have ingested, and that a run ends with whoever asked for it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

pytest.importorskip("mcp")

from agent import Agent, agent_of

from conftest import copy_examples, environment, make_pdf, read_lines, wait_for


@pytest.fixture
def agent(pdfs: Path) -> Iterator[Agent]:
    """An agent that may ingest what is below one folder; nothing was ingested yet."""
    with agent_of(pdfs.parent, "out", "--allow", "pdfs") as agent:
        yield agent


def living(processes: Iterable[psutil.Process]) -> Iterator[psutil.Process]:
    """Of some processes, those that have not ended, whether or not they were waited for."""
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            if each.status() != psutil.STATUS_ZOMBIE:
                yield each


def children() -> set[int]:
    """Numbers of the processes below this one that read a PDF or may fork such."""
    return {each.pid for each in living(psutil.Process().children(recursive=True))}


def test_what_is_ingested_can_be_read_and_found(agent: Agent, pdfs: Path) -> None:
    assert "holds no output of a run" in agent.refusal("inspect")
    copy_examples(pdfs / "a")
    done = agent.call("ingest", inputs=["a"])
    assert (done["sources"], done["ok"], done["failed"], done["pages"]) == (10, 7, 3, 14)
    assert done["failures"] == {"encrypted": 1, "malformed": 1, "not_pdf": 1}
    losses = {each["source"]: each["message"] for each in done["losses"]}
    assert "password" in losses["a/encrypted.pdf"]
    assert agent.call("read_pages", source="a/pages.pdf", last=1)["pages"][0]["text"]
    hits = agent.call("search", query='"third page"')["hits"]
    assert [each["source"] for each in hits] == ["a/pages.pdf"]


def test_the_tool_says_that_it_writes_and_where_from(agent: Agent, pdfs: Path) -> None:
    tool = agent.tools()["ingest"]
    assert tool.annotations.read_only_hint is False
    assert str(pdfs) in tool.input_schema["properties"]["inputs"]["description"]


def test_names_do_not_depend_on_how_a_file_was_asked_for(agent: Agent, pdfs: Path) -> None:
    make_pdf(pdfs / "a" / "b" / "one.pdf")
    asked = [["."], ["a"], [str(pdfs / "a" / "b")], ["a/b/one.pdf", "a/b/../b"]]
    unchanged = [agent.call("ingest", inputs=each)["unchanged"] for each in asked]
    assert unchanged == [0, 1, 1, 1]
    sources = agent.call("inspect")["sources"]
    assert [each["source"] for each in sources] == ["a/b/one.pdf"]


def test_what_was_ingested_before_stays(agent: Agent, pdfs: Path) -> None:
    make_pdf(pdfs / "a.pdf")
    make_pdf(pdfs / "b.pdf")
    agent.call("ingest", inputs=["a.pdf"])
    assert agent.call("ingest", inputs=["b.pdf"])["gone"] == 0
    assert len(agent.call("inspect")["sources"]) == 2


@pytest.mark.parametrize(
    "given",
    [
        "/etc",
        "..",
        "../secret.pdf",
        "a/../../secret.pdf",
        "link.pdf",
        "folder",
        "folder/secret.pdf",
        "~",
        "pdfs/../..",
        "\0",
        "-",
        "*.pdf",
        "s3://bucket/x.pdf",
        "https://example.org/x.pdf",
    ],
)
def test_nothing_outside_of_the_folder_is_ingested(
    agent: Agent, pdfs: Path, tmp_path: Path, given: str
) -> None:
    make_pdf(tmp_path / "secret.pdf", ["secret"])
    make_pdf(pdfs / "a" / "open.pdf", ["open"])
    os.symlink(tmp_path / "secret.pdf", pdfs / "link.pdf")
    os.symlink(tmp_path, pdfs / "folder")
    said = agent.refusal("ingest", inputs=["a", given])
    assert str(pdfs) in said
    assert any(word in said for word in ("outside", "does not exist", "not a path"))
    assert not (tmp_path / "out").exists()


def test_a_link_within_a_folder_that_leads_out_fails_and_the_rest_is_read(
    agent: Agent, pdfs: Path, tmp_path: Path
) -> None:
    make_pdf(tmp_path / "secret.pdf", ["secret"])
    make_pdf(pdfs / "open.pdf", ["open"])
    os.symlink(tmp_path / "secret.pdf", pdfs / "link.pdf")
    os.symlink(tmp_path, pdfs / "folder")
    done = agent.call("ingest", inputs=["."])
    assert (done["ok"], done["failed"]) == (1, 1)
    (loss,) = done["losses"]
    assert (loss["source"], loss["failure"]) == ("link.pdf", "unreadable")
    assert "leads outside" in loss["message"]
    assert "secret" not in (tmp_path / "out" / "pages.jsonl").read_text()


def test_two_folders_may_be_allowed_and_what_is_between_them_is_not(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "ab"):
        make_pdf(tmp_path / "all" / name / "x.pdf")
    words = ("out", "--allow", "all/a", "--allow", "all/b", "--quiet")
    with agent_of(tmp_path, *words) as agent:
        assert agent.call("ingest", inputs=["a", "b"])["ok"] == 2
        for outside in (".", "c", "ab", str(tmp_path / "all" / "ab")):
            assert "outside" in agent.refusal("ingest", inputs=[outside])
        names = [each["source"] for each in agent.call("inspect")["sources"]]
    assert names == ["a/x.pdf", "b/x.pdf"]


def test_the_options_of_the_command_are_those_of_its_runs(tmp_path: Path, pdfs: Path) -> None:
    copy_examples(pdfs)
    words = ("--allow", "pdfs", "--format", "markdown", "--password", "correct horse")
    with agent_of(tmp_path, "out", *words) as agent:
        assert agent.call("ingest", inputs=["encrypted.pdf"])["ok"] == 1
        assert agent.call("read_pages", source="encrypted.pdf")["format"] == "markdown"


@pytest.fixture
def busy(tmp_path: Path, faulty: Callable[..., Path]) -> Iterator[tuple[Agent, Future[Any]]]:
    """An agent whose ingest has read four files and hangs on others."""
    for number in range(4):
        faulty(f"a{number}.pdf", pages=2)
    for number in range(9):
        faulty(f"b{number}.pdf", fault="hang")
    words = ("--engine", "faulty", "--workers", "2", "--log-format", "json", "--verbose")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with agent_of(tmp_path, "out", "--allow", "pdfs", *words, TMPDIR=str(temporary)) as agent:
        arguments = {"inputs": [f"a{number}.pdf" for number in range(4)]}
        assert agent.call("ingest", **arguments)["ok"] == 4
        call = agent.portal.start_task_soon(agent.client.call_tool, "ingest", {"inputs": ["."]})
        wait_for(lambda: agent.log.read_text().count('"planned"') == 2)
        time.sleep(0.5)
        yield agent, call


def test_there_is_one_ingest_at_a_time_and_the_other_tools_go_on(
    busy: tuple[Agent, Future[Any]],
) -> None:
    agent, call = busy
    assert "one at a time" in agent.refusal("ingest", inputs=["."])
    assert len(agent.call("inspect")["sources"]) == 4
    call.cancel()


def test_a_cancelled_ingest_ends_its_processes_and_keeps_what_is_done(
    busy: tuple[Agent, Future[Any]], tmp_path: Path, faulty: Callable[..., Path]
) -> None:
    agent, call = busy
    during = children()
    call.cancel()
    wait_for(lambda: len(children()) <= len(during) - 2, 5)
    for number in range(9):
        faulty(f"b{number}.pdf", pages=1)

    def ended() -> bool:
        result = agent.portal.call(agent.client.call_tool, "ingest", {"inputs": ["."]})
        return not result.is_error and result.structured_content["unchanged"] >= 4

    wait_for(ended, 10)
    assert len(read_lines(tmp_path / "out" / "pages.jsonl")) == 17


def test_a_client_that_goes_leaves_no_process(tmp_path: Path, faulty: Callable[..., Path]) -> None:
    before = children()
    faulty("b.pdf", fault="hang")
    words = ("--engine", "faulty", "--log-format", "json")
    with agent_of(tmp_path, "out", "--allow", "pdfs", *words) as agent:
        agent.portal.start_task_soon(agent.client.call_tool, "ingest", {"inputs": ["."]})
        wait_for(lambda: '"planned"' in agent.log.read_text())
    wait_for(lambda: children() <= before, 5)
    assert "Traceback" not in (tmp_path / "stderr").read_text()


def test_a_signal_during_an_ingest_leaves_no_process_and_no_file(
    busy: tuple[Agent, Future[Any]], tmp_path: Path
) -> None:
    agent, _ = busy
    agent.call("inspect")
    assert list((tmp_path / "temporary").iterdir())
    mine = living(psutil.Process().children())
    (server,) = (each for each in mine if "mcp" in each.cmdline())
    family = [server, *server.children(recursive=True)]
    assert len(family) > 2
    server.terminate()
    _, alive = psutil.wait_procs(family, timeout=5)
    assert list(living(alive)) == []
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda each: each.name)
def test_a_signal_ends_the_server(pdfs: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "pdfingest", "mcp", "out", "--allow", "pdfs"]
    with subprocess.Popen(
        command,
        cwd=pdfs.parent,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{}}\n')
        process.stdin.flush()
        assert process.stdout.readline().startswith(b'{"jsonrpc":"2.0"')
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=5)
    assert (process.returncode, stdout, stderr) == (128 + number, b"", b"")


def test_the_progress_is_told(tmp_path: Path, faulty: Callable[..., Path]) -> None:
    for number in range(4):
        faulty(f"{number}.pdf", fault="sleep", seconds=0.6)
    told: list[tuple[float, float | None, str | None]] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    words = ("--engine", "faulty", "--workers", "1")
    with agent_of(tmp_path, "out", "--allow", "pdfs", *words) as agent:

        async def ingest() -> Any:
            return await agent.client.call_tool("ingest", {"inputs": ["."]}, progress_callback=tell)

        assert not agent.portal.call(ingest).is_error
    steps = [done for done, _, _ in told]
    assert len(steps) > 1
    assert steps == sorted(set(steps))
    assert {total for _, total, _ in told} == {4}
    assert "of 4 files" in str(told[-1][2])
