"""Optimal transport between non-negative measures of equal mass: distances, geodesics; the continuity equation.

W_p^p is the least total cost of moving one measure onto the other at |x - y|^p per unit of mass.
"""

import numpy as np

from mfcourse import checks, plans, results
from mfcourse.foreign import shown
from mfcourse.measures import Measure
from mfcourse.motion import velocity


def optimal_plan(mu, nu, p=2, period=None):
    """The plan from mu to nu of least cost |x - y|^p, p >= 1, on R^d or on the torus of side `period`.

    Raises ValueError if a mass is negative, the total masses or dimensions differ, or a measure is empty; RuntimeError
    if a plan in d >= 2 could not be proved to be the best.
    """
    _comparable(mu, nu)
    period = checks.optional_period(period)
    p = plans.power(p)
    # float32 is too coarse for a proof
    mu, nu = (Measure(x.weights.astype(float), x.positions.astype(float)) for x in (mu, nu))
    if mu.dimension > 1:
        return plans.linear_program(mu, nu, p, period)
    if period is None:
        return plans.monotone(mu, nu)
    return plans.circular(mu, nu, p, period)


def wasserstein(mu, nu, p=2, period=None):
    """W_p(mu, nu) on R^d, or on the torus of side `period`. Errors as `optimal_plan`."""
    return optimal_plan(mu, nu, p, period).distance(p)


def mixture(mu, nu, t):
    """(1 - t) mu + t nu: mass fades out here and in there, nothing moves. J is convex along it."""
    _measures(mu, nu)
    return (1 - plans.time(t)) * mu + t * nu


def displacement(mu, nu, t, period=None):
    """The W_2 geodesic from mu (t = 0) to nu (t = 1): mass moves, nothing fades. J need not be convex along it."""
    return optimal_plan(mu, nu, 2, period).at(plans.time(t))


def _measures(mu, nu):
    if not isinstance(mu, Measure) or not isinstance(nu, Measure):
        raise ValueError(f"mu and nu must be Measures, but they are {shown(mu)} and {shown(nu)}")


def _comparable(mu, nu):
    _measures(mu, nu)
    if mu.dimension != nu.dimension:
        raise ValueError(f"measures must share d, but d is {mu.dimension} and {nu.dimension}")
    for measure in (mu, nu):
        if len(measure) == 0 or (measure.weights < 0).any() or measure.mass <= 0:
            raise ValueError("transport needs non-negative measures with positive mass; take .positive or .negative")
    single = np.float32 in (mu.weights.dtype, nu.weights.dtype)  # 1/7 in float32 is known to 6e-8
    if abs(mu.mass - nu.mass) > (1e-6 if single else 1e-9) * mu.mass:
        raise ValueError(
            f"transport needs equal masses, but they are {mu.mass:.6g} and {nu.mass:.6g}: they differ by "
            f"{abs(mu.mass - nu.mass):.3g}; nu * (mu.mass / nu.mass) has the mass of mu"
        )


@results.quietly
def continuity_defect(problem, run, psi, step_w, step_theta):
    """How far a recorded flow is from the continuity equation in weak form (Def. 2.4), shape (T - 1, ...).

    Between consecutive records, the change of int psi dmu_t minus the time integral (trapezoidal rule) of
    int grad psi . v_t dmu_t, with the velocity v_t of Prop. 2.3 in the units of one step. psi maps (w, theta) to
    values (..., m), d psi / dw (..., m) and d psi / dtheta (..., m, d). The defect vanishes as the steps do.
    Raises ValueError if a step size is negative, psi returns other shapes, or something is not finite.
    """
    checks.having("problem", problem, "a Problem", "risk", "descent")
    checks.having("run", run, "a Run", "steps", "w", "theta")
    step_w = checks.positive("step_w", step_w, or_zero=True)
    step_theta = checks.positive("step_theta", step_theta, or_zero=True)
    values, rates = [], []
    for w, theta in zip(run.w, run.theta, strict=True):
        value, slope_w, slope_theta = _values_and_slopes(psi, w, theta)
        speed_w, speed_theta = velocity(problem, w, theta)
        values.append(value.mean(axis=-1))
        rate = step_w * slope_w * speed_w + step_theta * (slope_theta * speed_theta).sum(axis=-1)
        rates.append(rate.mean(axis=-1))
    values, rates = np.array(values), np.array(rates)
    time = np.diff(run.steps).reshape(-1, *[1] * (rates.ndim - 1))
    defect = np.diff(values, axis=0) - time * (rates[1:] + rates[:-1]) / 2
    return results.finite(defect, step_w=step_w, step_theta=step_theta, psi=values)


def _values_and_slopes(psi, w, theta):
    answer = checks.function("psi", psi)(w, theta)
    shapes = [np.shape(w), np.shape(w), np.shape(theta)]
    if not isinstance(answer, tuple | list) or len(answer) != len(shapes):
        raise ValueError(f"psi must return its values, d psi / dw and d psi / dtheta, not {shown(answer)}")
    answer = [checks.finite("what psi returns", part) for part in answer]
    if [part.shape for part in answer] != shapes:
        found = ", ".join(str(part.shape) for part in answer)
        raise ValueError(f"psi must return arrays of the shapes {', '.join(map(str, shapes))}, not {found}")
    return answer
