"""Certificates: is this measure a global minimiser, and if not, how far is it from one?

Prop. 3.1, for c |w|: mu is optimal iff |eta| <= c on all of Theta, with eta = -c sign(a_i) at its atoms. The residual
q = R'(int phi dmu), scaled until |eta| <= c holds everywhere, is feasible for the dual problem, so D = -R*(q) <= J*
and the gap J - D bounds the excess J - J* without knowing J*. For a non-negative problem the same holds with eta >= -c.
On the torus, the circle and the interval the maximum of |eta| is found up to rounding; elsewhere it is searched for,
and the certificate says that it is no proof.
Without penalty, c = 0, optimal means eta = 0 and there is no dual: the gap is the risk in units of R(0).
Shapes: w (..., m), theta (..., m, d); leading axes are independent runs.
"""

from dataclasses import dataclass

import numpy as np

from mfcourse import checks
from mfcourse.measures import Measure

TOLERANCE = 1e-8  # relative gap below which a measure is called optimal


@dataclass(frozen=True)
class Certificate:
    """What the first variation on all of Theta says of a measure.

    objective: J; dual: a lower bound D of the minimum; gap: (J - D) / J; max_potential: max |eta| / c over Theta,
    reached at the position `worst` (d,). A max_potential above 1 proves that mass put there lowers J. With c = 0: dual
    0, gap = R(mu) / R(0), max_potential = max |eta|. proof: False if the maximum was only searched for: then it is a
    lower bound, and D and the gap hold if nothing was missed. positive: for a non-negative problem max_potential is
    that of -eta.
    """

    objective: float
    dual: float
    gap: float
    max_potential: float
    worst: np.ndarray
    proof: bool = True
    positive: bool = False

    @property
    def optimal(self):
        """True if the gap is at most 1e-8: no measure whatever is better by more than that fraction of J."""
        return bool(self.gap <= TOLERANCE)

    @property
    def verdict(self):
        """The certificate in a sentence."""
        caveat = "" if self.proof else " (as far as a search can tell: no proof)"
        eta = "-eta" if self.positive else "|eta|"
        if self.dual == 0:  # no penalty: the risk itself says how far it is from 0
            word = "optimal" if self.optimal else "not optimal"
            return f"{word}: {self.gap:.1e} of the risk of nothing is left, {eta} reaches {self.max_potential:.2g}"
        if self.optimal:
            return f"optimal: nothing is better by more than {max(self.gap, 0):.1e} of J{caveat}"
        if self.max_potential <= 1 + TOLERANCE:
            return f"not optimal: {eta} keeps its bound, masses or positions do not fit it: gap {self.gap:.1e}{caveat}"
        where = ", ".join(f"{x:.3f}" for x in self.worst[:3]) + (", ..." if len(self.worst) > 3 else "")
        return f"not optimal: {eta} exceeds its bound by {self.max_potential - 1:.2g} at {where}, mass there lowers J"


def certify(problem, measure):
    """Certificate of a Measure (Prop. 3.1 and Fenchel duality). Raises ValueError if d is not that of the problem."""
    risk = problem.risk
    if not isinstance(measure, Measure) or measure.dimension != risk.dimension:
        raise ValueError(f"measure must be a Measure with d = {risk.dimension}, but it is {measure!r:.80}")
    particles = _precise(problem, *measure.particles())
    objective, dual, top, worst, proof = bounds(problem, *particles)
    fraction = float(_relative(problem, *particles, objective, dual))
    worst = worst if risk.period is None else np.mod(worst, risk.period)
    return Certificate(float(objective), float(dual), fraction, float(top), worst, proof, problem.positive)


def gap(problem, w, theta):
    """Relative duality gap of particles, shape (...); without penalty R(mu) / R(0)."""
    w, theta = _precise(problem, w, theta)
    if problem.penalty == 0:
        return _relative(problem, w, theta, problem.risk(w, theta)[0], 0)
    return _relative(problem, w, theta, *bounds(problem, w, theta)[:2])


def bounds(problem, w, theta):
    """J (...), a feasible dual value D (...), max |eta| / c (...), where it is reached (..., d), and if that is proved.

    For a non-negative problem the maximum is that of -eta, or 0. Without penalty D = 0, as no risk is negative, and
    the maximum is not divided. All is computed in double precision.
    """
    w, theta = _precise(problem, w, theta)
    objective = problem.least_energy(w, theta)
    values, at, proof = problem.risk.peaks(w, theta)
    size = np.maximum(-values, 0) if problem.positive else np.abs(values)
    best = size.argmax(axis=-1)[..., None]
    top = np.take_along_axis(size, best, axis=-1)[..., 0]
    worst = np.take_along_axis(at, best[..., None], axis=-2)[..., 0, :]
    if problem.penalty == 0:
        return objective, np.zeros_like(objective), top, worst, proof
    top = top / problem.penalty
    return objective, problem.risk.dual(w, theta, 1 / np.maximum(top, 1)), top, worst, proof


def _precise(problem, w, theta):
    """The particles in double precision: rounding to single precision alone would make bounds that do not hold."""
    w, theta = checks.particles(w, theta, problem.risk.dimension)
    return w.astype(np.float64, copy=False), theta.astype(np.float64, copy=False)


def _relative(problem, w, theta, objective, dual):
    """(J - D) / J, or without penalty R(mu) / R(0)."""
    whole = objective if problem.penalty else problem.risk(np.zeros_like(w), theta)[0]
    return (objective - dual) / np.where(whole > 0, whole, 1)
