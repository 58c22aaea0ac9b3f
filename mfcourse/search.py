"""Where is |eta| largest? For networks: climbing from many directions, and on the circle all of them.

For ReLU, eta is homogeneous and only the unit sphere counts; for bounded activations Theta is all of R^d. What climbing
finds is a lower bound of the maximum: a violation it finds is one, a violation it does not find may still exist. On the
circle (ReLU, d = 2) and on the interval (cosines) the maximum is found up to rounding.
Shapes: w (m,), theta (m, d), one run.
"""

import numpy as np

from mfcourse.intervals import Cosines
from mfcourse.risks import FeatureRisk

DIRECTIONS = 256  # random directions, or points of a line, that climbing starts from, beside those of the particles
CIRCLE = 4096  # directions on the circle
CLIMBS = 32  # how many of the best are refined
STEPS = 300
DENSITY = 64  # grid points for each oscillation of the highest cosine on the interval
HALVINGS = 45


def highest(risk, w, theta, seed=0):
    """(top, worst, exact): the largest |eta| found, where (d,), and whether it is the maximum up to rounding.

    Raises ValueError if a particle has left the interval.
    """
    if isinstance(risk, FeatureRisk) and isinstance(risk.features, Cosines):
        if np.min(theta) < 0 or np.max(theta) > 1:
            raise ValueError(
                f"theta must lie on the interval [0, 1], but it runs from {np.min(theta):g} to {np.max(theta):g}; "
                "intervals.kept_inside keeps it there"
            )
        return *_interval(risk.features, risk.residual(w, theta)), True
    exact = risk.homogeneity == 1 and risk.dimension == 2
    at = _circle(risk, w, theta) if exact else _directions(risk, theta, np.random.default_rng(seed))
    values = np.abs(risk.potential(w, theta, at))
    at = at[np.argsort(-values)[:CLIMBS]]
    at, values = climb(risk, w, theta, at)
    best = values.argmax()
    return float(values[best]), at[best], exact


def climb(risk, w, theta, at):
    """Raise |eta| from each of the points (q, d): where they end, and |eta| there.

    Steps along the gradient, on the unit sphere if the features are homogeneous; a step that leads down is not taken,
    and the next one is four times shorter.
    """
    sphere = risk.homogeneity > 0
    values, slope = risk.field(w, theta, at)
    pace = np.full(len(at), 0.1)
    for _ in range(STEPS):
        uphill = np.sign(values)[:, None] * slope
        if sphere:
            uphill = uphill - np.vecdot(uphill, at)[:, None] * at
        steep = np.linalg.norm(uphill, axis=-1)
        length = np.linalg.norm(at, axis=-1)
        if not (steep * pace > 0).any() or pace.max() < 1e-9:
            break
        moved = at + (pace * np.maximum(length, 1) / np.where(steep > 0, steep, 1))[:, None] * uphill
        if sphere:
            moved = moved / np.linalg.norm(moved, axis=-1, keepdims=True)
        new_values, new_slope = risk.field(w, theta, moved)
        better = np.abs(new_values) > np.abs(values)
        at = np.where(better[:, None], moved, at)
        slope = np.where(better[:, None], new_slope, slope)
        values = np.where(better, new_values, values)
        pace = np.where(better, 1.5 * pace, pace / 4)
    return at, np.abs(values)


def _directions(risk, theta, rng):
    """Directions of the particles and random ones; in R^d at the lengths that the particles have.

    A line has two directions only. There it is a grid, twice as far out as the particles are, and lengths of all sizes.
    """
    lengths = np.linalg.norm(theta, axis=-1)
    if risk.homogeneity == 0 and risk.dimension == 1:
        reach, sizes = 2 * (lengths.max() or 1.0), np.geomspace(0.01, 100, DIRECTIONS // 4)
        grid = np.linspace(-reach, reach, DIRECTIONS // 2)
        return np.concatenate([theta[:, 0], grid, reach * sizes, -reach * sizes])[:, None]
    random = rng.standard_normal((DIRECTIONS, risk.dimension))
    random /= np.linalg.norm(random, axis=-1, keepdims=True)
    if risk.homogeneity == 0:
        radii = rng.choice(lengths, DIRECTIONS) if lengths.any() else np.ones(DIRECTIONS)
        return np.concatenate([theta, random * radii[:, None]])
    return np.concatenate([(theta / np.where(lengths > 0, lengths, 1)[:, None])[lengths > 0], random])


def _circle(risk, w, theta):
    """Directions among which |eta| is largest on the circle, or close to it.

    On samples eta has kinks where a direction is orthogonal to a sample, and is G . theta with a constant G in between,
    largest at a kink or at +-G/|G|: these points are all that can be the maximum.
    """
    if not isinstance(risk, FeatureRisk):
        angles = 2 * np.pi * np.arange(CIRCLE) / CIRCLE
        return np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    normals = np.arctan2(risk.features.x[:, 1], risk.features.x[:, 0]) + np.pi / 2
    kinks = np.unique(np.mod(np.concatenate([normals, normals + np.pi]), 2 * np.pi))
    between = kinks + np.diff(kinks, append=kinks[0] + 2 * np.pi) / 2
    kinks, between = (np.stack([np.cos(a), np.sin(a)], axis=-1) for a in (kinks, between))
    _, slope = risk.field(w, theta, between)
    slope = slope[slope.any(axis=-1)]
    peaks = slope / np.linalg.norm(slope, axis=-1, keepdims=True)
    return np.concatenate([kinks, peaks, -peaks])


def _interval(features, residual):
    """The largest |<residual, phi>| on [0, 1], and where (1,): on a fine grid, then between the neighbours of each top.

    There the slope changes its sign, unless the top is a wall: halving the bracket finds where.
    """
    t = np.linspace(0, 1, int(np.ceil(DENSITY * max(features.frequencies.max() / 2, 1))) + 1)
    height = np.abs(features.pull(residual, t[:, None])[0])
    padded = np.pad(height, 1, constant_values=-1)
    tops = np.flatnonzero((height >= padded[:-2]) & (height >= padded[2:]))
    left, right = t[np.maximum(tops - 1, 0)], t[np.minimum(tops + 1, len(t) - 1)]
    for _ in range(HALVINGS):
        middle = (left + right) / 2
        values, slope = features.pull(residual, middle[:, None])
        rising = values * slope[:, 0] > 0
        left, right = np.where(rising, middle, left), np.where(rising, right, middle)
    at = np.concatenate([t[tops], left, right])[:, None]
    values = np.abs(features.pull(residual, at)[0])
    best = values.argmax()
    return float(values[best]), at[best]
