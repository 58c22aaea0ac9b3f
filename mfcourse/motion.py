"""How particles move, and when they have settled: the velocity field of the flow, and what it takes off the energy."""

import numpy as np

from mfcourse import checks, results
from mfcourse.certificates import TOLERANCE, gap

STILL = 1e-17  # dissipation in the problem's own units below which nothing will happen: it goes like the squared gap


def velocity(problem, w, theta):
    """Velocity (..., m) and (..., m, d) of the particle gradient flow (Def. 2.2, Prop. 2.3).

    For V = |w|: u' = -(eta + c sign w, w grad eta); at w = 0, where |w| has a kink, the subgradient of least norm: a
    particle of weight 0 waits until |eta| exceeds c. For ReLU: u' = -(eta + c w, w grad eta + c theta).
    """
    w, theta = checks.particles(w, theta)
    _, potential, gradient = problem.risk(w, theta)
    return problem.descent(w, theta, potential, gradient)


@results.quietly
def dissipation(problem, w, theta):
    """(1/m) sum_i |u_i'|^2, shape (...): the rate at which F_m decreases along the flow (Prop. 2.3)."""
    speed_w, speed_theta = velocity(problem, w, theta)
    squares = (speed_w**2 + (speed_theta**2).sum(axis=-1)).mean(axis=-1)
    return results.finite(squares, w=w, theta=theta)


@results.quietly
def balance(w, theta):
    """w^2 - |theta|^2 of every particle, shape (..., m): conserved by the flow of ReLU networks without penalty."""
    w, theta = checks.particles(w, theta)
    return results.finite(w**2 - np.vecdot(theta, theta), w=w, theta=theta)


def until_settled(problem, tolerance=TOLERANCE, metric="euclidean"):
    """A stopping rule: every run is "certified", with a relative gap <= tolerance, or "at rest" (it is stuck).

    At rest is a run that hardly dissipates, in units of its own mass and energy and in the metric in which it moves:
    "euclidean"; "conic", where positions move at a speed that does not depend on their mass; "mirror", where masses
    grow and shrink in proportion to themselves besides, as in conic mirror descent. In single precision, tolerances are
    no smaller than it allows.
    """
    tolerance = checks.positive("tolerance", tolerance)
    checks.one_of("metric", metric, ("euclidean", "conic", "mirror"))

    def settled(w, theta):
        rounding = float(np.finfo(w.dtype).eps)
        still = _relative_dissipation(problem, w, theta, metric) <= max(STILL, (16 * rounding) ** 2)
        closed = gap(problem, w, theta) <= max(tolerance, 32 * rounding)
        return np.where(closed, "certified", np.where(still, "at rest", ""))

    return settled


def _relative_dissipation(problem, w, theta, metric):
    """The dissipation over F_m^2, shape (...), with weights and positions counted in units that fit the problem.

    So it is the same number whatever units the data are in. The penalty c names the unit of mass, F_m / c; without it,
    particles are counted in units of their own size.
    """
    speed_w, speed_theta = velocity(problem, w, theta)
    energy, degree = problem.energy(w, theta), problem.risk.homogeneity
    if problem.penalty:
        unit_w = (energy / problem.penalty) ** (0.5 if degree else 1.0)
        unit_theta = unit_w if degree else np.full_like(unit_w, problem.risk.period or 1)
    else:
        unit_w, unit_theta = np.sqrt((w**2).mean(axis=-1)), np.sqrt(np.vecdot(theta, theta).mean(axis=-1))
    from_w, from_theta = speed_w**2, np.vecdot(speed_theta, speed_theta)
    share = np.abs(w) / np.where(unit_w > 0, unit_w, 1)[..., None]
    if metric == "mirror":
        from_w = from_w * share
    if metric != "euclidean":
        from_theta = from_theta / np.where(w != 0, share, np.inf)
    total = unit_w**2 * from_w.mean(axis=-1) + unit_theta**2 * from_theta.mean(axis=-1)
    return total / np.where(energy > 0, energy, 1) ** 2
