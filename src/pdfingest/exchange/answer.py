"""Answers: how a child tells its parent what came of a job, and how much of that is believed.

An answer crosses as one JSON object. A file may have taken its child over, so the parent believes
what has the form of an answer to the job that it gave, and nothing else: an answer that is not one
counts as a death of the child. What a well-formed answer says can then be false about its own file
only. Why no pickle: even with a restricted list of classes, a pickle can set attributes of these
classes in the process that reads it (opcode BUILD).

Whether the machine has failed, as an `EnvironmentFailure` says, is not decided here: the supervisor
asks a child that opens no file.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias, get_args, get_origin, get_type_hints

from pdfingest.job import Job
from pdfingest.model import FailureKind
from pdfingest.outcome import Cost, EnvironmentFailure, Extracted, Failed, Halted, Unchanged

Answer: TypeAlias = Extracted | Failed | Unchanged | Halted | EnvironmentFailure

_MOST = 1 << 53
"""Largest number that is believed: a JSON reader that uses doubles still reads it exactly."""
_MOST_CHARS = 4096
_MOST_ATTACHMENTS = 1000
_SHA256 = re.compile(r"(?:[0-9a-f]{64})?", re.ASCII)

_Read: TypeAlias = Callable[[Any], Any]


class NotAnAnswer(NamedTuple):
    """Stand for bytes that a child sent in place of an answer; the message says what is wrong."""

    message: str


def encoded(answer: Answer) -> bytes:
    """Encode an answer. Runs in the child."""
    return _encode([type(answer).__name__, answer]).encode()


def decoded(data: bytes, job: Job) -> Answer | NotAnAnswer:
    """Decode what a child sent at the end of a job. Runs in the parent."""
    try:
        name, content = json.loads(data)
        answer: Answer = _READERS[name](content)
        _check(answer, job)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        return NotAnAnswer(f"its child sent what is no answer ({type(error).__name__}: {error})")
    return answer


_encode = json.JSONEncoder(check_circular=False).encode


@cache
def _reader(hint: Any) -> _Read:
    """Return a function that checks that a value has a type, and raises where it has another."""
    if get_origin(hint) is tuple:
        item = _reader(get_args(hint)[0])
        return lambda value: tuple(map(item, _list(value)))
    return _SCALARS[hint] if hint in _SCALARS else _value_reader(hint)


def _value_reader(of: Any) -> _Read:
    """Return a function that makes a named tuple of the list of all its fields."""
    hints = get_type_hints(of)
    readers = [_reader(hints[name]) for name in of._fields]

    def read(value: Any) -> Any:
        items = _list(value)
        if len(items) != len(readers):
            raise TypeError(f"{of.__name__} has other fields")
        return of(*[reader(item) for reader, item in zip(readers, items, strict=True)])

    return read


def _list(value: Any) -> list[Any]:
    """Check that a value is a list; its items are not looked at."""
    if type(value) is not list:
        raise TypeError("a list is expected")
    items: list[Any] = value  # pyright: ignore[reportUnknownVariableType] - Any, by JSON
    return items


def _number(value: Any) -> int:
    """Check that a value is a whole number from 0 on."""
    if type(value) is not int or not 0 <= value <= _MOST:
        raise TypeError("a number is expected")
    return value


def _amount(value: Any) -> float:
    """Check that a value is a number from 0 on, such as of seconds or of points."""
    if type(value) not in {int, float} or not 0 <= value <= _MOST:
        raise TypeError("an amount is expected")
    return float(value)


def _text(value: Any) -> str:
    """Check that a value is a text of limited length."""
    if type(value) is not str or len(value) > _MOST_CHARS:
        raise TypeError("a short text is expected")
    return value


def _flag(value: Any) -> bool:
    """Check that a value is true or false."""
    if type(value) is not bool:
        raise TypeError("true or false is expected")
    return value


_SCALARS: Mapping[Any, _Read] = {
    bool: _flag,
    int: _number,
    float: _amount,
    str: _text,
    FailureKind: FailureKind,
    FailureKind | None: lambda value: None if value is None else FailureKind(value),
}


_READERS: Mapping[str, _Read] = {each.__name__: _reader(each) for each in get_args(Answer)}


def _check(answer: Answer, job: Job) -> None:
    """Refuse, by a ValueError, an answer that no child could give to this job."""
    if isinstance(answer, EnvironmentFailure):
        return
    if answer.cost.attempts != 1 or answer.cost.signal:
        raise ValueError("it speaks of other children")
    if isinstance(answer, Halted):
        return
    if not _SHA256.fullmatch(answer.sha256):
        raise ValueError("its hash is none")
    if isinstance(answer, Unchanged):
        if job.earlier is None or answer._replace(cost=Cost()) != job.earlier._replace(cost=Cost()):
            raise ValueError("no earlier run ingested that")
        return
    if answer.engine not in {engine.name for engine in job.engines}:
        raise ValueError("the job does not have this engine")
    if isinstance(answer, Extracted) and len(answer.traits.attachments) > _MOST_ATTACHMENTS:
        raise ValueError("it has too many attachments")
    _check_pages(answer, job)


def _check_pages(answer: Extracted | Failed, job: Job) -> None:
    """Refuse, by a ValueError, numbers of lost pages that are not in order, or not of the job."""
    lost = answer.failed_pages
    if isinstance(answer, Extracted) and answer.last_page > job.limits.pages:
        raise ValueError("it has more pages than are allowed")
    if any(after <= before for before, after in pairwise(lost)):
        raise ValueError("the lost pages are not in order")
    if lost and not job.pages.begin <= lost[0] <= lost[-1] <= (job.pages.end or lost[-1]):
        raise ValueError("a lost page is not of the job")
