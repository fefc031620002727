"""Entry point of `pdfingest` and of `python -m pdfingest`.

Lean on purpose: spawned children import the main module again (multiprocessing, "Safe importing of
main module"), so the command line is imported inside the function, by the parent alone.
"""

import sys


def main() -> int:
    """Run the command line; returns the exit code."""
    # The console script becomes this module, which a child skips because of its name
    # (multiprocessing.spawn._fixup_main_from_name) instead of running the script once a file.
    sys.modules["__main__"] = sys.modules["pdfingest.__main__"]
    from pdfingest.cli import main as command_line  # noqa: PLC0415 - not for spawned children

    return command_line.main()


if __name__ == "__main__":
    sys.modules["pdfingest.__main__"] = sys.modules["__main__"]
    sys.exit(main())
