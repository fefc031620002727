"""Two things at a time at the start: the image of the children, and the rest of this program."""

import os
from contextlib import suppress

from pdfingest.errors import EngineUnavailableError
from pdfingest.extract.registry import find_engines
from pdfingest.layout import ledger_of
from pdfingest.supervise.birth import begin_image


def give_head_start(output: str, engine: str) -> None:
    """Begin to make the image, which takes 0.1 s, where it will surely be needed.

    Not where an earlier run may have done all there is to do: that is to start no child.

    Args:
        output: directory of the run, or `-`.
        engine: as the user gave it; if it is unknown, the run will say so.
    """
    if not os.path.exists(ledger_of(output)):
        with suppress(EngineUnavailableError):
            begin_image(find_engines(engine)[0])
