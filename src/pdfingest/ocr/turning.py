"""Points of a page that is turned; y grows downwards. Pure."""

import math

_QUARTERS = {0.0: (1.0, 0.0), 90.0: (0.0, 1.0), 180.0: (-1.0, 0.0), 270.0: (0.0, -1.0)}
"""Cosine and sine that are exact."""


def turned(x: float, y: float, angle: float) -> tuple[float, float]:
    """Return where a point is once the page is turned around its origin.

    Args:
        x: of the point.
        y: of the point.
        angle: in degrees, clockwise.
    """
    angle %= 360.0
    radians = math.radians(angle)
    cos, sin = _QUARTERS.get(angle) or (math.cos(radians), math.sin(radians))
    return x * cos - y * sin, x * sin + y * cos
