"""stdin, stdout and stderr where they are closed, full or gone: data never mixes with anything."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from conftest import Cli, environment, make_pdf, read_lines, wait_for

pytestmark = pytest.mark.skipif(os.name != "posix", reason="closes descriptors as a shell does")


def closing(*numbers: int) -> Callable[[], None]:
    """What a shell does for `>&-`."""

    def close() -> None:
        for number in numbers:
            os.close(number)

    return close


def without(numbers: str, command: Sequence[str | Path]) -> list[str | Path]:
    """A command that starts without these descriptors, in the same process."""
    closed = " ".join(f"{number}>&-" for number in numbers)
    return ["sh", "-c", f'exec "$@" {closed}', "sh", *command]


def test_with_stderr_closed_the_data_is_all_there_is_on_stdout(cli: Cli, pdfs: Path) -> None:
    make_pdf(pdfs / "a.pdf", ["one", "two"])
    for more in (["--verbose"], ["--log-format", "json"], []):
        done = cli("run", pdfs, "-o", "-", *more, preexec_fn=closing(2))
        assert done.returncode == 0
        texts = [json.loads(line)["text"].strip() for line in done.stdout.splitlines()]
        assert texts == ["one", "two"]


def test_a_message_goes_nowhere_where_stderr_is_closed(cli: Cli) -> None:
    done = cli("run", "nowhere.pdf", preexec_fn=closing(2))
    assert (done.returncode, done.stdout) == (2, "")


def descriptors(pid: int) -> dict[int, str]:
    """What the standard descriptors of a process stand for."""
    return {number: os.readlink(f"/proc/{pid}/fd/{number}") for number in range(3)}


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("numbers", ["012", "2", "0", "12"])
def test_no_file_of_a_run_becomes_a_closed_standard_descriptor(
    faulty: Callable[..., Path], out: Path, numbers: str
) -> None:
    path = faulty("a.pdf", fault="hang")
    command = [sys.executable, "-m", "pdfingest", "run", str(path), "-o", str(out)]
    process = subprocess.Popen(
        without(numbers, [*command, "--engine", "faulty"]), env=environment()
    )
    try:
        lock = out / ".pdfingest" / "lock"
        wait_for(lambda: lock.exists() and lock.read_text())
        wait_for(lambda: list((out / ".pdfingest" / "spool").glob("*")))
        found = descriptors(process.pid)
    finally:
        process.kill()
        process.wait()
    assert {found[int(number)] for number in numbers} == {os.devnull}


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_daemon_without_standard_descriptors_may_ingest(pdfs: Path, out: Path) -> None:
    make_pdf(pdfs / "a.pdf")
    found = pdfs.parent / "found.json"
    code = (
        "import json, os, sys\n"
        "from pdfingest import IngestOptions, Listener, ingest\n"
        "class Look(Listener):\n"
        "    def on_finished(self, finished, summary):\n"
        "        found = {n: os.readlink(f'/proc/self/fd/{n}') for n in range(3)}\n"
        "        with open(sys.argv[3], 'w') as file:\n"
        "            json.dump(found, file)\n"
        "summary = ingest([sys.argv[1]], IngestOptions(output=sys.argv[2]), listeners=[Look()])\n"
        "sys.exit(summary.ok != 1)\n"
    )
    done = subprocess.run(
        without("012", [sys.executable, "-c", code, pdfs, out, found]),
        env=environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    # A library that was loaded before may have opened its own: libffi keeps its file open.
    files = {name for name in json.loads(found.read_text()).values() if ".so" not in name}
    assert files <= {os.devnull}


def test_a_daemon_that_wants_records_on_its_closed_stdout_is_told(pdfs: Path) -> None:
    make_pdf(pdfs / "a.pdf")
    code = (
        "import sys\n"
        "from pdfingest import IngestOptions, PdfingestError, ingest\n"
        "try:\n"
        "    ingest([sys.argv[1]], IngestOptions(output='-'))\n"
        "except PdfingestError as error:\n"
        "    sys.exit(f'{error.exit_code:d} {error}')\n"
    )
    done = subprocess.run(
        without("1", [sys.executable, "-c", code, pdfs]),
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr.startswith("4 stdout is closed")


@pytest.fixture
def ingested(cli_here: Cli, pdfs: Path, out: Path) -> Path:
    """An output directory with a file in it."""
    make_pdf(pdfs / "a.pdf")
    assert cli_here("run", pdfs, "-o", out, "-q").returncode == 0
    return out


WRITES_DATA = [
    ["run", "{pdfs}", "-o", "-", "-q"],
    ["run", "{pdfs}", "--force", "--dry-run"],
    ["report", "{out}"],
    ["report", "{out}", "--csv"],
    ["--version"],
    ["--help"],
    ["run", "--help"],
]


def filled(words: Sequence[str], pdfs: Path, out: Path) -> list[str]:
    """Words of a command line with the directories of a test."""
    return [word.format(pdfs=pdfs, out=out) for word in words]


@pytest.mark.parametrize("words", WRITES_DATA, ids=" ".join)
def test_data_for_a_closed_stdout_is_an_error_of_the_environment(
    cli: Cli, ingested: Path, pdfs: Path, words: list[str]
) -> None:
    done = cli(*filled(words, pdfs, ingested), preexec_fn=closing(1))
    assert done.returncode == 4
    assert done.stderr.startswith("pdfingest: stdout is closed")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
@pytest.mark.parametrize("words", WRITES_DATA, ids=" ".join)
def test_data_for_a_full_disk_is_an_error_of_the_environment(
    cli: Cli, ingested: Path, pdfs: Path, words: list[str]
) -> None:
    with open("/dev/full", "w") as full:
        done = cli(
            *filled(words, pdfs, ingested),
            capture_output=False,
            stdout=full,
            stderr=subprocess.PIPE,
        )
    assert done.returncode == 4
    assert done.stderr == (
        "pdfingest: cannot write to stdout: No space left on device. "
        "Free some space, or send it elsewhere.\n"
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_messages_for_a_full_disk_do_not_end_a_run(cli: Cli, pdfs: Path, out: Path) -> None:
    make_pdf(pdfs / "a.pdf")
    with open("/dev/full", "w") as full:
        done = cli("run", pdfs, "-o", out, "-v", capture_output=False, stderr=full)
    assert done.returncode == 0
    assert len(read_lines(out / "pages.jsonl")) == 1


@pytest.mark.parametrize(
    ("more", "lines"), [(["--quiet"], 0), (["--no-progress"], 1)], ids=["quiet", "not quiet"]
)
def test_a_reader_that_goes_away_is_told_of_in_one_line_and_not_if_quiet(
    faulty: Callable[..., Path], pdfs: Path, more: list[str], lines: int
) -> None:
    for number in range(30):
        faulty(f"{number}.pdf", pages=20, text="x" * 2000)
    done = subprocess.run(
        f'"{sys.executable}" -m pdfingest run "{pdfs}" -o - --engine faulty {" ".join(more)}'
        ' | head -n 1 | wc -l; echo "${PIPESTATUS[0]}"',
        shell=True,
        executable="/bin/bash",
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["1", "4"]
    told = [line for line in done.stderr.splitlines() if line.startswith("pdfingest: ")]
    assert len(told) == lines
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_list_from_a_closed_stdin_is_a_usage_error(cli: Cli) -> None:
    done = cli("run", "--files-from", "-", preexec_fn=closing(0))
    assert done.returncode == 2
    assert done.stderr.startswith("pdfingest: stdin is closed")


def test_a_stdout_that_does_not_block_gets_every_byte(pdfs: Path) -> None:
    make_pdf(pdfs / "a.pdf", ["word " * 3000] * 12)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    process = subprocess.Popen(
        [sys.executable, "-m", "pdfingest", "run", str(pdfs), "-o", "-", "-q"],
        env=environment(),
        stdout=writer,
    )
    os.close(writer)
    with open(reader, "rb") as file:
        lines = file.read().splitlines()
    assert process.wait(60) == 0
    numbers = [json.loads(line)["metadata"]["page"] for line in lines]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 12
