"""Loops around 0 in the plane: the second move in the proof of Thm 3.3, for ReLU networks with d = 2.

On each of the cones w = s |theta|, s = +-1, a network lives in a copy of the plane. A closed curve there separates
small circles from large ones if it winds around 0. A flow that never carries a particle to 0 cannot change how often it
does, and where the potential breaks its bound, directions are held in an arc (third move).
Shapes: corners of a polygon (..., n, 2), closed from the last corner to the first; leading axes are independent.
"""

import numpy as np
from scipy.optimize import brentq

from mfcourse import checks

TOO_CLOSE = 1e-9  # an angle within this of half a turn: the edge passes through 0 and has no side
ROUNDING = 1e-12  # F' below 0 by less than this is not called bad: where the risk is 0, F' is rounding all around
POINTS = 2048  # directions at which the bad set is looked at, before its ends are sharpened


def winding_number(points):
    """How often the closed polygon with corners (..., n, 2) winds around 0, counter-clockwise: whole numbers (...).

    It is the sum of the angles from each corner to the next, each in (-pi, pi), over 2 pi. Raises ValueError if a
    corner is 0, or an edge passes through 0: then there is no such number.
    """
    angle = _angles("points", points)
    turn = _half_open(np.roll(angle, -1, axis=-1) - angle)
    if (np.abs(turn) > np.pi - TOO_CLOSE).any():
        raise ValueError(
            "points must not have neighbours in opposite directions: the edge between them passes through 0, and the "
            "polygon winds neither on one side nor on the other; put a corner between them"
        )
    return np.rint(turn.sum(axis=-1) / (2 * np.pi)).astype(int)


def loop(w, theta, sign):
    """Indices of the particles of this sign, +1 or -1, in the order of their angles from 0 to 2 pi.

    w (m,), theta (m, 2). Taken at the start, they are the corners of a loop that can be followed along a run. Empty if
    there is none of this sign.
    """
    w, theta = checks.particles(checks.finite("w", w), checks.finite("theta", theta), 2)
    if w.ndim != 1:
        raise ValueError(f"w must have shape (m,): a loop belongs to one run, not to a stack of shape {w.shape}")
    chosen = np.flatnonzero(np.sign(w) == checks.one_of("sign", sign, (1, -1)))
    return chosen[np.argsort(_angles("theta", theta[chosen]) % (2 * np.pi), kind="stable")]


def followed_gaps(paths):
    """True angles from each corner to the next, shape (T, n), for a loop (T, n, 2) that is followed through time.

    At the start they lie in [0, 2 pi); from there each direction is followed without a jump, so that a gap may grow
    beyond half a turn, where a polygon would take the short side. They sum to the same whole number of turns at all
    times: one, for corners in the order of `loop`. Raises ValueError if a corner is 0, or turns by more than a quarter
    between two records, or for a stack of runs.
    """
    angle = _angles("paths", paths)
    if angle.ndim != 2:
        raise ValueError(f"paths must have shape (T, n, 2), one run through time, but its shape is {np.shape(paths)}")
    moves = _half_open(np.diff(angle, axis=0))
    if (np.abs(moves) > np.pi / 2).any():
        raise ValueError("paths must be recorded more often: a direction turns by more than a quarter between records")
    first = (np.roll(angle[:1], -1, axis=-1) - angle[:1]) % (2 * np.pi)
    turned = np.concatenate([0 * first, np.cumsum(moves, axis=0)])
    return first + np.roll(turned, -1, axis=-1) - turned


def bad_arcs(problem, measure, sign, level=0.0):
    """Arcs of directions in which F' is below -level on the cone of this sign: first and last angles, shape (k, 2).

    On the cone F'(mu) = r^2 (c + s eta), so these are the directions with c + s eta < -level <= 0 (ReLU, d = 2). An
    arc runs counter-clockwise from its first angle in [0, 2 pi) to its last; (0, 2 pi) is the whole circle.
    """
    sign, level = checks.one_of("sign", sign, (1, -1)), checks.positive("level", level, or_zero=True)
    checks.having("problem", problem, "a Problem", "risk", "penalty")
    checks.having("measure", measure, "a Measure", "particles", "dimension")
    if (problem.risk.homogeneity, problem.risk.dimension) != (1, 2):
        raise ValueError("problem must have ReLU features in the plane, d = 2: only there directions are a circle")
    particles = measure.particles()

    def height(angle):
        at = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        return problem.penalty + level + ROUNDING + sign * problem.risk.potential(*particles, at.reshape(-1, 2))

    grid = 2 * np.pi * np.arange(POINTS + 1) / POINTS
    bad = height(grid[:-1]) < 0
    if bad.all() or not bad.any():
        return np.array([[0.0, 2 * np.pi]])[: bad[0].astype(int)]
    after = np.roll(bad, -1)
    ends = [
        [brentq(lambda a: height(a)[0], grid[k], grid[k + 1], xtol=1e-13) for k in np.flatnonzero(crossing)]
        for crossing in (~bad & after, bad & ~after)
    ]
    first, last = (np.array(angles) for angles in ends)
    if last[0] < first[0]:
        last = np.roll(last, -1)
    return np.stack([first, last + 2 * np.pi * (last < first)], axis=-1)


def _angles(name, points):
    """The directions (..., n) of points (..., n, 2), none of which may be 0."""
    points = checks.finite(name, checks.points(name, points, 2))
    if (points == 0).all(axis=-1).any():
        raise ValueError(f"{name} must not hold the point 0: it has no direction, and no number of turns around itself")
    return np.arctan2(points[..., 1], points[..., 0], dtype=np.float64)


def _half_open(angle):
    """The same angles, up to whole turns, in [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi
