"""SVG path data: parsed, made absolute, split into subpaths and written short.

Used only when the library is packed. Arcs become cubic curves here, once, because a renderer that
meets an arc asks the machine's maths library for a cosine, and those differ between machines.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final, TypeAlias

Point: TypeAlias = tuple[float, float]
Segment: TypeAlias = tuple[str, tuple[Point, ...]]
"""`M`, `L`, `Q` or `C` with absolute points; `Z` with none."""

_COUNTS: Final = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
_NUMBER: Final = re.compile(r"[\s,]*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
_FLAG: Final = re.compile(r"[\s,]*([01])")
_COMMAND: Final = re.compile(r"[\s,]*([MmLlHhVvCcSsQqTtAaZz])")


def parse(data: str) -> list[Segment]:
    """The segments of path `data`. Raises `ValueError` where it is not path data."""
    segments: list[Segment] = []
    here: Point = (0.0, 0.0)
    start: Point = (0.0, 0.0)
    control: Point | None = None
    before = ""
    for command, numbers in _commands(data):
        kind = command.upper()
        origin = here if command.islower() else (0.0, 0.0)
        if kind == "Z":
            segments.append(("Z", ()))
            here, control = start, None
        elif kind == "A":
            end = (origin[0] + numbers[5], origin[1] + numbers[6])
            segments += _arc(here, numbers, end)
            here, control = end, None
        else:
            mirrored = (2 * here[0] - control[0], 2 * here[1] - control[1]) if control else here
            smooth = mirrored if before in {"S": "CS", "T": "QT"}.get(kind, "") else here
            name, points = _curve(kind, numbers, origin, here, smooth)
            segments.append((name, points))
            control = points[-2] if name in "CQ" else None
            here = points[-1]
            if name == "M":
                start = here
        before = kind
    return segments


def subpaths(data: str) -> list[list[Segment]]:
    """`data` cut at each move, every part closed and able to stand alone."""
    parts: list[list[Segment]] = []
    open_part = False
    start: Point = (0.0, 0.0)
    for name, points in parse(data):
        if name == "M":
            start = points[0]
            parts.append([])
        elif not open_part:
            # After a `z` a path may go on without a move, from where the last part began.
            parts.append([("M", (start,))])
        parts[-1].append((name, points))
        open_part = name != "Z"
    closed = [part if part[-1][0] == "Z" else [*part, ("Z", ())] for part in parts]
    return [part for part in closed if len(part) > 2]  # noqa: PLR2004 - a move and a close draw nothing


def write(segments: list[Segment], decimals: int) -> str:
    """`segments` as path data with `decimals` digits; rounding never adds up along the path.

    Moves are absolute, so that the results for several subpaths can be joined.
    """
    unit = 10**decimals
    here = start = (0, 0)
    words: list[str] = []
    last = ""
    for name, points in segments:
        if name == "Z":
            words.append("z")
            here, last = start, ""
            continue
        whole = [(round(x * unit), round(y * unit)) for x, y in points]
        letter = "M" if name == "M" else name.lower()
        if name == "M":
            here = (0, 0)
        if letter != last:
            words.append(letter)
        for x, y in whole:
            for number in (x - here[0], y - here[1]):
                text = _short(number, decimals)
                joined = words[-1][-1].isdigit() and not text.startswith("-")
                words.append(" " + text if joined else text)
        here = whole[-1]
        last = letter
        if name == "M":
            start = here
    return "".join(words)


def area(segments: list[Segment]) -> float:
    """Area inside the polygon of a subpath's points, without sign: a measure, not the exact area."""
    points = [point for _, many in segments for point in many]
    pairs = zip(points, points[1:] + points[:1], strict=True)
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2


def _commands(data: str) -> Iterator[tuple[str, list[float]]]:
    position = 0
    while match := _COMMAND.match(data, position):
        command, position = match[1], match.end()
        while True:
            numbers: list[float] = []
            for index in range(_COUNTS[command.upper()]):
                pattern = _FLAG if command in "Aa" and index in (3, 4) else _NUMBER
                found = pattern.match(data, position)
                if not found:
                    raise ValueError(f"not path data at {position}: {data[position : position + 20]!r}")
                numbers.append(float(found[1]))
                position = found.end()
            yield command, numbers
            if command in "Zz" or not _NUMBER.match(data, position):
                break
            command = {"M": "L", "m": "l"}.get(command, command)
    if data[position:].strip():
        raise ValueError(f"not path data at {position}: {data[position : position + 20]!r}")


def _curve(
    kind: str, numbers: list[float], origin: Point, here: Point, smooth: Point
) -> tuple[str, tuple[Point, ...]]:
    if kind == "H":
        return "L", ((origin[0] + numbers[0], here[1]),)
    if kind == "V":
        return "L", ((here[0], origin[1] + numbers[0]),)
    points = tuple((origin[0] + x, origin[1] + y) for x, y in zip(numbers[::2], numbers[1::2], strict=True))
    if kind in "ST":
        return ("C" if kind == "S" else "Q"), (smooth, *points)
    return kind, points


def _arc(start: Point, numbers: list[float], end: Point) -> list[Segment]:
    """An elliptical arc as cubic curves of at most a quarter turn (SVG 1.1, appendix F.6)."""
    rx, ry, turn, large, sweep = abs(numbers[0]), abs(numbers[1]), numbers[2], numbers[3], numbers[4]
    if start == end:
        return []
    if rx == 0 or ry == 0:
        return [("L", (end,))]
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    dx, dy = (start[0] - end[0]) / 2, (start[1] - end[1]) / 2
    x, y = cos * dx + sin * dy, cos * dy - sin * dx
    stretch = math.sqrt(max(1.0, (x / rx) ** 2 + (y / ry) ** 2))
    rx, ry = rx * stretch, ry * stretch
    under = (rx * y) ** 2 + (ry * x) ** 2
    factor = math.sqrt(max(0.0, ((rx * ry) ** 2 - under) / under)) * (1 if large != sweep else -1)
    cx, cy = factor * rx * y / ry, -factor * ry * x / rx
    first = math.atan2((y - cy) / ry, (x - cx) / rx)
    span = math.atan2((-y - cy) / ry, (-x - cx) / rx) - first
    if sweep and span < 0:
        span += 2 * math.pi
    if not sweep and span > 0:
        span -= 2 * math.pi
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)

    def place(u: float, v: float) -> Point:
        u, v = cx + rx * u, cy + ry * v
        return middle[0] + cos * u - sin * v, middle[1] + sin * u + cos * v

    pieces = max(1, math.ceil(abs(span) / (math.pi / 2) - 1e-9))
    step = span / pieces
    handle = 4 / 3 * math.tan(step / 4)
    segments: list[Segment] = []
    for piece in range(pieces):
        a, b = first + piece * step, first + (piece + 1) * step
        one = place(math.cos(a) - handle * math.sin(a), math.sin(a) + handle * math.cos(a))
        two = place(math.cos(b) + handle * math.sin(b), math.sin(b) - handle * math.cos(b))
        last = end if piece == pieces - 1 else place(math.cos(b), math.sin(b))
        segments.append(("C", (one, two, last)))
    return segments


def _short(number: int, decimals: int) -> str:
    sign, digits = "-" if number < 0 else "", str(abs(number)).rjust(decimals + 1, "0")
    if not decimals:
        return sign + digits
    whole, part = digits[:-decimals], digits[-decimals:].rstrip("0")
    if not part:
        return sign + whole
    return f"{sign}{'' if whole == '0' else whole}.{part}"
