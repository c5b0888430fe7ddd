"""Losses as pictures of characters: a line in braille dots with its axis, and a sparkline in blocks; pure."""

from collections.abc import Sequence
from itertools import pairwise

BLOCKS = "▁▂▃▄▅▆▇█"
BLANK = 0x2800
# The bit of each dot of a braille character, by row and column: Unicode, "Braille Patterns".
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
ROWS, COLUMNS = len(DOTS), len(DOTS[0])

Point = tuple[float, float]


def sparkline(values: Sequence[float], *, width: int) -> str:
    """The values as blocks, the greatest the highest; more values than ``width`` are thinned."""
    if not values:
        return ""
    shown = [values[n * len(values) // width] for n in range(width)] if len(values) > width else list(values)
    low, high = min(shown), max(shown)
    top = len(BLOCKS) - 1
    return "".join(BLOCKS[round((value - low) / (high - low) * top) if high > low else 0] for value in shown)


def chart(points: Sequence[Point], *, width: int, height: int) -> list[str]:
    """A line through the points (step, loss), ``width`` characters wide and ``height`` high, with its extremes.

    Points are in the order of their steps; none gives no lines.
    """
    if not points:
        return []
    low, high = min(y for _, y in points), max(y for _, y in points)
    canvas = [[0] * width for _ in range(height)]
    for x, y in _dots(points, (width * COLUMNS, height * ROWS)):
        canvas[y // ROWS][x // COLUMNS] |= DOTS[y % ROWS][x % COLUMNS]
    labels = [f"{high:8.4g}", *[" " * 8] * (height - 2), f"{low:8.4g}"][:height]
    lines = [
        f"{label} ┤{''.join(chr(BLANK + bits) for bits in row)}" for label, row in zip(labels, canvas, strict=True)
    ]
    first, last = f"{points[0][0]:g}", f"{points[-1][0]:g}"
    return [*lines, " " * 10 + first + last.rjust(max(width - len(first), 1))]


def _dots(points: Sequence[Point], size: tuple[int, int]) -> set[tuple[int, int]]:
    """Every dot on the way from point to point."""
    placed = [_placed(point, points, size) for point in points]
    dots = set(placed)
    for (x0, y0), (x1, y1) in pairwise(placed):
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        dots |= {(x0 + round((x1 - x0) * n / steps), y0 + round((y1 - y0) * n / steps)) for n in range(steps + 1)}
    return dots


def _placed(point: Point, points: Sequence[Point], size: tuple[int, int]) -> tuple[int, int]:
    (x, y), (width, height) = point, size
    first, last = points[0][0], points[-1][0]
    low, high = min(y for _, y in points), max(y for _, y in points)
    right = (x - first) / (last - first) if last > first else 0.0
    down = (high - y) / (high - low) if high > low else 0.5
    return round(right * (width - 1)), round(down * (height - 1))
