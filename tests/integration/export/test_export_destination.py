"""An export is written whole or not at all, and costs nothing that was there."""

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Cli, as_nobody_special, environment, in_a_place_where
from exports import Make, Run, exported
from pdfingest.errors import RecordsError
from pdfingest.export.export import export
from pdfingest.export.target import Target
from pdfingest.output.lock import held


@pytest.mark.usefixtures("sources")
def test_an_old_export_is_replaced_as_a_whole(cli_here: Cli, run: Run, out: Path) -> None:
    run(out)
    cli_here("export", out, "--to", "langchain", "-o", out / "made", "--shard-bytes", "2K")
    cli_here("export", out, "--to", "dolma", "-o", out / "made")
    assert [path.name for path in (out / "made").iterdir()] == ["pages-00000.jsonl.gz"]
    assert not (out / "made.new").exists()


@pytest.mark.usefixtures("sources")
def test_what_no_export_wrote_is_not_replaced(cli_here: Cli, run: Run, out: Path) -> None:
    run(out)
    (out / "mine").mkdir()
    (out / "mine" / "pages-00000.jsonl").touch()
    (out / "mine" / "notes.txt").touch()
    for path, reason in (
        (out / "mine", "holds notes.txt, which no export wrote"),
        (out, "which no export wrote"),
        (out / "summary.json", "is a file"),
    ):
        done = cli_here("export", out, "--to", "langchain", "-o", path)
        assert done.returncode == 2
        assert done.stderr.startswith(f"pdfingest: --output: {path} ")
        assert reason in done.stderr
    assert sorted(path.name for path in (out / "mine").iterdir()) == [
        "notes.txt",
        "pages-00000.jsonl",
    ]


@pytest.mark.usefixtures("sources")
def test_a_link_to_a_directory_stays_one(cli_here: Cli, run: Run, out: Path) -> None:
    run(out)
    (out / "elsewhere").mkdir()
    (out / "link").symlink_to("elsewhere")
    assert cli_here("export", out, "--to", "langchain", "-o", out / "link").returncode == 0
    assert (out / "link").is_symlink()
    assert exported(out / "elsewhere")


@pytest.mark.usefixtures("sources")
def test_the_output_of_a_run_in_the_environment_is_no_destination(
    cli_here: Cli, run: Run, out: Path
) -> None:
    run(out)
    variables = {"PDFINGEST_OUTPUT": str(out), "PDFINGEST_EXPORT_OUTPUT": str(out / "made")}
    assert cli_here("export", out, "--to", "langchain", env=variables).returncode == 0
    assert exported(out / "made")


@pytest.mark.usefixtures("sources")
def test_a_killed_export_costs_nothing_and_leaves_nothing(
    run: Run, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(out)
    export(str(out), Target.LANGCHAIN)
    old = exported(out / "langchain")

    for name in ("os.fsync", "os.rename"):  # in the midst of writing, and when it is written
        with monkeypatch.context() as patch:

            def killed(*_: object, patch: pytest.MonkeyPatch = patch) -> None:
                patch.setattr("shutil.rmtree", lambda *_, **__: None)  # it clears nothing up
                raise KeyboardInterrupt

            patch.setattr(name, killed)
            with pytest.raises(KeyboardInterrupt):
                export(str(out), Target.LANGCHAIN)
        assert exported(out / "langchain") == old
        assert (out / "langchain.new" / "shards").exists()
    export(str(out), Target.LANGCHAIN)
    assert exported(out / "langchain") == old
    assert not (out / "langchain.new").exists()


@pytest.mark.usefixtures("sources")
def test_an_old_export_that_was_moved_away_comes_back(run: Run, out: Path) -> None:
    run(out)
    export(str(out), Target.LANGCHAIN)
    old = exported(out / "langchain")
    (out / "langchain.new").mkdir()
    (out / "langchain").rename(out / "langchain.new" / "old")  # and killed before the new one is
    (out / "pages.jsonl").write_bytes(b"")  # so that the next export fails
    with pytest.raises(RecordsError, match="does not hold what its ledger says"):
        export(str(out), Target.LANGCHAIN)
    assert exported(out / "langchain") == old


@pytest.mark.usefixtures("sources")
def test_two_exports_do_not_write_to_one_place(cli_here: Cli, run: Run, out: Path) -> None:
    run(out)
    with held(str(out / "langchain.new")):
        done = cli_here("export", out, "--to", "langchain")
        assert done.returncode == 75
        assert f"another export writes to {out / 'langchain'}. Wait for it" in done.stderr
        assert cli_here("export", out, "--to", "haystack").returncode == 0


@pytest.mark.usefixtures("sources")
def test_a_place_that_cannot_be_written_is_told(run: Run, out: Path) -> None:
    run(out)
    out.chmod(0o555)
    command = [*as_nobody_special(), sys.executable, "-m", "pdfingest", "export", str(out)]
    done = subprocess.run(
        [*command, "--to", "langchain"],
        env=environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    out.chmod(0o755)
    assert done.returncode == 4
    assert "Permission denied" in done.stderr
    assert "name another --output" in done.stderr


def test_a_full_disk_is_told_and_gets_back_what_was_written(
    run: Run, faulty: Make, out: Path, tmp_path: Path
) -> None:
    faulty("a.pdf", pages=40, text="x" * 100_000)
    run(out)
    disk = tmp_path / "disk"
    disk.mkdir()
    program = in_a_place_where(f"mount -t tmpfs -o size=1m none {disk}")
    command = f"{sys.executable} -m pdfingest export {out} --to langchain -o {disk}/made"
    done = subprocess.run(
        [*program, "sh", "-c", f"{command}; echo $?; ls {disk}"],
        env=environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stdout == "4\n", "and nothing is left on it"
    assert f"cannot write to {disk}/made: No space left on device" in done.stderr


def test_a_mount_point_is_told(out: Path, run: Run, faulty: Make, tmp_path: Path) -> None:
    faulty("a.pdf")
    run(out)
    disk = tmp_path / "disk"
    disk.mkdir()
    program = in_a_place_where(f"mount -t tmpfs none {disk}")
    command = [sys.executable, "-m", "pdfingest", "export", str(out), "--to", "langchain"]
    done = subprocess.run(
        [*program, *command, "-o", str(disk)],
        env=environment(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "is a mount point. Name a directory below it." in done.stderr


def test_of_a_file_the_destination_must_be_named(
    cli_here: Cli, faulty: Make, pdfs: Path, out: Path
) -> None:
    faulty("a.pdf", pages=2)
    cli_here("run", pdfs, "-o", out, "--engine", "faulty", "-q")
    done = cli_here("export", out / "pages.jsonl", "--to", "langchain")
    assert (done.returncode, "--output: must be named" in done.stderr) == (2, True)
    done = cli_here("export", out / "pages.jsonl", "--to", "langchain", "-o", out / "other")
    assert (done.returncode, len(list((out / "other").iterdir()))) == (0, 1)
