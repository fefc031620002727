"""What a log collector reads: with `--log-format json`, every line of stderr is a JSON object."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import FAULTS, Cli, Lines, environment
from terminal import shown_in_terminal

Make = Callable[..., Path]


def objects(stderr: str) -> Lines:
    """The lines of a log, each of which has what every line has."""
    lines: Lines = [json.loads(line) for line in stderr.splitlines()]
    for line in lines:
        assert {"time", "level", "event"} <= line.keys()
        assert line["level"] in {"info", "warning", "error"}
    return lines


@pytest.fixture
def json_run(cli: Cli, cli_here: Cli, pdfs: Path, out: Path) -> Callable[..., tuple[int, Lines]]:
    """Run with JSON logs; gives the exit code and the log."""

    def run(*args: object, inputs: Path = pdfs, **options: Any) -> tuple[int, Lines]:
        words = ("run", inputs, "-o", out, "--engine", "faulty", "--log-format", "json")
        begin = cli if options else cli_here  # an environment of its own
        done = begin(*words, *args, **options)
        return done.returncode, objects(done.stderr)

    return run


Run = Callable[..., tuple[int, Lines]]


def test_what_lost_pages_has_a_line_without_verbose(json_run: Run, faulty: Make) -> None:
    faulty("ok.pdf")
    faulty("bad.pdf", fault="raises")
    faulty("half.pdf", fault="raises", pages=3, page=2)
    code, log = json_run()
    assert code == 1
    assert [line["event"] for line in log if line["event"] != "finished"] == ["planned", "summary"]
    finished = {line["source"]: line for line in log if line["event"] == "finished"}
    assert finished.keys() == {"bad.pdf", "half.pdf"}
    bad, half = finished["bad.pdf"], finished["half.pdf"]
    assert (bad["level"], bad["status"], bad["failure"]) == ("error", "failed", "engine_error")
    assert (half["level"], half["status"], half["failure"]) == (
        "warning",
        "partial",
        "engine_error",
    )
    assert "a fault of the engine" in bad["message"]
    assert "a fault of the engine" in half["message"]
    assert (half["pages"], half["pages_failed"]) == (2, 1)


def test_verbose_adds_the_others_with_the_same_keys(json_run: Run, faulty: Make) -> None:
    faulty("ok.pdf")
    faulty("bad.pdf", fault="raises")
    _, log = json_run("--verbose")
    ok, bad = sorted(
        (line for line in log if line["event"] == "finished"),
        key=lambda line: line["level"] != "info",
    )
    assert (ok["source"], ok["status"], ok["failure"], ok["message"]) == ("ok.pdf", "ok", "", "")
    assert {key: type(value) for key, value in ok.items()} == {
        key: type(value) for key, value in bad.items()
    }


def test_a_gate_is_the_last_line(json_run: Run, faulty: Make) -> None:
    faulty("large.pdf", fault="allocate", mib=60)
    code, log = json_run("--max-peak", "70M")
    assert code == 5
    assert (log[-1]["level"], log[-1]["event"]) == ("error", "message")
    assert "exceed --max-peak" in log[-1]["message"]
    assert "large.pdf" in log[-1]["message"]


def test_an_error_that_stops_the_run_is_the_last_line(
    json_run: Run, faulty: Make, out: Path, pdfs: Path
) -> None:
    out.write_text("in the way")
    faulty("a.pdf")
    code, log = json_run()
    assert (code, log[-1]["level"], log[-1]["exit_code"]) == (4, "error", 4)
    assert "cannot write to" in log[-1]["message"]
    code, log = json_run(inputs=pdfs / "nowhere")
    assert (code, log[-1]["exit_code"], len(log)) == (2, 2, 1)
    assert "input does not exist" in log[-1]["message"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--nonsense"], "--nonsense"),
        (["--workers", "many"], "--workers"),
        (["--memory-limit", "much"], "--memory-limit"),
        (["--max-pages"], "--max-pages"),
    ],
)
def test_a_command_line_that_is_not_understood_is_one_line(
    json_run: Run, faulty: Make, args: list[str], said: str
) -> None:
    faulty("a.pdf")
    code, log = json_run(*args)
    assert code == 2
    assert (len(log), log[0]["exit_code"]) == (1, 2)
    assert said in log[0]["message"]


def test_a_command_line_that_is_not_understood_is_told_as_text(cli_here: Cli) -> None:
    done = cli_here("run", "--nonsense")
    assert done.returncode == 2
    assert "No such option: --nonsense" in done.stderr
    assert "{" not in done.stderr


@pytest.mark.parametrize("where", ["flag", "environment"])
def test_the_format_is_known_before_the_command_line_is_parsed(cli_here: Cli, where: str) -> None:
    args = ["--log-format=json"] if where == "flag" else []
    env = {"PDFINGEST_LOG_FORMAT": "json"} if where == "environment" else {}
    done = cli_here("run", "nowhere", *args, "--nonsense", env=env)
    (line,) = objects(done.stderr)
    assert (done.returncode, line["exit_code"]) == (2, 2)


def test_the_format_may_come_from_the_configuration(cli_here: Cli, tmp_path: Path) -> None:
    (tmp_path / "cwd" / "pdfingest.toml").write_text('log-format = "json"\n')
    done = cli_here("run", "nowhere")
    (line,) = objects(done.stderr)
    assert (done.returncode, line["exit_code"]) == (2, 2)


def test_a_configuration_that_cannot_be_read_is_a_line(cli_here: Cli, tmp_path: Path) -> None:
    (tmp_path / "cwd" / "pdfingest.toml").write_text("= broken\n")
    done = cli_here("run", "nowhere", "--log-format", "json")
    (line,) = objects(done.stderr)
    assert (done.returncode, line["exit_code"]) == (2, 2)
    assert "pdfingest.toml cannot be read" in line["message"]


def test_a_flag_for_text_goes_before_an_environment_for_json(cli_here: Cli) -> None:
    env = {"PDFINGEST_LOG_FORMAT": "json"}
    done = cli_here("run", "nowhere", "--log-format", "text", env=env)
    assert done.stderr.startswith("pdfingest: input does not exist")


def test_warnings_are_lines(json_run: Run, faulty: Make) -> None:
    faulty("a.pdf")
    code, log = json_run(env={"SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_COUNT": "3"})
    assert code == 0
    (line,) = (line for line in log if line["level"] == "warning")
    assert "--shard auto takes its share" in line["message"]


@pytest.fixture
def when_it_opens_its_ledger(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """Make an environment in which Python runs a statement when the program opens its ledger."""

    def make(statement: str) -> dict[str, str]:
        hook = f"def hook(event, arguments):\n    if event == 'sqlite3.connect': {statement}\n"
        (tmp_path / "sitecustomize.py").write_text(
            f"import sys, warnings\n{hook}sys.addaudithook(hook)\n"
        )
        return {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(FAULTS)])}

    return make


Hook = Callable[[str], dict[str, str]]


def test_what_python_itself_says_is_a_line(
    json_run: Run, faulty: Make, when_it_opens_its_ledger: Hook
) -> None:
    faulty("a.pdf")
    said = "warnings.warn('old\\nhat'); print('unfinished', end='', file=sys.stderr)"
    code, log = json_run(env=when_it_opens_its_ledger(said))
    assert code == 0
    messages = [line["message"] for line in log if line["event"] == "message"]
    assert "UserWarning: old" in messages[0]
    assert "hat" in messages
    assert "unfinished" in messages


def test_a_bug_is_a_line(json_run: Run, faulty: Make, when_it_opens_its_ledger: Hook) -> None:
    faulty("a.pdf")
    code, log = json_run("--verbose", env=when_it_opens_its_ledger("1 / 0"))
    assert (code, log[-1]["level"], log[-1]["exit_code"]) == (70, "error", 70)
    assert "ZeroDivisionError" in log[-1]["message"]
    assert any("Traceback" in line["message"] for line in log[:-1])


def test_json_goes_before_a_progress_bar(faulty: Make, pdfs: Path, out: Path) -> None:
    faulty("a.pdf", fault="sleep", seconds=0.5)
    args = ("run", pdfs, "-o", out, "--engine", "faulty", "--log-format", "json", "--progress")
    lines = shown_in_terminal(100, pdfs, *args)
    assert objects("\n".join(lines))[-1]["event"] == "summary"


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("stderr", ["full", "closed", "broken"])
def test_a_stderr_that_takes_nothing_changes_nothing(
    faulty: Make, pdfs: Path, out: Path, stderr: str, log_format: str
) -> None:
    faulty("ok.pdf")
    faulty("bad.pdf", fault="raises")
    shell = {"full": "2>/dev/full", "closed": "2>&-", "broken": "2> >(:)"}[stderr]
    command = f'"$@" {shell}; code=$?; echo $code'
    args = [str(pdfs), "-o", str(out), "--engine", "faulty", "-v", "--log-format", log_format]
    done = subprocess.run(
        ["bash", "-c", command, "sh", sys.executable, "-m", "pdfingest", "run", *args],
        env=environment(), capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "1\n"
    assert done.stderr == ""
    assert len((out / "report.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize("stderr", ["full", "closed"])
def test_a_complaint_that_nobody_hears_keeps_its_exit_code(stderr: str) -> None:
    shell = {"full": "2>/dev/full", "closed": "2>&-"}[stderr]
    done = subprocess.run(
        ["bash", "-c", f'"$@" {shell}', "sh", sys.executable, "-m", "pdfingest", "run", "nowhere"],
        env=environment(), check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
