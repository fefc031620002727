"""Which gaps in a line are spaces between words, and which separate cells or columns."""

import re

GAP_EMS = 0.9
"""Width of a gap that is no space between words, but for loose lines of justified text."""
_EVEN, _LOOSE_EMS = 1.3, 4.0
"""How much wider than the narrowest the widest space of a justified line is, and its width."""
_VERY_EVEN, _VERY_LOOSE_EMS = 1.05, 10.0
"""The same for spaces that have one width, as those of narrow columns."""
_FEW_GAPS = 2
"""Spaces that are so few may have about one width by chance."""
_NUMBER = re.compile(r"\d")


def widest_space(line: str, gaps: list[float], size: float) -> float:
    """Return the width from which a gap in a line is no space between words.

    The spaces of a justified line are wide at times, and then all have one width. Those between
    the numbers of a table may, too.

    Args:
        line: its text.
        gaps: width of each, in points.
        size: of its characters, in points.
    """
    least, most = min(gaps, default=0.0), max(gaps, default=0.0)
    is_even = most < min(_EVEN * least, _LOOSE_EMS * size) and len(gaps) > _FEW_GAPS
    is_very_even = most < min(_VERY_EVEN * least, _VERY_LOOSE_EMS * size) and len(gaps) > 1
    words = line.split()
    numbers = sum(_NUMBER.search(word) is not None for word in words)
    is_justified = (is_even or is_very_even) and 2 * numbers < len(words)
    return most if is_justified else GAP_EMS * size
