"""Certificates: is this measure a global minimiser, and if not, how far is it from one?

Prop. 3.1, for c |w|: mu is optimal iff |eta| <= c on all of Theta, with eta = -c sign(a_i) at its atoms. The residual
q = R'(int phi dmu), scaled until |eta| <= c holds everywhere, is feasible for the dual problem, so D = -R*(q) <= J*
and the gap J - D bounds the excess J - J* without knowing J*. On the torus, the circle and the interval the maximum of
|eta| is found up to rounding; for networks in more dimensions it is searched for, and the certificate says that it is
no proof.
Without penalty, c = 0, optimal means eta = 0 and there is no dual: the gap is the risk in units of R(0).
Shapes: w (..., m), theta (..., m, d); leading axes are independent runs.
"""

from dataclasses import dataclass

import numpy as np

from mfcourse.measures import Measure
from mfcourse.search import highest

TOLERANCE = 1e-8  # relative gap below which a measure is called optimal
GRID = (32, 16)  # grid points for each oscillation of the highest frequency, in d = 1 and in d >= 2
NEWTON_STEPS = 40
MOST_RIVALS = 4096  # a constant potential is largest everywhere


@dataclass(frozen=True)
class Certificate:
    """What the first variation on all of Theta says of a measure.

    objective: J; dual: a lower bound D of the minimum; gap: (J - D) / J; max_potential: max |eta| / c over Theta,
    reached at the position `worst` (d,). A max_potential above 1 proves that mass put there lowers J. With c = 0: dual
    0, gap = R(mu) / R(0), max_potential = max |eta|. proof: False if the maximum was only searched for, in more than
    two dimensions or an unbounded Theta: then it is a lower bound, and D and the gap hold if nothing was missed.
    """

    objective: float
    dual: float
    gap: float
    max_potential: float
    worst: np.ndarray
    proof: bool = True

    @property
    def optimal(self):
        """True if the gap is at most 1e-8: no measure whatever is better by more than that fraction of J."""
        return bool(self.gap <= TOLERANCE)

    @property
    def verdict(self):
        """The certificate in a sentence."""
        caveat = "" if self.proof else " (as far as a search among directions can tell: no proof)"
        if self.dual == 0:  # no penalty: the risk itself says how far it is from 0
            word = "optimal" if self.optimal else "not optimal"
            return f"{word}: {self.gap:.1e} of the risk of nothing is left, |eta| reaches {self.max_potential:.2g}"
        if self.optimal:
            return f"optimal: nothing is better by more than {max(self.gap, 0):.1e} of J{caveat}"
        if self.max_potential <= 1 + TOLERANCE:
            return f"not optimal: |eta| keeps its bound, masses or positions do not fit it: gap {self.gap:.1e}{caveat}"
        where = ", ".join(f"{x:.3f}" for x in self.worst[:3]) + (", ..." if len(self.worst) > 3 else "")
        return f"not optimal: |eta| exceeds its bound by {self.max_potential - 1:.2g} at {where}, mass there lowers J"


def certify(problem, measure):
    """Certificate of a Measure (Prop. 3.1 and Fenchel duality). Raises ValueError if d is not that of the problem."""
    risk = problem.risk
    if not isinstance(measure, Measure) or measure.dimension != risk.dimension:
        raise ValueError(f"measure must be a Measure with d = {risk.dimension}, but it is {measure!r:.80}")
    particles = measure.particles()
    objective, dual, top, worst, proof = bounds(problem, *particles)
    fraction = float(_relative(problem, *particles, objective, dual))
    worst = worst if risk.period is None else np.mod(worst, risk.period)
    return Certificate(float(objective), float(dual), fraction, float(top), worst, proof)


def gap(problem, w, theta):
    """Relative duality gap of particles, shape (...); without penalty R(mu) / R(0)."""
    if problem.penalty == 0:
        return _relative(problem, w, theta, problem.risk(w, theta)[0], 0)
    return _relative(problem, w, theta, *bounds(problem, w, theta)[:2])


