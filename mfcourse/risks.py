"""Risks as functions of particles: the one contract that flows, certificates and pictures rely on.

    risk(w, theta)               -> value (...), potential (..., m), gradient (..., m, d)
    risk.potential(w, theta, at) -> (..., q)

A risk raises NotFinite rather than return a NaN or an infinity. The particles stand for
mu = (1/m) sum_i w_i delta_{theta_i}; value is R(int phi dmu), the potential is eta(theta) =
<R'(int phi dmu), phi(theta)> at the particles, or at the points `at`, and the gradient is that of eta.
Shapes: w (..., m), theta (..., m, d), `at` (q, d) for all runs or (..., q, d); leading axes are independent runs.
"""

from dataclasses import dataclass

import numpy as np

from mfcourse import checks


class NotFinite(ValueError):
    """Particles with a NaN, an infinity, or weights so large that the risk overflows."""


@dataclass(frozen=True, eq=False)
class FeatureRisk:
    """R(int phi dmu) for a feature map phi and a convex loss R (eq. (1)).

    Raises ValueError if w or theta has a wrong shape, NotFinite (a ValueError) if an entry or the risk is not finite.
    """

    features: object
    loss: object

    def __call__(self, w, theta):
        with np.errstate(over="ignore", invalid="ignore"):
            prediction, potential, gradient = self.features.push_pull(w, theta, self.loss.gradient)
            value = self.loss.value(prediction)
        _demand_finite(prediction, value, w, theta)
        return value, potential, gradient

    def residual(self, w, theta):
        """R'(int phi dmu), the vector (..., n) whose product with phi(theta) is the potential."""
        with np.errstate(over="ignore", invalid="ignore"):
            prediction = self.features.push(w, theta)
        _demand_finite(prediction, 0.0, w, theta)
        return self.loss.gradient(prediction)

    def potential(self, w, theta, at):
        """First variation of the risk, eta, at q points: shape (..., q)."""
        at = checks.finite("at", checks.points("at", at, self.features.dimension))
        return self.features.pull(self.residual(w, theta), at)[0]


def _demand_finite(prediction, value, w, theta):
    """A NaN or an infinity anywhere in a run ends up in its prediction, so looking for one costs almost nothing."""
    if np.isfinite(prediction).all() and np.isfinite(value).all():
        return
    try:
        checks.finite("w", w), checks.finite("theta", theta)
    except ValueError as error:
        raise NotFinite(*error.args) from None
    raise NotFinite(f"w must be small enough for the risk to be finite, but it has entries up to {np.abs(w).max():.3g}")
