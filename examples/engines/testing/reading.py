"""Reads PDFs with an engine, as its user does, for the tests that stand beside the engines."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parent.parent.parent
PDFS = EXAMPLES / "pdfs"
BROKEN = EXAMPLES / "broken"
PASSWORD = "correct horse"  # noqa: S105 - of an example
IN_ORDER = ("first", "second", "third", "")
"""What is on each page of pages.pdf and on no other; the last is blank."""
_TIMEOUT_S = 240


@dataclass(frozen=True)
class Reading:
    """What a run gave."""

    texts: Mapping[str, Sequence[str]]
    """The texts of the records of each file that has some, in the order of their pages."""
    failures: Mapping[str, str]
    """The kind of failure of each file that failed."""
    summary: Mapping[str, Any]
    stderr: str


def read(path: Path, *options: str, **variables: str) -> Reading:
    """Run `pdfingest run` on a file or a folder.

    Args:
        path: what is read.
        options: of the command, such as `--engine` and a name.
        variables: of the environment, beside those of this process.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603 - this program
            [sys.executable, "-m", "pdfingest", "run", path, "-o", folder, *options],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        summary = Path(folder, "summary.json")
        texts: dict[str, list[str]] = {}
        for records in ("pages.jsonl", "documents.jsonl"):
            for record in _lines(Path(folder, records)):
                texts.setdefault(record["source"], []).append(record["text"])
        failures = {
            line["source"]: line["failure"]
            for line in _lines(Path(folder, "report.jsonl"))
            if line["status"] == "failed"
        }
        found = json.loads(summary.read_bytes()) if summary.exists() else {}
    return Reading(texts, failures, found, done.stderr)


def _lines(path: Path) -> list[dict[str, Any]]:
    return list(map(json.loads, path.read_bytes().splitlines())) if path.exists() else []


def in_order(texts: Sequence[str]) -> bool:
    """Whether each of the texts of pages.pdf is that of its own page."""
    known = [word for word in IN_ORDER if word]
    return len(texts) == len(IN_ORDER) and all(
        (own in text and not any(word in text for word in known if word != own))
        if own
        else not text.strip()
        for own, text in zip(IN_ORDER, texts, strict=True)
    )
