"""What cuts text into chunks, and what counts their size: semantic-text-splitter.

A tokenizer takes a tenth of a second to load and 50 MiB, so the image loads it once for all
children. Owns the names of tokenizers; where to cut is `chunks`.
"""

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module, metadata
from typing import Any, Protocol, cast

from pdfingest.errors import EngineUnavailableError, OptionError
from pdfingest.installed import version_of
from pdfingest.job import ChunkSpec, EngineSpec
from pdfingest.needs import NOTHING, Needs

CHARACTERS, WORDS = "characters", "words"
KNOWN = (
    f"{CHARACTERS}, {WORDS}, the name of a model of OpenAI such as gpt-4o, or the path of a "
    "tokenizer.json of Hugging Face"
)
"""What may be said, for messages."""
_PACKAGE = "semantic-text-splitter"
_LOAD = "pdfingest.page.splitting:load"
# In these scripts a space ends a paragraph at best, so each of their characters counts as a word.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


class Splitter(Protocol):
    """Cuts a text into pieces of bounded size."""

    def chunk_indices(self, text: str) -> list[tuple[int, str]]:
        """Return each piece, without white space around it, with its 0-based place in the text."""
        ...


@dataclass(frozen=True, slots=True)
class Splitters:
    """Splitters of one size."""

    size: int
    """Most tokens of a piece."""
    overlap: int
    """Most tokens that a piece repeats of the one before."""
    tokenizer: str
    """As the user names it; of a file its path."""

    def markdown(self) -> Splitter:
        """Return what cuts along headings, blocks and sentences of Markdown."""
        return _splitter(("MarkdownSplitter", self.size, self.overlap, self.tokenizer))

    def plain(self, spare: int = 0, *, overlaps: bool = False) -> Splitter:
        """Return what cuts along blank lines, lines and sentences.

        Args:
            spare: number of tokens, below `size`, that pieces are to be smaller.
            overlaps: whether pieces overlap.
        """
        overlap = self.overlap if overlaps else 0
        return _splitter(("TextSplitter", self.size - spare, overlap, self.tokenizer))


def load(cut: str) -> Splitters:
    """Return the splitters that `SIZE:OVERLAP:TOKENIZER` stands for, with their tokenizer loaded.

    Raises:
        EngineUnavailableError: there is no such tokenizer.
    """
    size, overlap, tokenizer = cut.split(":", 2)
    splitters = Splitters(int(size), int(overlap), tokenizer)
    for splitter in (splitters.markdown(), splitters.plain(), splitters.plain(overlaps=True)):
        splitter.chunk_indices("loaded")  # what it counts with is read at its first use
    return splitters


def find_splitting(tokens: int, overlap: int, tokenizer: str) -> ChunkSpec:
    """Return how to cut documents.

    Args:
        tokens: most tokens of a chunk.
        overlap: most tokens that a chunk repeats of the one before.
        tokenizer: as the user names it.

    Raises:
        EngineUnavailableError: the package that splits is not installed.
        OptionError: chunks would only repeat, or the tokenizer is a path without a file.
    """
    if overlap >= tokens:
        raise OptionError(["chunk_overlap"], f"must be less than {tokens}, the size of a chunk.")
    try:
        version = version_of(_PACKAGE)
    except metadata.PackageNotFoundError:
        raise EngineUnavailableError(
            f"package {_PACKAGE} is not installed. Run: pip install 'pdfingest[chunks]'"
        ) from None
    name, readable = tokenizer, tuple[str, ...]()
    if is_file(tokenizer):
        name = f"{os.path.basename(tokenizer)}:{_digest(tokenizer)[:8]}"
        tokenizer = os.path.realpath(tokenizer)
        readable = (tokenizer,)
    cut = f"{tokens}:{overlap}:{tokenizer}"
    # Loaded as engines are that have models, though it is none.
    needs = Needs(warm=_LOAD, warm_with=cut, fork_safe=True, readable=readable)
    is_light = tokenizer in {CHARACTERS, WORDS}
    spec = EngineSpec(name, _LOAD, version, NOTHING if is_light else needs)
    return ChunkSpec(tokens, overlap, spec, cut)


def is_file(tokenizer: str) -> bool:
    """Return whether a tokenizer is named by a path."""
    return os.path.basename(tokenizer) != tokenizer or tokenizer.endswith(".json")


def _digest(tokenizer: str) -> str:
    """Return the SHA-256 of a file, in hex; raises as `find_splitting`."""
    try:
        with open(tokenizer, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}. Use {KNOWN}."
        raise OptionError(["tokenizer"], reason) from None


@cache
def _splitter(cut: tuple[str, int, int, str]) -> Splitter:
    """Make a splitter, given its class, its size, its overlap and its tokenizer."""
    name, size, overlap, tokenizer = cut
    kind: Any = getattr(import_module("semantic_text_splitter"), name)
    make: Callable[..., Any]
    if tokenizer == CHARACTERS:
        make = kind
    elif tokenizer == WORDS:
        make = partial(kind.from_callback, _words)
    elif os.path.isabs(tokenizer):
        make = partial(kind.from_huggingface_tokenizer_file, tokenizer)
    else:
        make = partial(kind.from_tiktoken_model, tokenizer)
    try:
        return cast(Splitter, make(size, overlap))
    except Exception as error:
        raise EngineUnavailableError(
            f"there is no tokenizer {tokenizer!r}: {error}. Use {KNOWN}."
        ) from error


def _words(text: str) -> int:
    return len(text.split()) + len(_UNSPACED.findall(text))
