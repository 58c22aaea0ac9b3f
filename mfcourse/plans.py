"""Transport plans: which mass goes where at least cost |x - y|^p.

In d = 1 the plan is monotone: sort both measures and match quantiles. On the circle one also chooses where to cut it.
In d >= 2 the plan is a linear program, solved by POT and proved by its dual. Distances are counted in units of the
largest, so that no power of them overflows; less than 2e-15 of the mass is rounding, and is not moved.
"""

from dataclasses import dataclass

import numpy as np

from mfcourse import checks
from mfcourse.foreign import is_real, shown
from mfcourse.measures import Measure

SLIVER = 2e-15  # share of the mass
CAPS = 60  # plans that are tried
ROOM = 16.0  # largest cost that is told from others, over the largest paid


@dataclass(frozen=True, eq=False)
class Plan:
    """A transport plan: `mass` (q,) moves from `source` (q, d) to `target` (q, d) on a straight line.

    On the torus target - source is the way gone, so a target may lie outside [0, period). Raises ValueError if the
    shapes do not fit, or if a mass, a position or the way between two is not finite.
    """

    mass: np.ndarray
    source: np.ndarray
    target: np.ndarray

    def __post_init__(self):
        start, end = Measure(self.mass, self.source), Measure(self.mass, self.target)
        if start.dimension != end.dimension or (start.weights < 0).any():
            raise ValueError("a plan moves masses >= 0 between positions of one dimension")
        _ways(end.positions, start.positions)
        for name, array in (("mass", start.weights), ("source", start.positions), ("target", end.positions)):
            object.__setattr__(self, name, array)

    def cost(self, p):
        """Total cost sum mass |target - source|^p, p >= 1; ValueError if it is too large for a float."""
        relative, longest = self._in_units(power(p))
        with np.errstate(over="ignore"):
            cost = relative * np.float64(longest) ** p
        if not np.isfinite(cost):
            raise ValueError(
                f"p must be so small that the cost is finite, but {longest:.3g}^{p:g} is not: see `distance`"
            )
        return float(cost)

    def distance(self, p):
        """The p-th root of the cost, for every p >= 1: W_p if the plan is optimal. Errors as `cost`."""
        relative, longest = self._in_units(power(p))
        distance = float(longest) * float(relative) ** (1 / p)
        if not np.isfinite(distance):
            raise ValueError(f"the distance of mass {self.mass.sum():.3g} over {longest:.3g} is too large for a float")
        return distance

    def _in_units(self, p):
        """The cost, with the longest way as the unit of length, and this unit."""
        lengths = _norm(self.target - self.source)
        longest = lengths.max(initial=0) or 1.0
        return self.mass @ (lengths / longest) ** p, longest

    def at(self, t):
        """The displacement interpolation at time t in [0, 1]: a geodesic of W_2 if the plan is optimal for p = 2."""
        return Measure(self.mass, self.source + time(t) * (self.target - self.source))


def time(t):
    """`t` as a float in [0, 1]; ValueError otherwise."""
    if not is_real(t) or not 0 <= t <= 1:
        raise ValueError(f"t must be in [0, 1], but it is {shown(t)}")
    return float(t)


def power(p):
    """`p` as a finite float >= 1; ValueError otherwise."""
    if (number := checks.positive("p", p)) < 1:
        raise ValueError(f"p must be >= 1, but it is {shown(p)}")
    return number


def _norm(vectors):
    """Euclidean lengths (...) of vectors (..., d), also where their squares would overflow or vanish."""
    largest = np.abs(vectors).max(axis=-1, keepdims=True)
    unit = np.where(largest > 0, largest, 1)
    return unit[..., 0] * np.linalg.norm(vectors / unit, axis=-1)


def _ways(ends, starts):
    """ends - starts; ValueError if two positions are farther apart than the largest float."""
    with np.errstate(over="ignore"):
        ways = ends - starts
    if not np.isfinite(ways).all():
        raise ValueError("positions must be so small that the ways between them are finite: change the unit of length")
    return ways


