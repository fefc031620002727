"""The schedules in examples/schedule do what they say, as far as that can be tried here."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import ROOT, copy_examples, environment

SCHEDULE = ROOT / "examples" / "schedule"
SCRIPTS = Path(sys.executable).parent
FIELD = r"(\*|\d+)(-\d+)?(/\d+)?(,\d+)*"


def run(
    command: list[str] | str, cwd: Path, **variables: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        shell=isinstance(command, str),
        executable="/bin/bash" if isinstance(command, str) else None,
        cwd=cwd,
        env=environment(PATH=f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", **variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.fixture
def night(tmp_path: Path, pdfs: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run a command of a schedule on a directory of its own."""

    def night(command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        for there, here in (("/srv/pdfs", pdfs), ("run docs", f"run {pdfs}")):
            command = command.replace(there, str(here))
        return run(command.replace("/srv/ingested", "ingested"), tmp_path, **variables)

    return night


Night = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def examples(pdfs: Path) -> None:
    """Files of which three fail."""
    copy_examples(pdfs)


def cron_command() -> str:
    """The command of the crontab; a percent sign would end it (crontab(5))."""
    *_, line = (SCHEDULE / "crontab").read_text().splitlines()
    match = re.fullmatch(rf"{FIELD}( {FIELD}){{4}} (?P<command>[^%]+)", line)
    assert match, line
    return match["command"]


@pytest.mark.usefixtures("examples")
def test_cron_sends_mail_that_says_what_to_look_at(night: Night) -> None:
    done = night(cron_command())
    assert done.stderr == ""
    assert done.stdout == "some PDFs failed: see ingested/report.jsonl\n"


def test_cron_sends_no_mail_if_all_is_well(night: Night, pdfs: Path) -> None:
    shutil.copy(ROOT / "examples" / "pdfs" / "table.pdf", pdfs)
    assert night(cron_command()).stdout == ""


def test_cron_sends_mail_if_it_cannot_work(night: Night, tmp_path: Path, pdfs: Path) -> None:
    shutil.copy(ROOT / "examples" / "pdfs" / "table.pdf", pdfs)
    (tmp_path / "ingested").write_text("in the way")
    assert night(cron_command()).stdout == "pdfingest could not do its work\n"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
@pytest.mark.parametrize("unit", ["pdfingest.service", "pdfingest.timer"])
def test_systemd_accepts_the_units(tmp_path: Path, unit: str) -> None:
    for path in SCHEDULE.glob("pdfingest.*"):
        text = path.read_text().replace("/usr/local/bin/pdfingest", str(SCRIPTS / "pdfingest"))
        (tmp_path / path.name).write_text(text)
    done = run(["systemd-analyze", "verify", "--man=no", str(tmp_path / unit)], tmp_path)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.usefixtures("examples")
def test_the_service_ends_as_its_unit_expects(night: Night) -> None:
    unit = (SCHEDULE / "pdfingest.service").read_text()
    (command,) = re.findall(r"^ExecStart=/usr/local/bin/(.*)$", unit, re.MULTILINE)
    (successes,) = re.findall(r"^SuccessExitStatus=(.*)$", unit, re.MULTILINE)
    assert str(night(command).returncode) in successes.split()


def workflow_script() -> str:
    """The script of the step that ingests."""
    text = (SCHEDULE / "github-workflow.yml").read_text()
    (script,) = re.findall(r"run: \|\n((?: {10}.*\n)+)", text)
    return "set -e\n" + re.sub(r"^ {10}", "", script, flags=re.MULTILINE)


def test_the_workflow_keeps_to_the_schema() -> None:
    command = ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = run([*command, str(SCHEDULE / "github-workflow.yml")], ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.usefixtures("examples")
def test_the_workflow_annotates_what_failed_and_goes_on(night: Night, tmp_path: Path) -> None:
    done = night(workflow_script(), GITHUB_ACTIONS="true")
    assert (done.returncode, done.stdout) == (0, "")
    lines = done.stderr.splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error"] * 3, done.stderr
    assert (tmp_path / "ingested" / "pages.jsonl").stat().st_size > 0


def test_the_workflow_is_content_without_pdfs(night: Night) -> None:
    done = night(workflow_script(), GITHUB_ACTIONS="true")
    assert (done.returncode, done.stdout) == (0, "::notice::there is no PDF yet\n")


@pytest.mark.usefixtures("examples")
def test_the_workflow_fails_if_it_cannot_work(night: Night, tmp_path: Path) -> None:
    (tmp_path / "ingested").write_text("in the way")
    done = night(workflow_script(), GITHUB_ACTIONS="true")
    assert (done.returncode, done.stdout) == (4, "")
    assert "ingested" in done.stderr
