"""Shares: a number of sources or a part of all of them, as limits such as `--max-gone` have it."""

import re
from dataclasses import dataclass
from typing import Any, Self

from pdfingest.values import shown

_SHARE = re.compile(r"(?P<percent>\d{1,3}(?:\.\d{1,6})?)%|(?P<number>\d{1,12})", re.ASCII)
_ALL = 100.0


@dataclass(frozen=True, slots=True)
class Share:
    """A number of sources, or a part of them in percent."""

    number: int = 0
    percent: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `N` or `P%`.

        Raises:
            ValueError: it is neither, or more than 100 %.
        """
        match = _SHARE.fullmatch(text.strip())
        percent = float(match["percent"] or 0) if match else _ALL + 1
        if match is None or percent > _ALL:
            raise ValueError(f"must be a number, or a part such as 5%, not {shown(text)}.")
        return cls(percent=percent) if match["percent"] else cls(number=int(match["number"]))

    @property
    def is_all(self) -> bool:
        """Whether it is all of them, however many there are."""
        return self.percent == _ALL

    def of(self, total: int) -> float:
        """Give the number that it stands for."""
        return self.number or self.percent * total / _ALL

    def __str__(self) -> str:
        return f"{self.percent:g}%" if self.percent else f"{self.number}"


NONE = Share()
HALF = Share(percent=50)


def as_share(value: Any) -> Share:
    """Check a share: one, a number of sources, or a text such as `5%`.

    Raises:
        ValueError: it cannot be one.
    """
    if isinstance(value, Share):
        return value
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"must be a number, or a part such as 5%, not {shown(value)}.")  # noqa: TRY004 - as in values
    return Share.parse(str(value))
