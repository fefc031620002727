"""Two things at a time at the start: the image of the children, and the rest of this program.

Imports next to nothing, for each import is a delay of all children.
"""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from pdfingest.cli import config
from pdfingest.engines.built_in import modules_of
from pdfingest.isolation.birth import begin_image
from pdfingest.output.layout import ledger_of

_STARTS_NONE = {"-h", "--help", "--dry-run"}


def give_head_start(words: Sequence[str]) -> None:
    """Begin to make the image, which takes 0.1 s, before the command line is understood.

    Not where an earlier run may have done all there is to do: that is to start no child. It is a
    guess, for to understand the words is half of what the time is saved on. Where it is wrong, the
    image is made a little later, or one that nobody needs.

    Args:
        words: of the command line, after `run`.
    """
    if not words or not _STARTS_NONE.isdisjoint(words):
        return
    with suppress(Exception):  # who needs the image, or understands the words, will say so
        path = _value(words, "config", {})
        file = config.read(path) if path else config.find()
        defaults = {"on": "here", "engine": "auto", "output": "pdfingest-out", **file.table}
        if "output" in file.table:
            defaults["output"] = file.beside(str(defaults["output"]))
        if _value(words, "on", defaults) != "here":
            return
        if not os.path.exists(ledger_of(_value(words, "output", defaults))):
            begin_image(modules_of(_value(words, "engine", defaults)))


def _value(words: Sequence[str], option: str, defaults: Mapping[str, Any]) -> str:
    """What an option is given, by the command line, the environment, or the configuration."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        name, _, value = word.partition("=")
        if name == f"--{option}" or (name, option) == ("-o", "output"):
            return value or after
    return os.environ.get(f"PDFINGEST_{option.upper()}") or str(defaults.get(option, ""))
