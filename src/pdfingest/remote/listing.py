"""What is in a folder of a store, and what is known of single objects, without getting any.

Asked for in a process of its own, which ends with the listing; a stop ends it.
"""

import json
import subprocess
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pdfingest.errors import ListingError
from pdfingest.model import FailureKind
from pdfingest.remote.address import Address
from pdfingest.remote.place import Listed, Unlisted
from pdfingest.remote.process import start
from pdfingest.stop import Stop

_REQUEST_S = 60.0
"""How long a request for a listing may take, in seconds; it has at most a thousand objects."""


def objects_in(folder: Address, stop: Stop) -> Iterator[Listed]:
    """Yield the objects of a folder, as they are listed.

    Raises:
        ListingError: the folder cannot be listed to its end.
        EngineUnavailableError: obstore is not installed.
    """
    message = "the process that lists it has ended"
    with _started(stop, "list", f"{_REQUEST_S}", f"{folder}") as process:
        for answer in _answers(process):
            match answer:
                case []:
                    return
                case [_, message]:
                    break
                case _:
                    yield Listed(*answer)
    if not stop.requested:
        raise ListingError(
            f"{folder} cannot be listed: {message}. Nothing was forgotten. Check the name, the "
            "keys (AWS_*, GOOGLE_*, AZURE_*) and the network, and run again."
        )


def look_at(places: Sequence[str], stop: Stop) -> Iterator[Listed | Unlisted]:
    """Yield what is known of single objects, in any order.

    Raises:
        EngineUnavailableError: obstore is not installed.
    """
    left = set(places)
    with _started(stop, "heads", f"{_REQUEST_S}") as process:
        assert process.stdin is not None
        process.stdin.writelines(f"{json.dumps(place)}\n" for place in places)
        process.stdin.close()
        for answer in _answers(process):
            left.discard(answer[0])
            is_listed = len(answer) == len(Listed._fields)
            yield Listed(*answer) if is_listed else Unlisted(*answer)
    if not stop.requested:
        for place in left:
            yield Unlisted(place, FailureKind.STORE, "the process that looks at it has ended")


@contextmanager
def _started(stop: Stop, *arguments: str) -> Generator["subprocess.Popen[str]"]:
    """Run the process for the time of a block; a stop ends it, too."""
    with start(*arguments) as process:
        before, stop.wake = stop.wake, process.kill
        try:
            yield process
        finally:
            stop.wake = before
            process.kill()


def _answers(process: "subprocess.Popen[str]") -> Iterator[Any]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)
