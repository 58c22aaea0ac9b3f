"""A problem is a convex function of a measure: risk + penalty, and the measure that generated the data.

J(mu) = R(int phi dmu) + c sum_i |a_i||theta_i|^p, eq. (1), where p is the homogeneity of phi: for bounded features the
penalty is the total variation. For particles, F_m(u) = R(int phi dmu) + (c/m) sum_i V(u_i), Def. 2.2.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gamma

from mfcourse import checks, results
from mfcourse.features import Fourier, Neurons
from mfcourse.losses import Logistic, Squared
from mfcourse.measures import Measure
from mfcourse.penalties import PENALTIES
from mfcourse.risks import FeatureRisk, PopulationRisk

SEPARATION = (0.1, 0.15)  # least distance of two spikes, in d = 1 and in d >= 2
APART = np.pi / 8  # least angle between the lines of two teacher neurons in d = 2


@dataclass(frozen=True, eq=False)
class Problem:
    """Minimise J = risk + penalty * total variation (for networks: the form of it that fits the activation).

    risk: obeys the contract of `mfcourse.risks`; penalty: the weight c >= 0 of V, whose form is `form`;
    truth: the Measure that generated the data, or None for a stack of problems or real data; positive: True if only
    non-negative measures are allowed. Raises ValueError for a negative penalty; so do its methods for a weight that is
    not allowed.
    """

    risk: object
    penalty: float
    truth: Measure | None = None
    positive: bool = False

    def __post_init__(self):
        checks.positive("penalty", self.penalty, or_zero=True)
        checks.flag("positive", self.positive)

    @property
    def form(self):
        """The penalty V of a particle: one of `mfcourse.penalties`, the one that fits the features."""
        return PENALTIES[self.risk.homogeneity]

    def energy(self, w, theta):
        """F_m of particles w (..., m), theta (..., m, d): shape (...).

        It is at least J of the measure they stand for, and equal to it unless particles of both signs share a position
        or, for ReLU, |w| and |theta| differ.
        """
        self._demand_allowed(w)
        value, _, _ = self.risk(w, theta)
        return value + self.penalty * self.form.value(w, theta).mean(axis=-1)

    @results.quietly
    def least_energy(self, w, theta):
        """J (...) of the measure that particles w (..., m), theta (..., m, d) stand for, atoms taken as distinct."""
        self._demand_allowed(w)
        value, _, _ = self.risk(w, theta)
        return value + self.penalty * (np.abs(w) * np.vecdot(theta, theta) ** (self.risk.homogeneity / 2)).mean(axis=-1)

    def descent(self, w, theta, potential, gradient):
        """Velocity (..., m), (..., m, d) of particles, given the risk's potential and gradient there (Prop. 2.3).

        It is minus m times the subgradient of F_m of least norm: a weight 0 of a non-negative problem never sinks.
        """
        force_w, force_theta = self.form.forces(w, potential, gradient)
        speed_w, speed_theta = -force_w, -force_theta
        if self.penalty:
            speed_w, speed_theta = self.form.velocity(self.penalty, w, theta, force_w, force_theta)
        if self.positive:
            speed_w = np.where(w <= 0, np.maximum(speed_w, 0), speed_w)
        return speed_w, speed_theta

    def proximal(self, w, theta, level_w, level_theta):
        """The implicit step of the penalty, whose levels are step sizes: to the allowed weights, and towards 0."""
        return self.form.proximal(self.allowed(w), theta, level_w * self.penalty, level_theta * self.penalty)

    def allowed(self, w):
        """The weights closest to w that the problem allows: w itself, or its positive part."""
        return np.maximum(w, 0) if self.positive else w

    def _demand_allowed(self, w):
        if self.positive and np.min(w, initial=0) < 0:
            raise ValueError(f"w must be >= 0, as the problem is of non-negative measures, but one is {np.min(w):g}")

    def objective(self, measure):
        """J(measure) as a float; the measure may be empty."""
        return float(self.least_energy(*measure.particles()))


def relu_teacher(seed, d=2, n_neurons=4):
    """A ReLU network as teacher, x ~ N(0, I_d), exact population risk, no penalty (Sec. 4.2, Figures 2 and 3).

    f* = sum_j a_j relu(theta_j . x), a sum and not a mean. In d = 2 the angles are uniform, redrawn until the lines of
    all neurons are pi/8 apart, then signs and masses a_j = +-uniform(.5, 1.5); in other dimensions directions come
    first, uniform on the sphere. seed: whole number >= 0; d, n_neurons >= 1. Raises ValueError otherwise, or when so
    many neurons do not fit in d = 2.
    """
    rng, d, n_neurons = _recipe(seed, d, n_neurons)
    if d == 2:
        if n_neurons > 6:  # the room for eight is none, for seven redrawing would hardly ever end
            raise ValueError(f"n_neurons must be at most 6 in d = 2, where they stay pi/8 apart, but it is {n_neurons}")
        directions = _apart(rng, n_neurons)
    else:
        directions = _on_sphere(rng, n_neurons, d)
    teacher = Measure(rng.choice([-1.0, 1.0], n_neurons) * rng.uniform(0.5, 1.5, n_neurons), directions)
    return Problem(PopulationRisk(teacher, "relu"), 0.0, teacher)


def sigmoid_teacher(seed, d=100, n_neurons=20):
    """A network of probit sigmoids as teacher, |theta_j| = 10, exact population risk, no penalty (Figure 3).

    The probit sigmoid N(sqrt(pi/8) z) is the logistic one up to .018. Directions and masses as in `relu_teacher` with
    d > 2. seed: whole number >= 0; d, n_neurons >= 1. Raises ValueError otherwise.
    """
    rng, d, n_neurons = _recipe(seed, d, n_neurons)
    directions = _on_sphere(rng, n_neurons, d)
    teacher = Measure(rng.choice([-1.0, 1.0], n_neurons) * rng.uniform(0.5, 1.5, n_neurons), 10 * directions)
    return Problem(PopulationRisk(teacher, "probit"), 0.0, teacher)


def from_data(x, y, activation, loss="squared", penalty=0.0, bias=True):
    """Fit one hidden layer to your own samples: the mean loss, and a penalty in the form that fits the activation.

    x: samples (n, d); y: (n,) numbers, or labels -1 and 1 for the logistic loss; activation: a name in
    `activations.ACTIVATIONS`; loss: "squared", |f - y|^2 / (2n), or "logistic"; penalty >= 0; with a bias, theta has
    d + 1 coordinates. Raises ValueError if x and y do not fit each other, or are not finite.

    With "relu" no theorem of the paper applies: the velocity jumps where a neuron stops seeing a sample, and full
    circles of neurons, however many, may end in a trap (chapter 10). Believe the certificate; in the plane it is proof.
    """
    neurons = Neurons(x, activation, bias)
    checks.one_of("loss", loss, ("squared", "logistic"))
    y = checks.signs("y", y) if loss == "logistic" else checks.finite("y", y)
    if neurons.x.ndim != 2 or y.shape != (neurons.size,):
        raise ValueError(f"y must have shape (n,), one entry for each sample of x {np.shape(x)}, but it is {y.shape}")
    return Problem(FeatureRisk(neurons, Squared(y, neurons.size) if loss == "squared" else Logistic(y)), penalty)


def spikes(seed, lam=2.0, noise=0.1, cutoff=7, n_spikes=5, dimension=1):
    """Sparse spikes deconvolution on the torus (R/Z)^d (Sec. 4.1): recover signed spikes from a low-pass observation.

    R(f) = |y - f|^2 / (2 lam), y = int phi dtruth + level * standard normal, phi = Fourier(cutoff, dimension), c = 1.
    The level is noise / (2 cutoff + 1)^((d-1)/2): seen on the torus, the noise is as strong in any d as in d = 1.
    Spikes have masses +-uniform(.5, 1.5) and uniform positions, redrawn until all distances on the torus are >= .1
    (d = 1) or >= .15 (d >= 2).

    seed: whole number >= 0; lam > 0; noise >= 0; cutoff, n_spikes, dimension >= 1. Raises ValueError otherwise, or
    when so many spikes do not fit at that distance.
    """
    rng = np.random.default_rng(checks.count("seed", seed, at_least=0))
    n_spikes = checks.count("n_spikes", n_spikes, at_most=checks.MOST)
    features = Fourier(cutoff, dimension)
    lam, noise = checks.positive("lam", lam), checks.positive("noise", noise, or_zero=True)
    signs = rng.choice([-1.0, 1.0], size=n_spikes)
    masses = signs * rng.uniform(0.5, 1.5, n_spikes)
    truth = Measure(masses, _separated(rng, n_spikes, dimension))
    level = noise / (2 * cutoff + 1) ** ((dimension - 1) / 2)
    y = features.push(*truth.particles()) + level * rng.standard_normal(features.size)
    return Problem(FeatureRisk(features, Squared(y, lam)), 1.0, truth)


def stack(problems):
    """One problem whose leading axis runs through the given ones, which differ in their data only.

    Raises ValueError if there is none, if feature maps, scales or penalties differ, or for data of your own.
    """
    problems = list(problems)
    kinds = [_kind(p) for p in problems]
    if None in kinds:
        raise ValueError(
            f"problems must be spikes or teachers, one each, but number {kinds.index(None)} is a stack or has data of "
            "its own, which cannot be stacked: run such problems one after the other"
        )
    if len(set(kinds)) != 1:
        raise ValueError(
            f"problems must be one or more of the same kind, but {len(set(kinds))} kinds were given: features, "
            "penalties, signs and lambda must be the same, and the numbers of neurons"
        )
    first = problems[0]
    if isinstance(first.risk, PopulationRisk):
        return replace(first, risk=PopulationRisk([p.truth for p in problems], first.risk.activation), truth=None)
    loss = replace(first.risk.loss, target=np.stack([p.risk.loss.target for p in problems]))
    return replace(first, risk=FeatureRisk(first.risk.features, loss), truth=None)


def _kind(problem):
    """What problems of one stack share; None if a problem cannot be stacked."""
    risk = problem.risk
    if isinstance(risk, PopulationRisk) and isinstance(risk.teacher, Measure):
        return risk.activation, risk.teacher.positions.shape, problem.penalty, problem.positive
    loss, features = getattr(risk, "loss", None), getattr(risk, "features", None)
    if isinstance(features, Fourier) and isinstance(loss, Squared) and loss.target.ndim == 1:
        gains = () if features.gains is None else tuple(features.gains)
        return features.cutoff, features.dimension, gains, loss.scale, problem.penalty, problem.positive
    return None


def _recipe(seed, d, n_neurons):
    rng = np.random.default_rng(checks.count("seed", seed, at_least=0))
    d, n_neurons = checks.count("d", d), checks.count("n_neurons", n_neurons)
    checks.room(n_neurons=n_neurons, d=d)
    return rng, d, n_neurons


def _on_sphere(rng, number, d):
    """`number` independent uniform directions, (number, d)."""
    directions = rng.standard_normal((number, d))
    return directions / np.linalg.norm(directions, axis=-1, keepdims=True)


def _apart(rng, number):
    """`number` directions in the plane, (number, 2), redrawn together until their lines are APART."""
    while True:
        angles = rng.uniform(0, 2 * np.pi, number)
        lines = np.sort(angles % np.pi)
        if (np.diff(lines, append=lines[0] + np.pi) >= APART).all():
            return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def _separated(rng, number, dimension):
    """`number` uniform points of the torus, (number, d), redrawn together until all are SEPARATION apart."""
    distance = SEPARATION[dimension > 1]
    ball = (np.sqrt(np.pi) * distance) ** dimension / gamma(dimension / 2 + 1)
    if number * (number - 1) / 2 * ball > 5:  # the expected number of close pairs: redrawing would hardly ever end
        raise ValueError(f"n_spikes = {number} spikes do not fit at distances >= {distance}; ask for fewer")
    first, second = np.triu_indices(number, 1)
    while True:
        points = rng.uniform(0, 1, (number, dimension))
        if dimension == 1:
            points.sort(axis=0)
        apart = points[first] - points[second]
        if (np.linalg.norm(apart - np.round(apart), axis=-1) >= distance).all():
            return points
