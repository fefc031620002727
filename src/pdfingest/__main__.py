"""Entry point of `pdfingest` and of `python -m pdfingest`.

A spawned child imports the main module again (multiprocessing, "Safe importing of main module"), so
this one imports next to nothing at its top: the command line is imported by the parent alone.
"""

import gc
import sys
from contextlib import suppress
from itertools import pairwise

from pdfingest import streams

USUAL_ENGINES = ("pdfingest.engines.pdfium", "pdfingest.engines.pypdf")
"""Modules of the engines of `--engine auto`; to ask the registry for them would take 60 ms."""


def needs_usual_image(words: list[str]) -> bool:
    """Return whether a run with these arguments starts its children from the usual image.

    It is a guess that costs no import. A wrong one costs time and nothing else: an image that is
    not used takes 0.1 s of CPU time, and one that is missing is made when it is needed.
    """
    if {"--dry-run", "--help", "-h"} & set(words):
        return False
    for word, after in pairwise([*words, ""]):
        name, is_joined, value = word.partition("=")
        if name == "--engine":
            first = (value if is_joined else after).split(",")[0]
            return first in ("auto", "pdfium")  # the image has only the first engine in it
    return True


def main() -> int:
    """Run the command line in the parent, and return the exit code."""
    # The script that pip installs becomes this module: a spawned child skips a module of this name
    # (multiprocessing.spawn._fixup_main_from_name), but would run the script again for each file.
    sys.modules["__main__"] = sys.modules["pdfingest.__main__"]
    streams.guard()  # before any file is opened, which could get the number of a closed stream
    gc.disable()  # what is imported stays anyway
    is_run = sys.argv[1:2] == ["run"]
    if is_run and needs_usual_image(sys.argv[2:]):
        from pdfingest.isolation.start import begin_image  # noqa: PLC0415 - as below

        # The image of the children takes as long to be made as what the parent imports. A run that
        # turns out to need another image, or none, leaves this one unused.
        with suppress(OSError):  # whoever needs it will say so
            begin_image(USUAL_ENGINES)
    from pdfingest.cli import main as command_line  # noqa: PLC0415 - not for spawned children

    gc.freeze()  # the collection at the end need not look through it either
    if not is_run:  # which goes on to import, and enables it itself
        gc.enable()
    return command_line.main()


if __name__ == "__main__":
    sys.modules["pdfingest.__main__"] = sys.modules["__main__"]
    sys.exit(main())
