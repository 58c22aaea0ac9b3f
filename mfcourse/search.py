"""Where is the potential eta largest, and where least? What a feature map's `peaks` does, for each kind of Theta.

On the torus, on the circle and on an interval a grid shows where the two can be, by a bound on how fast eta bends, and
what the grid shows is refined: both are found up to rounding. Elsewhere eta is climbed from many places: what climbing
finds is a lower bound of the maximum; a violation it finds is one, a violation it does not find may still exist.
Every function returns values (..., k) of eta and positions (..., k, d); leading axes are independent runs. A run with
fewer peaks than another repeats its own.
"""

import numpy as np

GRID = (32, 16)  # grid points of the torus for each oscillation of the highest frequency, in d = 1 and in d >= 2
NEWTON_STEPS = 40
AT_ONCE = 2**22  # numbers in the largest table of a Newton step
CIRCLE = 4096  # directions on the circle
HALVINGS = 45
PLACES = 256  # where climbing begins, beside the particles
CLIMBS = 16  # how many of the highest, and of the lowest, are refined
STEPS = 300


def on_torus(features, residual):
    """Local maxima of |<residual, phi>| for the phi of `features.Fourier`, the largest and the least eta included.

    The grid points that could be next to the largest M or the least L are those within the slack: along every line
    eta - (M + L) / 2 is bounded by H = (M - L) / 2, and stays above H cos(2 pi K s) at the distance s (in the sum of
    coordinates) from where it reaches H (M. Riesz; Duffin and Schaeffer). Newton steps climb from all of them.
    """
    d, density = features.dimension, GRID[features.dimension > 1]
    side = features.cutoff * density
    height = features.survey(residual, side)
    flat = height.reshape(*height.shape[:-d], -1)
    high, low = flat.max(axis=-1, keepdims=True), flat.min(axis=-1, keepdims=True)
    slack = (high - low) / 2 * (1 / np.cos(np.pi * d / density) - 1)
    near = (flat >= high - slack) | (flat <= low + slack)
    size = np.abs(height)
    tops = np.logical_and.reduce([size >= np.roll(size, shift, axis) for axis in range(-d, 0) for shift in (-1, 1)])
    tops = tops.reshape(flat.shape) & (flat != 0)
    points = np.indices((side,) * d).reshape(d, -1).T / side
    urgent, number = tops & near, 4 * d * features.cutoff
    score = np.where(urgent, np.inf, np.where(tops, np.abs(flat), -1.0))
    tallest = _first(score, max(number, int(urgent.sum(axis=-1).max())))
    beside = _first(np.where(near & ~tops, 1.0, -1.0), int((near & ~tops).sum(axis=-1).max()))
    chunk = max(1, AT_ONCE // (features.size // (2 * features.cutoff + 1) * (1 + d + d * d)))
    best = None
    for chosen in (tallest, beside):
        for start in range(0, chosen.shape[-1], chunk):
            found = _newton(features, residual, points[chosen[..., start : start + chunk]], 1 / side)
            best = found if best is None else _joined(best, found, keep=chosen is tallest)
    return best


def _first(score, number):
    """Indices (..., number) of the largest scores; where there are fewer of them >= 0, the largest is repeated."""
    order = np.argsort(-score, axis=-1, kind="stable")[..., :number]
    return np.where(np.take_along_axis(score, order, axis=-1) >= 0, order, order[..., :1])


def _joined(best, found, keep):
    """Both lists one after the other; unless `keep`, of the second only what is beyond the first, on either side."""
    values, at = found
    if not keep:
        ends = np.stack([values.argmax(axis=-1), values.argmin(axis=-1)], axis=-1)
        values, at = np.take_along_axis(values, ends, axis=-1), np.take_along_axis(at, ends[..., None], axis=-2)
        known = np.stack([best[0].argmax(axis=-1), best[0].argmin(axis=-1)], axis=-1)
        old, where = np.take_along_axis(best[0], known, axis=-1), np.take_along_axis(best[1], known[..., None], axis=-2)
        beyond = (values - old) * [1, -1] > 1e-14 * np.abs(best[0]).max(axis=-1, keepdims=True)
        values, at = np.where(beyond, values, old), np.where(beyond[..., None], at, where)
    return np.concatenate([best[0], values], axis=-1), np.concatenate([best[1], at], axis=-2)


def _newton(features, residual, at, spacing):
    """Climb |eta| from the points (..., k, d) by Newton steps that never lead down."""
    values, gradient = features.pull(residual, at)
    top, reach = np.abs(values).max(axis=-1, keepdims=True), np.full((*values.shape, 1), spacing)
    going = np.arange(values.shape[-1])
    for _ in range(NEWTON_STEPS):
        # Uphill for certain: curvatures count by their size, and along each axis of curvature a step stays within
        # reach, which is halved where the last step led down.
        old, here, slope, limit = values[..., going], at[..., going, :], gradient[..., going, :], reach[..., going, :]
        curvature, frame = np.linalg.eigh(features.hessian(residual, here))
        uphill = (np.sign(old)[..., None, None] * slope[..., None, :]) @ frame
        newton = uphill[..., 0, :] / np.maximum(np.abs(curvature), np.finfo(curvature.dtype).tiny)
        step = np.clip(newton, -limit, limit)
        worth = np.vecdot(uphill[..., 0, :], step) > np.finfo(top.dtype).eps / 4 * top
        if not worth.any():
            break
        step = (frame @ step[..., None])[..., 0]
        new, new_slope = features.pull(residual, here + step)
        better = np.abs(new) > np.abs(old)
        shorter = np.minimum(limit, np.abs(step).max(axis=-1, keepdims=True)) / 2
        reach[..., going, :] = np.where(better[..., None], limit, shorter)
        at[..., going, :] = np.where(better[..., None], here + step, here)
        gradient[..., going, :] = np.where(better[..., None], new_slope, slope)
        values[..., going] = np.where(better, new, old)
        going = going[worth.reshape(-1, len(going)).any(axis=0)]
    return values, at


def on_curve(field, t, bend, place, closed=False):
    """Peaks along a curve: an interval, or a circle if `closed`.

    field: parameters (..., q) -> eta (..., q) and its derivative (..., q); t: a regular grid; bend (...): a bound on
    the second derivative; place: parameters (..., q) -> positions (..., q, d). The grid points next to the largest and
    the least value are within bend h^2 / 8 of it; between their neighbours the derivative changes its sign, unless the
    peak is at an end: halving finds where.
    """
    step = t[1] - t[0]
    height, _ = field(t)
    slack = (np.asarray(bend) * step**2 / 8)[..., None]
    top, bottom = height.max(axis=-1, keepdims=True), height.min(axis=-1, keepdims=True)
    rivals = (height >= top - slack) | (height <= bottom + slack)
    size = np.abs(height)
    around = np.pad(size, [(0, 0)] * (size.ndim - 1) + [(1, 1)], mode="wrap" if closed else "edge")
    rivals |= (size >= around[..., :-2]) & (size >= around[..., 2:])
    chosen = _first(np.where(rivals, size, -1.0), int(rivals.sum(axis=-1).max()))
    left, right = t[chosen] - step, t[chosen] + step
    if not closed:
        left, right = np.maximum(left, t[0]), np.minimum(right, t[-1])
    sign = np.sign(np.take_along_axis(height, chosen, axis=-1))
    for _ in range(HALVINGS):
        middle = (left + right) / 2
        rising = sign * field(middle)[1] > 0
        left, right = np.where(rising, middle, left), np.where(rising, right, middle)
    candidates = np.stack([t[chosen], left, right])
    values = np.stack([field(c)[0] for c in candidates])
    best = np.abs(values).argmax(axis=0)[None]
    return np.take_along_axis(values, best, axis=0)[0], place(np.take_along_axis(candidates, best, axis=0)[0])


def around(angle):
    """Points (..., 2) of the unit circle."""
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def on_circle(field, bend):
    """Peaks on the unit circle of a field: points (..., q, 2) -> eta (..., q) and gradient; bend as in `on_curve`."""

    def along(angle):
        values, slope = field(around(angle))
        return values, slope[..., 1] * np.cos(angle) - slope[..., 0] * np.sin(angle)

    return on_curve(along, 2 * np.pi * np.arange(CIRCLE) / CIRCLE, bend, around, closed=True)


def between_kinks(field, x):
    """Peaks on the unit circle for ReLU on samples x (n, 2): all of them.

    eta has kinks where a direction is orthogonal to a sample, and is G . theta with a constant G in between, largest
    and least at a kink or at +-G/|G|: no other points can be.
    """
    normals = np.arctan2(x[:, 1], x[:, 0]) + np.pi / 2
    kinks = np.unique(np.mod(np.concatenate([normals, normals + np.pi]), 2 * np.pi))
    _, slope = field(around(kinks + np.diff(kinks, append=kinks[0] + 2 * np.pi) / 2))
    length = np.linalg.norm(slope, axis=-1, keepdims=True)
    peaks = np.where(length > 0, slope / np.where(length > 0, length, 1), around(kinks))
    kinks = np.broadcast_to(around(kinks), peaks.shape)
    at = np.concatenate([kinks, peaks, -peaks], axis=-2)
    return field(at)[0], at


def by_climbing(field, features, near=None, seed=0):
    """Where climbing ends, from places all over Theta and from those in `near` (..., q, d); no proof.

    field: points (..., q, d) -> eta (..., q) and its gradient (..., q, d); features: anything with the `dimension`,
    `homogeneity` and `period` of positions.
    """
    at = _places(features, np.ones(1) if near is None else np.linalg.norm(near, axis=-1), np.random.default_rng(seed))
    if near is not None:
        at = np.concatenate([near, np.broadcast_to(at, (*near.shape[:-2], *at.shape[-2:]))], axis=-2)
    if features.homogeneity:
        length = np.linalg.norm(at, axis=-1, keepdims=True)
        at = np.where(length > 0, at / np.where(length > 0, length, 1), np.eye(features.dimension)[0])
    order = np.argsort(field(at)[0], axis=-1)
    chosen = np.concatenate([order[..., -CLIMBS:], order[..., :CLIMBS]], axis=-1)
    at = np.take_along_axis(np.broadcast_to(at, (*order.shape, at.shape[-1])), chosen[..., None], axis=-2)
    return climb(field, at, features.homogeneity > 0)


def climb(field, at, sphere):
    """Raise |eta| from each of the points (..., q, d): eta where they end, and these points.

    Steps along the gradient, on the unit sphere if `sphere`; a step that leads down is not taken, and the next one is
    four times shorter.
    """
    values, slope = field(at)
    pace, unit = np.full(values.shape, 0.1), np.median(np.linalg.norm(at, axis=-1), axis=-1, keepdims=True)
    unit = np.where(unit > 0, unit, 1)
    for _ in range(STEPS):
        uphill = np.sign(values)[..., None] * slope
        if sphere:
            uphill = uphill - np.vecdot(uphill, at)[..., None] * at
        steep = np.linalg.norm(uphill, axis=-1)
        length = np.linalg.norm(at, axis=-1)
        if not (steep * pace > 0).any() or pace.max() < 1e-9:
            break
        moved = at + (pace * np.maximum(length, unit) / np.where(steep > 0, steep, 1))[..., None] * uphill
        if sphere:
            moved = moved / np.linalg.norm(moved, axis=-1, keepdims=True)
        new_values, new_slope = field(moved)
        better = np.abs(new_values) > np.abs(values)
        at = np.where(better[..., None], moved, at)
        slope = np.where(better[..., None], new_slope, slope)
        values = np.where(better, new_values, values)
        pace = np.where(better, 1.5 * pace, pace / 4)
    return values, at


def _places(features, lengths, rng):
    """Places (q, d) all over Theta: a periodic cell, the unit sphere, or R^d at lengths of all sizes."""
    d, scale = features.dimension, lengths.max(axis=-1)[..., None, None]
    scale = np.where(scale > 0, scale, 1)
    if features.period is not None:
        grid = np.arange(PLACES)[:, None] / PLACES
        return features.period * (grid if d == 1 else rng.uniform(size=(4 * PLACES, d)))
    if d == 1 and not features.homogeneity:
        even = np.arange(1, PLACES // 4) / (PLACES // 4)
        away = np.concatenate([even, np.geomspace(0.01, 100, PLACES // 4)])[:, None]
        return 2 * scale * np.concatenate([[[0.0]], away, -away])
    at = rng.standard_normal((PLACES, d))
    at /= np.linalg.norm(at, axis=-1, keepdims=True)
    return at if features.homogeneity else at * scale * np.geomspace(0.1, 10, PLACES)[:, None]
