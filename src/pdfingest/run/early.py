"""What a run begins before it needs it: the image of its children, which takes 0.15 s to make."""

import os
from collections.abc import Sequence
from contextlib import suppress

from pdfingest.engines.registry import find_engines
from pdfingest.errors import PdfingestError
from pdfingest.isolation.start import begin_image
from pdfingest.job import EngineSpec
from pdfingest.options import IngestOptions
from pdfingest.output.layout import ledger_of


def begin_usual_image() -> None:
    """Have the image for the usual engines made before the command line is understood.

    A run that turns out to need another image, or none, leaves it unused.
    """
    with suppress(OSError, PdfingestError):  # whoever needs it will say so
        begin_image(find_engines("auto"))


def begin_image_early(options: IngestOptions, engines: Sequence[EngineSpec]) -> None:
    """Have the image for some engines made while the run is planned.

    Not where an earlier run may have done all there is to do: then no child is started.
    """
    if options.to_stdout or not os.path.exists(ledger_of(options.folder)):
        with suppress(OSError):  # whoever needs it will say so
            begin_image(engines)
