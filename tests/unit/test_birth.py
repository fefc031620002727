from typing import Any, cast

import pytest

from pdfingest.supervise.birth import _BIRTHS, _persistent


class Fragile:
    """A process that is killed while it is born, so often."""

    def __init__(self, deaths: int) -> None:
        self.deaths = deaths
        self.starts = 0

    def start(self) -> None:
        self.starts += 1
        if self.starts <= self.deaths:
            raise BrokenPipeError


def fragile(deaths: int) -> Any:
    persistent: Any = _persistent(cast("Any", Fragile))
    return persistent(deaths)


def test_a_child_that_is_killed_while_it_is_born_is_started_again() -> None:
    process = fragile(2)
    process.start()
    assert process.starts == 3


def test_a_child_that_is_never_born_is_given_up() -> None:
    process = fragile(_BIRTHS + 1)
    with pytest.raises(BrokenPipeError):
        process.start()
    assert process.starts == _BIRTHS
