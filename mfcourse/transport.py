"""Optimal transport between non-negative measures of equal mass: plans, distances, geodesics; the continuity equation.

W_p^p is the least total cost of moving one measure onto the other at |x - y|^p per unit of mass. In d = 1 the plan is
monotone: sort both measures and match quantiles. On the circle one also chooses where to cut it. In d >= 2 the plan is
a linear program, solved by POT and proved by its dual. Distances are counted in units of the largest, so that no power
of them overflows; less than 2e-15 of the mass is rounding, and is not moved.
"""

from dataclasses import dataclass

import numpy as np

from mfcourse import checks
from mfcourse.flows import velocity
from mfcourse.measures import Measure

SLIVER = 2e-15  # share of the mass
CAPS = 60  # plans that are tried
ROOM = 16.0  # largest cost that is told from others, over the largest paid


@dataclass(frozen=True, eq=False)
class Plan:
    """A transport plan: `mass` (q,) moves from `source` (q, d) to `target` (q, d) on a straight line.

    On the torus target - source is the way gone, so a target may lie outside [0, period).
    """

    mass: np.ndarray
    source: np.ndarray
    target: np.ndarray

    def cost(self, p):
        """Total cost sum mass |target - source|^p, p >= 1; ValueError if it is too large for a float."""
        relative, longest = self._in_units(_power(p))
        with np.errstate(over="ignore"):
            cost = relative * np.float64(longest) ** p
        if not np.isfinite(cost):
            raise ValueError(
                f"p must be so small that the cost is finite, but {longest:.3g}^{p:g} is not: see `distance`"
            )
        return float(cost)

    def distance(self, p):
        """The p-th root of the cost, for every p >= 1: W_p if the plan is optimal."""
        relative, longest = self._in_units(_power(p))
        return float(longest * relative ** (1 / p))

    def _in_units(self, p):
        """The cost, with the longest way as the unit of length, and this unit."""
        lengths = _norm(self.target - self.source)
        longest = lengths.max() or 1.0
        return self.mass @ (lengths / longest) ** p, longest

    def at(self, t):
        """The displacement interpolation at time t in [0, 1]: a geodesic of W_2 if the plan is optimal for p = 2."""
        return Measure(self.mass, self.source + _time(t) * (self.target - self.source))


def optimal_plan(mu, nu, p=2, period=None):
    """The plan from mu to nu of least cost |x - y|^p, p >= 1, on R^d or on the torus of side `period`.

    Raises ValueError if a mass is negative, the total masses or dimensions differ, or a measure is empty; RuntimeError
    if a plan in d >= 2 could not be proved to be the best.
    """
    _comparable(mu, nu)
    period = checks.optional_period(period)
    p = _power(p)
    if mu.dimension > 1:
        return _plan_by_pot(mu, nu, p, period)
    if period is None:
        return _monotone(mu, nu)
    return _circular(mu, nu, p, period)


def wasserstein(mu, nu, p=2, period=None):
    """W_p(mu, nu) on R^d, or on the torus of side `period`. Errors as `optimal_plan`."""
    return optimal_plan(mu, nu, p, period).distance(p)


def mixture(mu, nu, t):
    """(1 - t) mu + t nu: mass fades out here and in there, nothing moves. J is convex along it."""
    return (1 - _time(t)) * mu + t * nu


def displacement(mu, nu, t, period=None):
    """The W_2 geodesic from mu (t = 0) to nu (t = 1): mass moves, nothing fades. J need not be convex along it."""
    return optimal_plan(mu, nu, 2, period).at(_time(t))


def _time(t):
    if checks.positive("t", t, or_zero=True) > 1:
        raise ValueError(f"t must be in [0, 1], but it is {checks.shown(t)}")
    return t


def _power(p):
    if checks.positive("p", p) < 1:
        raise ValueError(f"p must be >= 1, but it is {checks.shown(p)}")
    return p