def monotone(mu, nu, shift=0.0, period=None):
    """Match the quantile s of mu with the quantile s + shift of nu, which is unrolled along the line on the circle."""
    x, ends_x = _quantiles(mu, period)
    y, ends_y = _quantiles(nu, period)
    turns = np.floor(shift)
    ends_y = ends_y - (shift - turns)
    first = np.count_nonzero(ends_y <= 0)  # this many atoms of nu lie before the cut: their turn comes last
    ends_y = np.concatenate([ends_y[first:], ends_y[:first] + 1])
    ends = np.concatenate([ends_x, ends_y])
    order = np.argsort(ends, kind="stable")  # a merge of two sorted lists
    mass = np.diff(np.minimum(ends[order], 1), prepend=0.0)
    of_x, used = order < len(x), mass > SLIVER
    i = (np.cumsum(of_x) - of_x)[used]
    j = (np.cumsum(~of_x) - ~of_x)[used] + first
    target = y[j % len(y)] + (turns + j // len(y)) * (period or 0)
    return Plan(mu.mass * mass[used], x[i, None], target[:, None])


def _quantiles(measure, period):
    """Sorted positions (m,) and cumulated masses (m,), scaled to end at 1."""
    x = measure.positions[:, 0] if period is None else np.mod(measure.positions[:, 0], period)
    order = np.argsort(x)
    levels = np.cumsum(measure.weights[order])
    return x[order], levels / levels[-1]


def circular(mu, nu, p, period):
    """The cost of the monotone plan is convex in the shift of the quantiles: bisect its slope."""
    x, levels_x = _quantiles(mu, period)
    y, levels_y = _quantiles(nu, period)
    following = np.append(y[1:], y[0] + period)

    def slope(shift):  # as the shift grows, mass at the end of each atom of nu goes to the next atom instead
        s = levels_y - shift
        turns = np.ceil(s) - 1
        from_x = x[np.minimum(np.searchsorted(levels_x, s - turns), len(x) - 1)] + turns * period
        next_way, way = np.abs(following - from_x), np.abs(y - from_x)
        longest = max(next_way.max(), way.max())
        return ((next_way / longest) ** p - (way / longest) ** p).sum() if longest else 0.0

    low, high = -1.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    return monotone(mu, nu, (low + high) / 2, period)


def linear_program(mu, nu, p, period):
    """The plan in d >= 2, proved by its dual: what it costs is at most 1e-9 more than a lower bound of every cost.

    A few far atoms make costs of which POT, whose precision is relative to the largest, sees only these. So costs are
    cut off not far above what the plan pays, and the plan is made again, until the dual proves it: what a dual of lower
    costs proves is true for the real ones.
    """
    import ot  # here, because POT looks for every deep learning framework when it is imported

    starts, ends = (x.positions if period is None else np.mod(x.positions, period) for x in (mu, nu))
    way = _ways(ends[None], starts[:, None])
    if period is not None:
        way -= period * np.round(way / period)
    lengths = _norm(way)
    a, b = mu.weights / mu.mass, nu.weights / nu.mass
    a, b, cap = a / a.sum(), b / b.sum(), lengths.max()
    for _ in range(CAPS):
        cost = (np.minimum(lengths, cap) / (cap or 1)) ** p
        plan, log = ot.emd(a, b, cost, numItermax=1_000_000, log=True)
        plan = np.where(plan > SLIVER, plan, 0)
        paid = (plan > 0) & (lengths > 0)
        if not paid.any():
            break
        u = log["u"] + np.min(cost - log["u"][:, None] - log["v"], axis=1)  # now u + v <= cost
        longest = lengths[paid].max()
        with np.errstate(over="ignore"):  # where the plan has ways that are cut off
            unit = (longest / cap) ** p
        price = plan[paid] @ (lengths[paid] / longest) ** p * unit
        rounding = 1e-15 * (np.abs(u).max() + np.abs(log["v"]).max())
        slivers = 50 * SLIVER * unit  # so little mass on the longest way is rounding too
        if price - (a @ u + b @ log["v"]) + rounding < 1e-9 * price + slivers:  # not <=: all may have vanished to 0
            break
        cap = min(ROOM ** (1 / p) * longest, lengths.max())
    else:
        ways = f"from {lengths.min():.3g} to {lengths.max():.3g}"
        raise RuntimeError(f"the plan for p = {p:g} could not be proved to be the best one: ways are {ways} long")
    i, j = np.nonzero(plan)
    return Plan(mu.mass * plan[i, j], starts[i], starts[i] + way[i, j])
