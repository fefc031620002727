"""A file that has taken its child over can lie about itself, and about nothing else."""

import json
import math
import os
import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Cli, read_lines
from pdfingest.exchange.answer import encoded
from pdfingest.model import FailureKind
from pdfingest.outcome import Cost, EnvironmentFailure, Extracted, Failed

pytestmark = pytest.mark.usefixtures("starts")
GOOD = ("a.pdf", "b.pdf", "y.pdf", "z.pdf")
SHA256 = "ab" * 32
FINE = Extracted(Cost(), SHA256, "faulty", 3, 30, 0, last_page=3)
AT_ONCE = ("--timeout", "4", "--page-timeout", "1", "-w", "9")
"""Each may take all of its time, so they do it beside one another."""

Orders = dict[str, dict[str, Any]]


@pytest.fixture
def run(cli: Cli, faulty: Callable[..., Path], pdfs: Path, out: Path) -> Callable[..., Any]:
    """Run bad files among good ones, which must be whole; gives the bad ones' report lines."""

    def play(orders: Orders, *args: str, unit: str = "page", **options: Any) -> Orders:
        for name in GOOD:
            faulty(name, pages=2)
        for name, order in orders.items():
            faulty(f"{name}.pdf", **{"pages": 3, "page": 2, **order})
        arguments = ("run", pdfs, "-o", out, "--engine", "faulty", "-w", "2", "--unit", unit, *args)
        done = cli(*arguments, **options)
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr
        report = {line["source"]: line for line in read_lines(out / "report.jsonl")}
        assert sorted(report) == sorted([*GOOD, *(f"{name}.pdf" for name in orders)])
        assert all(report[name]["status"] == "ok" for name in GOOD)
        found = Counter(record["source"] for record in read_lines(out / f"{unit}s.jsonl"))
        for source, line in report.items():
            assert found[source] == (
                line["pages"] if unit == "page" else line["status"] != "failed"
            )
        return {name: report[f"{name}.pdf"] for name in orders}

    return play


def forged(**fields: Any) -> str:
    """The encoding of a good answer, in which some fields have other values."""
    kind, values = json.loads(encoded(FINE))
    of_class = dict(zip(Extracted._fields, values, strict=True))
    return json.dumps([kind, [*{**of_class, **fields}.values()]])


LIES = {
    "a text for a number": forged(pages="3"),
    "a number that no database takes": forged(chars=1 << 70),
    "endless time": forged(cost=[1, math.inf, 0.0, 0.0, [0, 0, ""], 1, "", ""]),
    "no JSON": "nonsense",
    "more lost pages than there can be": forged(last_page=1 << 50),
    "what it has not written": forged(),
    "what it has not written, without a hash": forged(sha256=""),
}


def test_an_answer_of_its_own_costs_no_other_file_its_record(run: Callable[..., Any]) -> None:
    orders = {
        f"{lie}{', and stays' * stays}": {"fault": "answers", "answer": answer, "stays": stays}
        for lie, answer in LIES.items()
        for stays in (False, True)
    }
    for lie, line in run(orders).items():
        assert line["status"] in ("partial", "failed"), lie
        assert line["failure"] in ("crashed", "engine_error"), lie
        assert line["pages"] + line["pages_failed"] <= 3, lie


