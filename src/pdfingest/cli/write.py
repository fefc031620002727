"""Files that a command writes on the side: whole or not at all."""

import os
import sys

from pdfingest.layout import told


def write_text(path: str, text: str) -> None:
    """Write a text to a file, replacing it in one step, or to stdout for `-`.

    Raises:
        OutputError: it cannot be written.
    """
    with told(path):
        if path == "-":
            sys.stdout.write(text)
            sys.stdout.flush()
            return
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(f"{path}.new", path)
