"""The programs of docs/client.md are run, against a service that a test plays."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import ROOT

from .mishaps import refuse
from .stage import Scene, Stage, done
from .test_verify_webhook import BODY, signed

PAGE = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
HERE, MANY, ASYNCIO, WEBHOOK = re.findall(r"<!-- service -->\n```python\n(.*?)```", PAGE, re.DOTALL)


def run(program: str, stage: Stage, folder: Path) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PDFINGEST_URL": stage.url},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    return ran.stdout


def converted(scene: Scene) -> bool:
    done(scene.stage.add())
    scene.answer(200, b"# Title", {"Content-Type": scene.asked.headers["accept"]})
    return True


@pytest.fixture
def folder(stage: Stage, tmp_path: Path) -> Path:
    (tmp_path / "example.pdf").write_bytes(b"%PDF-")
    stage.fault("POST", "/v1/convert", converted)
    for number in range(1, 9):
        stage.results[f"j{number}"] = [b'{"text":"one"}\n{"text":"two"}\n']
    return tmp_path


def test_the_first_program_shows_text_state_and_records(stage: Stage, folder: Path) -> None:
    assert run(HERE, stage, folder) == "# Title\ndone ok\none\ntwo\n"


def test_the_program_for_many_files_saves_records_and_names_what_was_refused(
    stage: Stage, folder: Path
) -> None:
    (folder / "pdfs").mkdir()
    for number in range(5):
        (folder / "pdfs" / f"{number}.pdf").write_bytes(b"%PDF-")
    stage.fault("POST", ".*", refuse(415, "not a PDF"))
    shown = run(MANY, stage, folder)
    assert re.fullmatch(r"pdfs/\d\.pdf refused 415 not a PDF\n", shown)
    assert len([*(folder / "pdfs").glob("*.jsonl")]) == 4


def test_the_program_for_asyncio_shows_records(stage: Stage, folder: Path) -> None:
    assert run(ASYNCIO, stage, folder) == "one\ntwo\n"


def test_the_receiver_of_webhooks_takes_those_of_the_service_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", "a secret")
    program: dict[str, object] = {}
    exec(WEBHOOK, program)
    receive = program["receive"]
    assert callable(receive)
    assert receive(BODY, signed()) == 204
    assert capsys.readouterr().out == "j1 done\n"
    assert receive(BODY + b" ", signed()) == 400
    assert receive(BODY, signed(at=int(time.time()) - 301)) == 400


def test_the_page_names_every_method_and_error() -> None:
    from pdfingest import client  # noqa: PLC0415 - beside what it is compared with

    errors = {name for name in client.__all__ if name[0].isupper() and name in PAGE}
    assert errors >= {"JobFailed", "NotReachable", "Refused", "StillRunning", "WebhookError"}
    methods = {name for name in vars(client.Client) if not name.startswith("_")} - {"close"}
    assert {name for name in methods if name not in PAGE} == set()
