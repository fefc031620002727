"""What an agent searches for: words and phrases, as an expression of FTS5 that is always valid.

Why not the syntax of FTS5: a query such as `C++ (2nd ed.` is an error in it, and `NOT` a word of it
that people write in capitals.
"""

import re
from dataclasses import dataclass
from typing import Self

from pdfingest.errors import UsageError
from pdfingest.text import clean, is_usable, shortened

_MOST_CHARS = 1000
_MOST_TERMS = 50
_MOST_SNIPPET_CHARS = 600
_TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')
# Chinese and Japanese have no blanks between words, so each character is a word of its own, and a
# word that is searched for is a phrase of them.
_ALONE = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")
_BETWEEN = "\x1f"
"""Stands around such characters in the index; texts of records have no control characters."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for."""

    terms: tuple[str, ...]
    """Strings of FTS5, at least one."""

    @classmethod
    def of(cls, words: str) -> Self:
        """Read words and phrases in quotes; what has no letter and no digit is left out.

        Raises:
            UsageError: nothing is left, or it is too long.
        """
        if len(words) > _MOST_CHARS:
            raise UsageError(
                f"the query has {len(words)} characters. Search for at most {_MOST_CHARS}."
            )
        found = [phrase or word for phrase, word in _TERM.findall(clean(words))]
        terms = [_string(each) for each in dict.fromkeys(found) if is_usable(each)]
        if not terms:
            raise UsageError("the query has no word. Search for words, or a phrase in quotes.")
        return cls(tuple(terms[:_MOST_TERMS]))

    @property
    def all_terms(self) -> str:
        """Expression of FTS5 for what has all of the terms."""
        return " AND ".join(self.terms)

    @property
    def any_term(self) -> str:
        """Expression of FTS5 for what has one of the terms or more."""
        return " OR ".join(self.terms)


def separated(text: str) -> str:
    """Return text as the index has it."""
    return text if text.isascii() else _ALONE.sub(f"{_BETWEEN}\\1{_BETWEEN}", text)


def shown(snippet: str) -> str:
    """Return a snippet without what only the index has in it, and cut where a word is endless."""
    return shortened(snippet.replace(_BETWEEN, ""), _MOST_SNIPPET_CHARS)


def _string(term: str) -> str:
    """Quote a term, so that nothing in it has a meaning but a `*` at the end of a word."""
    prefix = "*" if term.endswith("*") and is_usable(term[-2:-1]) else ""
    return f'"{separated(term)}"{prefix}'
