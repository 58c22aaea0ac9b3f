"""Risks as functions of particles: the one contract that flows, certificates and pictures rely on.

    risk(w, theta)               -> value (...), potential (..., m), gradient (..., m, d)
    risk.field(w, theta, at)     -> potential (..., q), gradient (..., q, d)
    risk.potential(w, theta, at) -> (..., q)
    risk.peaks(w, theta)         -> values (..., k), positions (..., k, d), proof

A risk raises NotFinite rather than return a NaN or an infinity. The particles stand for
mu = (1/m) sum_i w_i delta_{theta_i}; value is R(int phi dmu), the potential is eta(theta) =
<R'(int phi dmu), phi(theta)> at the particles, or at the points `at`, and the gradient is that of eta. A risk also
knows `dimension`, `period` and `homogeneity` of its positions (see `features`), and `dual(w, theta, shrink)`.
Shapes: w (..., m), theta (..., m, d), `at` (q, d) for all runs or (..., q, d); leading axes are independent runs.
"""

import functools
from dataclasses import dataclass

import numpy as np

from mfcourse import checks, results, search
from mfcourse.activations import activation_named
from mfcourse.features import Neurons
from mfcourse.kernels import CLOSED_FORMS
from mfcourse.measures import Measure
from mfcourse.results import NotFinite


@dataclass(frozen=True, eq=False)
class FeatureRisk:
    """R(int phi dmu) for a feature map phi and a convex loss R (eq. (1)).

    Raises ValueError if w or theta has a wrong shape, NotFinite (a ValueError) if an entry or the risk is not finite.
    """

    features: object
    loss: object

    @property
    def dimension(self):
        """Number d of coordinates of a position."""
        return self.features.dimension

    @property
    def period(self):
        """1 for positions on the torus, None for positions in R^d."""
        return self.features.period

    @property
    def homogeneity(self):
        """Degree p with phi(r theta) = r^p phi(theta), 0 for bounded features."""
        return self.features.homogeneity

    @results.quietly
    def __call__(self, w, theta):
        try:
            prediction, potential, gradient = self.features.push_pull(w, theta, self.loss.gradient)
            return self.loss.value(prediction), potential, gradient
        except NotFinite:
            results.blame(w=w, theta=theta)

    @results.quietly
    def residual(self, w, theta):
        """R'(int phi dmu), the vector (..., n) whose product with phi(theta) is the potential."""
        prediction = self.features.push(w, theta)
        results.finite(prediction, w=w, theta=theta)
        return self.loss.gradient(prediction)

    def field(self, w, theta, at):
        """The potential eta (..., q) and its gradient (..., q, d) at q points."""
        at = checks.finite("at", checks.points("at", at, self.dimension))
        return self.features.pull(self.residual(w, theta), at)

    def potential(self, w, theta, at):
        """First variation of the risk, eta, at q points: shape (..., q)."""
        return self.field(w, theta, at)[0]

    def peaks(self, w, theta):
        """Peaks of eta, values (..., k) and positions (..., k, d), and whether nothing can be beyond the largest.

        They are what the feature map says; where it proves nothing, also where climbing from the particles ends.
        """
        residual, features = self.residual(w, theta), self.features
        if hasattr(features, "peaks"):
            values, at, proof = features.peaks(residual)
            if proof:
                return values, at, proof
        return *search.by_climbing(functools.partial(features.pull, residual), features, np.asarray(theta)), False

    def dual(self, w, theta, shrink):
        """-R*(q) for q = shrink R'(int phi dmu): a lower bound of J* where |<q, phi>| <= c everywhere."""
        return -self.loss.conjugate(self.residual(w, theta) * np.asarray(shrink)[..., None])