def _norm(vectors):
    """Euclidean lengths (...) of vectors (..., d), also where their squares would overflow or vanish."""
    largest = np.abs(vectors).max(axis=-1, keepdims=True)
    unit = np.where(largest > 0, largest, 1)
    return unit[..., 0] * np.linalg.norm(vectors / unit, axis=-1)


def _comparable(mu, nu):
    if not isinstance(mu, Measure) or not isinstance(nu, Measure):
        raise ValueError(f"mu and nu must be Measures, but they are {mu!r:.40} and {nu!r:.40}")
    if mu.dimension != nu.dimension:
        raise ValueError(f"measures must share d, but d is {mu.dimension} and {nu.dimension}")
    for measure in (mu, nu):
        if len(measure) == 0 or (measure.weights < 0).any() or measure.mass <= 0:
            raise ValueError("transport needs non-negative measures with positive mass; take .positive or .negative")
    if abs(mu.mass - nu.mass) > 1e-9 * mu.mass:
        raise ValueError(
            f"transport needs equal masses, but they are {mu.mass:.6g} and {nu.mass:.6g}: they differ by "
            f"{abs(mu.mass - nu.mass):.3g}; nu * (mu.mass / nu.mass) has the mass of mu"
        )


def _monotone(mu, nu, shift=0.0, period=None):
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


def _circular(mu, nu, p, period):
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
    return _monotone(mu, nu, (low + high) / 2, period)


def _plan_by_pot(mu, nu, p, period):
    """The plan in d >= 2, proved by its dual: what it costs is at most 1e-9 more than a lower bound of every cost.

    A few far atoms make costs of which POT, whose precision is relative to the largest, sees only these. So costs are
    cut off not far above what the plan pays, and the plan is made again, until the dual proves it: what a dual of lower
    costs proves is true for the real ones.
    """
    import ot  # here, because POT looks for every deep learning framework when it is imported

    way = nu.positions[None] - mu.positions[:, None]
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
        price = plan[paid] @ (lengths[paid] / longest) ** p * (longest / cap) ** p
        rounding = 1e-15 * (np.abs(u).max() + np.abs(log["v"]).max())
        slivers = 50 * SLIVER * (longest / cap) ** p  # so little mass on the longest way is rounding too
        if price - (a @ u + b @ log["v"]) + rounding < 1e-9 * price + slivers:  # not <=: all may have vanished to 0
            break
        cap = min(ROOM ** (1 / p) * longest, lengths.max())
    else:
        ways = f"from {lengths.min():.3g} to {lengths.max():.3g}"
        raise RuntimeError(f"the plan for p = {p:g} could not be proved to be the best one: ways are {ways} long")
    i, j = np.nonzero(plan)
    return Plan(mu.mass * plan[i, j], mu.positions[i], mu.positions[i] + way[i, j])


def continuity_defect(problem, run, psi, step_w, step_theta):
    """How far a recorded flow is from the continuity equation in weak form (Def. 2.4), shape (T - 1, ...).

    Between consecutive records, the change of int psi dmu_t minus the time integral (trapezoidal rule) of
    int grad psi . v_t dmu_t, with the velocity v_t of Prop. 2.3 in the units of one step. psi maps (w, theta) to
    values (..., m), d psi / dw (..., m) and d psi / dtheta (..., m, d). The defect vanishes as the steps do.
    """
    values, rates = [], []
    for w, theta in zip(run.w, run.theta, strict=True):
        value, slope_w, slope_theta = psi(w, theta)
        speed_w, speed_theta = velocity(problem, w, theta)
        values.append(value.mean(axis=-1))
        rate = step_w * slope_w * speed_w + step_theta * (slope_theta * speed_theta).sum(axis=-1)
        rates.append(rate.mean(axis=-1))
    values, rates = np.array(values), np.array(rates)
    time = np.diff(run.steps).reshape(-1, *[1] * (rates.ndim - 1))
    return np.diff(values, axis=0) - time * (rates[1:] + rates[:-1]) / 2