class Bomb:
    """An object whose pickle makes a directory where it is loaded."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self._path,)


def test_a_pickle_is_no_answer_and_is_not_loaded(run: Callable[..., Any], tmp_path: Path) -> None:
    pickled = pickle.dumps(Bomb(tmp_path / "loaded"), protocol=0).decode("ascii")
    lines = run({"bad": {"fault": "answers", "answer": pickled}})
    assert (lines["bad"]["status"], lines["bad"]["failure"]) == ("partial", "crashed")
    assert not (tmp_path / "loaded").exists()


def test_an_answer_to_the_call_of_another_child_is_none(run: Callable[..., Any]) -> None:
    failed = encoded(Failed(FailureKind.ENCRYPTED, "no", Cost(), engine="faulty")).decode()
    orders = {
        f"{other}": {"fault": "answers", "answer": failed, "other": other}
        for other in (1, 99, 1 << 40)
    }
    for other, line in run(orders).items():
        assert (line["status"], line["failure"]) == ("partial", "crashed"), other


def test_a_child_cannot_take_the_call_of_the_next(run: Callable[..., Any]) -> None:
    lines = run({f"{number}": {"fault": "steals_calls"} for number in range(4)}, "--sandbox", "off")
    assert all(line["status"] == "ok" for line in lines.values())


def test_a_failure_that_it_makes_up_is_its_own(run: Callable[..., Any]) -> None:
    failed = Failed(FailureKind.ENCRYPTED, "no", Cost(), engine="faulty")
    lines = run({"bad": {"fault": "answers", "answer": encoded(failed).decode()}})
    assert (lines["bad"]["status"], lines["bad"]["failure"]) == ("failed", "encrypted")


def test_a_failure_of_the_machine_is_believed_only_if_another_child_sees_it(
    run: Callable[..., Any],
) -> None:
    orders = {
        what: {"fault": "answers", "answer": encoded(EnvironmentFailure(what, "full")).decode()}
        for what in ("spool", "engine", "sandbox", "anything")
    }
    for what, line in run(orders).items():
        assert (line["status"], line["failure"]) == ("partial", "crashed"), what
        assert (line["pages"], line["failed_pages"]) == (2, [2]), what
        assert "blamed the machine" in line["message"], what


FORGERIES = {
    "not UTF-8": b"\xff\xfe not UTF-8\n",
    "not JSON": b"not JSON\n",
    "torn": b'{"torn": ',
    "of another": b'{"id":"x","text":"","source":"a.pdf","metadata":{},"tables":[],"links":[]}\n',
    "empty lines": b"\n\n\n",
    "NUL": b"\0" * 5000,
}


@pytest.mark.parametrize("unit", ["page", "document", "chunk"])
def test_bytes_that_are_no_record_do_not_reach_the_outputs(
    run: Callable[..., Any], unit: str
) -> None:
    orders = {
        name: {"fault": "writes_spool", "bytes": content.decode("latin-1")}
        for name, content in FORGERIES.items()
    }
    for name, line in run(orders, unit=unit).items():
        if unit == "page":
            assert (line["status"], line["failure"]) == ("partial", "engine_error"), name
            assert (line["pages"], line["failed_pages"]) == (1, [2, 3]), name
        else:
            assert (line["status"], line["failure"]) == ("failed", "engine_error"), name


def test_a_stream_has_only_whole_records(cli: Cli, faulty: Callable[..., Path], pdfs: Path) -> None:
    faulty("a.pdf")
    faulty("bad.pdf", pages=3, page=2, fault="writes_spool", bytes="not JSON\n")
    done = cli("run", pdfs, "-o", "-", "--engine", "faulty", "--quiet")
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(record["source"] for record in records) == ["a.pdf", "bad.pdf"]


FUTURE, PAST = 1e18, 0.0
NOTES = {
    "a page that is read for ever": [0, 2, 3, 0, FUTURE, 0, 0],
    "an answer that is ready for ever": [0, (1 << 64) - 1, 3, 0, FUTURE, 0, 0],
    "a time that is no number": [0, 2, 3, 0, math.nan, 0, 0],
    "a page that is late": [0, 2, 3, 0, PAST, 0, 0],
    "an engine that is none": [9, 2, 3, 0, PAST, 0, 0],
    "more pages than there can be": [0, 1 << 60, 1 << 62, 0, PAST, 0, 0],
    "a spool without end": [0, 2, 3, 1 << 62, PAST, 0, 0],
    "an aside that is none": [0, 2, 3, 0, PAST, 0, 99],
}


def test_a_flight_recorder_that_lies_costs_no_other_file_and_does_not_hang_the_run(
    run: Callable[..., Any],
) -> None:
    orders: Orders = {
        name: {"fault": "ruins_recorder", "note": note} for name, note in NOTES.items()
    }
    orders["a file that is cut off"] = {"fault": "ruins_recorder", "truncates": True}
    for name, line in run(orders, *AT_ONCE).items():
        assert line["status"] in ("partial", "failed"), name
        assert line["pages_failed"] <= 3, name


SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "secret of the cloud",
    "PDFINGEST_WEBHOOK_SECRET": "secret of the webhook",
    "PDFINGEST_REDIS_URL": "redis://:secret@host/0",
    "SOME_TOKEN": "secret of somebody",
}


def test_a_child_has_no_variables_but_those_that_it_needs(
    run: Callable[..., Any], out: Path
) -> None:
    lines = run({"bad": {"fault": "shows_variables"}}, env={**SECRETS, "TZ": "UTC"})
    assert lines["bad"]["status"] == "ok"
    text = "".join(r["text"] for r in read_lines(out / "pages.jsonl") if r["source"] == "bad.pdf")
    assert "secret" not in text
    assert "TZ=UTC" in text