@dataclass(frozen=True, eq=False)
class PopulationRisk:
    """(1/2) E (f - f*)^2 for networks f = int phi dmu and f* = int phi dteacher, x ~ N(0, I_d), in closed form.

    It is half the quadratic form of the kernel E phi(theta) phi(theta') at the signed measure mu - teacher: nothing is
    sampled. teacher: a Measure, or a list of Measures with as many atoms each, one for each run of a stack;
    activation: one with a closed form, "relu", "signed_square_relu", "probit" or "erf". Raises ValueError otherwise.
    """

    teacher: object
    activation: str

    def __post_init__(self):
        teachers = [self.teacher] if isinstance(self.teacher, Measure) else list(self.teacher)
        if not teachers or len({t.positions.shape for t in teachers}) != 1 or not len(teachers[0]):
            raise ValueError("teacher must be a Measure with atoms, or Measures with as many atoms, one for each run")
        one = teachers[0] if isinstance(self.teacher, Measure) else None
        object.__setattr__(self, "_masses", one.weights if one else np.stack([t.weights for t in teachers]))
        object.__setattr__(self, "_positions", one.positions if one else np.stack([t.positions for t in teachers]))
        object.__setattr__(self, "_sigma", activation_named(self.activation))
        if self._sigma.core not in CLOSED_FORMS:
            raise ValueError(f"activation must have a closed form (relu, probit or erf), but it is {self.activation!r}")

    @property
    def dimension(self):
        """Number d of coordinates of a position, and of a sample."""
        return self._positions.shape[-1]

    period = None

    @property
    def homogeneity(self):
        """Degree p with phi(r theta) = r^p phi(theta), 0 for bounded features."""
        return self._sigma.homogeneity

    @results.quietly
    def __call__(self, w, theta):
        masses, positions = self._difference(w, theta)
        try:
            potential, gradient = self._correlate(positions, positions, masses)
        except NotFinite:
            results.blame(w=w, theta=theta)
        value = np.vecdot(masses, potential) / 2
        results.finite((value, gradient), w=w, theta=theta)
        m = np.shape(w)[-1]
        # Near the teacher the difference of large terms is all rounding, which may be negative: the risk is not.
        return np.maximum(value, 0), potential[..., :m].copy(), gradient[..., :m, :].copy()

    def field(self, w, theta, at):
        """The potential eta (..., q) and its gradient (..., q, d) at q points."""
        at = checks.finite("at", checks.points("at", at, self.dimension))
        masses, positions = self._difference(w, theta)
        try:
            potential, gradient = self._correlate(at, positions, masses)
        except NotFinite:
            results.blame(w=w, theta=theta, at=at)
        results.finite(potential, w=w, theta=theta)
        return potential, gradient

    def potential(self, w, theta, at):
        """First variation of the risk, eta, at q points: shape (..., q)."""
        return self.field(w, theta, at)[0]

    def peaks(self, w, theta):
        """Peaks of eta, values (..., k) and positions (..., k, d), and whether nothing can be beyond the largest.

        For ReLU in the plane the circle is searched, where |eta''| <= sum |a_j||theta_j| / 2; else eta is climbed.
        """
        masses, positions = self._difference(w, theta)
        field = functools.partial(self.field, w, theta)
        if self.homogeneity == 1 and self.dimension == 2:
            bend = (np.abs(masses) * np.linalg.norm(positions, axis=-1)).sum(axis=-1) / 2
            return *search.on_circle(field, bend), True
        return *search.by_climbing(field, self, np.asarray(theta)), False

    def dual(self, w, theta, shrink):
        """-R*(q) for q = shrink (f - f*): a lower bound of J* where |<q, phi>| <= c everywhere."""
        taught = np.vecdot(self._masses, self.potential(w, theta, self._positions))
        return -shrink * taught - shrink**2 * self(w, theta)[0]

    def matrix(self, theta):
        """The kernel E phi(theta_i) phi(theta_j), shape (m, m), and E phi(theta_i) f*, shape (m,), for theta (m, d)."""
        theta = checks.points("theta", theta, self.dimension)
        sigma, v = self._sigma, self._sigma.direction(theta)
        kernel = sigma.offset**2 + sigma.amplitude**2 * CLOSED_FORMS[sigma.core][1](v, v)
        return kernel, self._correlate(theta, self._positions, self._masses)[0]

    def taught(self, x):
        """f* at samples x (n, d): shape (..., n)."""
        teacher = Neurons(x, self.activation)
        return teacher.push(self._masses * self._masses.shape[-1], self._positions)

    def _difference(self, w, theta):
        """mu - teacher: masses (..., m + m0) and positions (..., m + m0, d)."""
        w, theta = checks.particles(w, theta, self.dimension)
        masses, positions = (x.astype(w.dtype, copy=False) for x in (-self._masses, self._positions))
        runs = checks.same_runs(w=w.shape[:-1], teacher=masses.shape[:-1])
        m = w.shape[-1]
        both = np.empty((*runs, m + masses.shape[-1]), w.dtype)
        both[..., :m], both[..., m:] = w / m, masses
        places = np.empty((*both.shape, self.dimension), theta.dtype)
        places[..., :m, :], places[..., m:, :] = theta, positions
        return both, places

    def _correlate(self, at, sources, masses):
        """E phi(at_i) int phi dnu and its gradient in at_i, nu with these masses (..., m) at these positions."""
        sigma = self._sigma
        a = sigma.direction(at)
        b = a if at is sources else sigma.direction(sources)
        total, gradient = CLOSED_FORMS[sigma.core][0](a, b, masses)
        total = sigma.amplitude**2 * total + sigma.offset**2 * masses.sum(axis=-1, keepdims=True)
        return total, sigma.chain(at, gradient) * sigma.amplitude**2
