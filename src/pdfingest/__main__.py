"""Entry point of `pdfingest` and of `python -m pdfingest`.

Lean on purpose: spawned children import the main module again (multiprocessing, "Safe importing of
main module"), so the command line is imported inside the function, by the parent alone.
"""

import gc
import sys

from pdfingest import streams


def main() -> int:
    """Run the command line; returns the exit code."""
    # The console script becomes this module, which a child skips because of its name
    # (multiprocessing.spawn._fixup_main_from_name) instead of running the script once a file.
    sys.modules["__main__"] = sys.modules["pdfingest.__main__"]
    streams.guard()  # before anything is opened
    if sys.argv[1:2] == ["run"]:
        gc.disable()  # until all is loaded, which stays: to look through that takes 10 ms
    from pdfingest.cli import main as command_line  # noqa: PLC0415 - not for spawned children

    return command_line.main()


if __name__ == "__main__":
    sys.modules["pdfingest.__main__"] = sys.modules["__main__"]
    sys.exit(main())