def bounds(problem, w, theta):
    """J (...), a feasible dual value D (...), max |eta| / c (...), where it is reached (..., d), and if that is proved.

    Without penalty D = 0, as no risk is negative, and the maximum is that of |eta|. Networks: one run, no stack.
    """
    risk = problem.risk
    objective = problem.least_energy(w, theta)
    if risk.period is None:
        if np.ndim(w) != 1:
            raise ValueError(
                f"w must have shape (m,): without a period, measures are certified one run at a time, not {np.shape(w)}"
            )
        top, worst, proof = highest(risk, w, theta)
    else:
        values, at = extremes(risk.features, risk.residual(w, theta))
        best = np.abs(values).argmax(axis=-1)[..., None]
        top = np.abs(np.take_along_axis(values, best, axis=-1))[..., 0]
        worst, proof = np.take_along_axis(at, best[..., None], axis=-2)[..., 0, :], True
    if problem.penalty == 0:
        return objective, np.zeros_like(objective), top, worst, proof
    top = top / problem.penalty
    return objective, risk.dual(w, theta, 1 / np.maximum(top, 1)), top, worst, proof


def extremes(features, residual):
    """Local maxima of |<residual, phi>| over the torus: values (..., k) and positions (..., k, d).

    The potential is a trigonometric polynomial, and a grid has many points for each of its oscillations: the largest
    maximum shows there to a few per cent. Newton steps sharpen all grid maxima that could be it. A run with fewer of
    them than another repeats its largest.
    """
    at, spacing = _grid_maxima(features, residual)
    values, gradient = features.pull(residual, at)
    reach = np.full((*values.shape, 1), spacing)
    for _ in range(NEWTON_STEPS):
        # Uphill for certain: curvatures count by their size, and along each axis of curvature a step stays within
        # reach, which is halved where the last step led down.
        curvature, frame = np.linalg.eigh(features.hessian(residual, at))
        uphill = (np.sign(values)[..., None, None] * gradient[..., None, :]) @ frame
        newton = uphill[..., 0, :] / np.maximum(np.abs(curvature), np.finfo(curvature.dtype).tiny)
        step = (frame @ np.clip(newton, -reach, reach)[..., None])[..., 0]
        new_values, new_gradient = features.pull(residual, at + step)
        better = np.abs(new_values) > np.abs(values)
        reach = np.where(better[..., None], reach, np.minimum(reach, np.abs(step).max(axis=-1, keepdims=True)) / 2)
        at = np.where(better[..., None], at + step, at)
        gradient = np.where(better[..., None], new_gradient, gradient)
        values = np.where(better, new_values, values)
        if not (np.abs(step) > 1e-9).any():
            break
    return values, at


def _grid_maxima(features, residual):
    """Local maxima of |potential| on a grid: positions (..., k, d), and the grid's spacing.

    These are the 4 d cutoff largest, and all that could belong to the largest maximum M: near it a trigonometric
    polynomial of degree K is at least M cos(2 pi K t) (M. Riesz), with t at most half the spacing on each axis.
    """
    dimension, density = features.dimension, GRID[features.dimension > 1]
    side = features.cutoff * density
    points = np.indices((side,) * dimension).reshape(dimension, -1).T / side
    height = np.abs(features.pull(residual, points)[0])
    height = height.reshape(*height.shape[:-1], *(side,) * dimension)
    neighbours = [np.roll(height, shift, axis) for axis in range(-dimension, 0) for shift in (-1, 1)]
    height = np.where(np.logical_and.reduce([height >= other for other in neighbours]), height, 0)
    height = height.reshape(*height.shape[:-dimension], -1)
    rivals = (height >= np.cos(np.pi / density) ** dimension * height.max(axis=-1, keepdims=True)) & (height > 0)
    number = min(max(4 * dimension * features.cutoff, rivals.sum(axis=-1).max()), MOST_RIVALS)
    highest = np.argsort(-height, axis=-1)[..., :number]
    is_maximum = np.take_along_axis(height, highest, axis=-1) > 0
    return points[np.where(is_maximum, highest, highest[..., :1])], 1 / side


def _relative(problem, w, theta, objective, dual):
    """(J - D) / J, or without penalty R(mu) / R(0)."""
    whole = objective if problem.penalty else problem.risk(np.zeros_like(w), theta)[0]
    return (objective - dual) / np.where(whole > 0, whole, 1)
