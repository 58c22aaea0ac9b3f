"""Drawings of the two ideas that proofs of global convergence rest on: a set that nobody leaves, and a fence."""

import math

import numpy as np

from mfcourse.style import POSITIVE
from mfcourse.svg import FAINT, INK, PLUM, Sketch, arrow, curve, disc, frame, group, line, mass, ring, words

LEGEND = (  # of the bad cone, in the order of its numbers
    "over K with w > 0: w grows",
    "on the edge with w > 0: driven in",
    "a newcomer with w = 0: w grows, it enters",
    "over K with w < 0: rises to 0",
    "on the edge with w < 0: driven out, none enters",
)
INNER, OUTER = 20, 80  # the two circles, and between them the fence
STARTS = 0.3, 1.6, 2.9, 4.2, 5.5  # directions of the paths; the gap is in that of the last
GAP = 0.36  # half of its angle


def bad_cone():
    """The bad cone over K, where c + s eta < -l, here for s = 1: who grows in it, who comes in, and who cannot.

    It is the bad cone of Prop. C.4: c + s eta is the slope of F'(mu) in s w, for s w > 0.
    """
    left, right, level, zero, unit = 44, 354, 116, 236, 38  # level: where w = 0; zero: where c + eta = 0
    theta = np.linspace(0, 1, 125)
    valley = 0.6 - 1.4 * np.exp(-(((theta - 0.5) / 0.24) ** 2))
    half = 0.24 * math.sqrt(math.log(1.4 / 0.9))  # there the valley has the height -l = -0.3
    middle, reach = (left + right) / 2, (right - left) * half
    a, b, cut = middle - reach, middle + reach, zero + 0.3 * unit  # the edge of K, and the level -l
    parts = [words(4, 16, "Ω: θ across, w upwards. Shaded: the bad cone, s = 1.")]
    parts += [frame(a, 26, b - a, level - 26, POSITIVE, 1.5, tint=POSITIVE), frame(left, 26, right - left, 174)]
    parts += [line((left, level), (right, level), FAINT, 1.2), words(left - 6, level + 4, "w = 0", "end", 12)]
    parts += [line((x, level), (x, 290), dash="1 4") for x in (a, b)]
    moves = (
        (1, (middle, 84), (middle, 36), 16, 5),
        (2, (a, 58), (a + 32, 42), -16, 5),
        (2, (b, 58), (b - 32, 42), 16, 5),
        (3, (a, level), (a + 28, 80), -14, 17),
        (4, (middle, 182), (middle, level + 4), 16, 5),
        (5, (a, 178), (a - 36, 160), -16, 10),
        (5, (b, 178), (b + 36, 160), 16, 10),
    )
    for k, here, there, aside, below in moves:
        parts += [arrow(here, there, bend=10 if k == 3 else 0), mass(*here, level - here[1])]
        parts += [words(here[0] + aside, here[1] + below, f"{k}", "middle", weight="bold")]
    points = np.column_stack([left + (right - left) * theta, zero - unit * valley])
    parts += [line((left, zero), (right, zero), FAINT, 1.2), words(left - 6, zero + 2, "0", "end", 12)]
    parts += [line((left, cut), (right, cut), dash="1 4"), words(left - 6, cut + 7, "−l", "end", 12)]
    parts += [group("valley", [curve(points, PLUM, 2.6)]), words(right - 2, zero - 7, "c + η", "end")]
    parts += [line((a, 290), (b, 290), width=4), words(middle, 306, "K", "middle")]
    for k, text in enumerate(LEGEND):
        parts += [words(4, 328 + 19 * k, f"{k + 1}", weight="bold"), words(20, 328 + 19 * k, text)]
    seen = (
        "A strip, theta across, the weight w upwards; below it the curve c + eta, which is less than -l over a set K. "
        "Shaded is the bad cone, w >= 0 over K. In it weights grow; on its edge particles with w > 0 are driven in, "
        "and a newcomer of weight 0 grows and enters. With w < 0 a particle over K rises to 0, and one on the edge is "
        "driven out, so that none enters."
    )
    return Sketch(412, parts, seen)


def fence():
    """The fence that no path passes: a closed support of mu_0 between two circles around 0; and one with a gap."""
    parts = [
        words(4, 16, "The fence is the support of μ₀. Paths lead"),
        words(4, 34, "from the small circle to the large one."),
    ]
    parts += [group("closed", _fenced(88, 130, gap=False)), group("gap", _fenced(272, 130, gap=True))]
    parts += [words(88, 233, "Closed: every", "middle"), words(88, 251, "path meets it.", "middle")]
    parts += [words(272, 233, "A gap: one path", "middle"), words(272, 251, "slips through.", "middle")]
    seen = (
        "Two pictures of a small and a large circle around 0 with a fence between them, and of paths from the small "
        "circle to the large one. On the left the fence is closed, and every path meets it. On the right it has a gap, "
        "and one path slips through."
    )
    return Sketch(260, parts, seen)


def _height(angle):
    """How far the fence is from 0 in a direction."""
    return 50 + 6 * np.sin(3 * angle + 1) + 4 * np.cos(2 * angle)


def _fenced(x, y, gap):
    """A fence around (x, y), paths across it, and rings where they meet it."""
    angles = np.linspace(0, 2 * math.pi, 60, endpoint=False)
    if gap:
        angles = angles[np.abs(angles - STARTS[-1]) > GAP]
    parts = [ring(x, y, INNER, 1.2), ring(x, y, OUTER, 1.2), disc(x, y, 2, INK), words(x + 5, y + 4, "0", size=12)]
    parts += [group("fence", [disc(*place, 3) for place in _places(x, y, _height(angles), angles)])]
    radius = np.linspace(INNER, OUTER, 61)
    for start in STARTS:
        through = gap and start == STARTS[-1]
        ink, width = (INK, 2.6) if through else (FAINT, 1.8)
        angle = start + 6 * np.sin(math.pi * (radius - 50) / 30) / radius
        path = _places(x, y, radius, angle)
        parts += [curve(path[:-4], ink, width), arrow(path[-6], path[-1], ink, width)]
        if not through:
            parts += [ring(*path[np.abs(radius - _height(angle)).argmin()])]
    return parts


def _places(x, y, radius, angle):
    """Points (k, 2) at these distances and directions from (x, y)."""
    return np.column_stack([x + radius * np.cos(angle), y - radius * np.sin(angle)])
