"""A problem is a convex function of a measure: risk + penalty, and the measure that generated the data.

J(mu) = R(int phi dmu) + c |mu|(Theta), eq. (1); for particles, F_m(u) = R(int phi dmu) + (c/m) sum_i |w_i|, Def. 2.2.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gamma

from mfcourse import checks
from mfcourse.features import Fourier
from mfcourse.losses import Squared
from mfcourse.measures import Measure
from mfcourse.risks import FeatureRisk

SEPARATION = (0.1, 0.15)  # least distance of two spikes, in d = 1 and in d >= 2


@dataclass(frozen=True, eq=False)
class Problem:
    """Minimise J = risk + penalty * total variation.

    risk: obeys the contract of `mfcourse.risks`; penalty: the weight c >= 0 of |w|;
    truth: the Measure that generated the data, or None for a stack of problems.
    """

    risk: object
    penalty: float
    truth: Measure | None = None

    def __post_init__(self):
        checks.positive("penalty", self.penalty, or_zero=True)

    def energy(self, w, theta):
        """F_m of particles w (..., m), theta (..., m, d): shape (...).

        It is J of the measure they stand for, unless particles of both signs share a position: then it is larger.
        """
        value, _, _ = self.risk(w, theta)
        return value + self.penalty * np.abs(w).mean(axis=-1)

    def objective(self, measure):
        """J(measure) as a float; the measure may be empty."""
        return float(self.energy(*measure.particles()))


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
    n_spikes = checks.count("n_spikes", n_spikes)
    features = Fourier(cutoff, dimension)
    lam, noise = checks.positive("lam", lam), checks.positive("noise", noise, or_zero=True)
    signs = rng.choice([-1.0, 1.0], size=n_spikes)
    masses = signs * rng.uniform(0.5, 1.5, n_spikes)
    truth = Measure(masses, _separated(rng, n_spikes, dimension))
    level = noise / (2 * cutoff + 1) ** ((dimension - 1) / 2)
    y = features.push(*truth.particles()) + level * rng.standard_normal(features.size)
    return Problem(FeatureRisk(features, Squared(y, lam)), 1.0, truth)


def stack(problems):
    """One problem whose leading axis runs through the given ones, which differ in their observation only.

    Raises ValueError if there is none, or if feature maps, scales or penalties differ.
    """
    problems = list(problems)
    settings = {
        (p.risk.features.cutoff, p.risk.features.dimension, p.risk.loss.scale, p.penalty, p.risk.loss.target.shape)
        for p in problems
    }
    if len(settings) != 1:
        raise ValueError(f"problems must be one or more of the same kind, but {len(settings)} kinds were given")
    targets = np.stack([p.risk.loss.target for p in problems])
    first = problems[0]
    return Problem(FeatureRisk(first.risk.features, Squared(targets, first.risk.loss.scale)), first.penalty)


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
