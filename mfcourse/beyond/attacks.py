"""What one number mu forbids: no test tells two laws apart better than N(mu, 1) from N(0, 1).

In the language of privacy it is a pair (epsilon, delta) (Balle and Wang 2018; Dong, Roth and Su 2022); for whoever
attacks it is a bound on the area under the curve (AUC), beside which stands an attack that one can carry out.
"""

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import erfcx, ndtr, ndtri
from scipy.stats import rankdata

from mfcourse import checks, results


@results.quietly
def delta(mu, epsilon):
    """The least delta with P(A) <= e^epsilon Q(A) + delta for all events A, if mu is certified; arrays broadcast.

    It is N(mu/2 - epsilon/mu) - e^epsilon N(-mu/2 - epsilon/mu), computed so that nothing overflows, and a small delta
    keeps its digits. Raises ValueError unless mu and epsilon are >= 0.
    """
    mu, epsilon = _at_least_zero("mu", mu), _at_least_zero("epsilon", epsilon)
    checks.same_runs(mu=mu.shape, epsilon=epsilon.shape)
    safe = np.where(mu > 0, mu, 1.0)
    return np.where(mu > 0, np.exp(_log_delta(epsilon / safe - safe / 2, safe)), 0.0)[()]


@results.quietly
def epsilon(mu, delta):
    """The least epsilon >= 0 at this delta, the inverse of `delta`; arrays broadcast. It is near mu^2 / 2 for large mu.

    Raises ValueError unless mu >= 0 and 0 < delta < 1.
    """
    mu, delta = _at_least_zero("mu", mu), _at_least_zero("delta", delta)
    checks.same_runs(mu=mu.shape, delta=delta.shape)
    outside = delta[(delta <= 0) | (delta >= 1)]
    if outside.size:
        raise ValueError(f"delta must be between 0 and 1, both excluded, but one is {outside[0]:g}")
    values = np.vectorize(_epsilon, otypes=[float])(mu, delta)
    return results.finite(values, mu=mu)[()]


def attack_bound(mu):
    """No attack has a larger AUC than this, N(mu / sqrt 2), if mu >= 0 is certified; mu may be an array."""
    return ndtr(_at_least_zero("mu", mu) / math.sqrt(2))


def attack(first, second):
    """AUC of an attack that tells results of one kind from those of another: a linear discriminant.

    first, second: results (R, d) of independent runs. The discriminant is fitted on the first half of each and judged
    on the rest: the share of pairs in which the result of the first kind has the larger score, ties counted by half.
    1/2 is chance. Raises ValueError if the shapes do not fit, or there are fewer than 4 results of a kind.
    """
    kinds = [checks.finite(name, kind) for name, kind in (("first", first), ("second", second))]
    for name, kind in zip(("first", "second"), kinds, strict=True):
        if kind.ndim != 2 or len(kind) < 4 or kind.shape[1:] != kinds[0].shape[1:] or not kind.shape[1]:
            raise ValueError(f"{name} must have shape (R, d), R >= 4 and one d for both, but its shape is {kind.shape}")
    (one, new), (other, different) = (np.split(kind, [len(kind) // 2]) for kind in kinds)
    apart = one.mean(axis=0) - other.mean(axis=0)
    within = (np.atleast_2d(np.cov(one.T)) + np.atleast_2d(np.cov(other.T))) / 2
    ridge = 1e-9 * (np.trace(within) / len(apart) + apart @ apart)  # more directions than results leave some unseen
    score = np.linalg.solve(within + ridge * np.eye(len(apart)), apart) if ridge > 0 else apart
    ranks = rankdata(np.concatenate([new @ score, different @ score]))[: len(new)]
    return float((ranks.mean() - (len(new) + 1) / 2) / len(different))


def _log_delta(low, mu):
    """log(N(-low) - e^epsilon N(-low - mu)), epsilon = mu (low + mu/2) >= 0: e^epsilon is a ratio of two densities."""
    tail = erfcx((low + mu) / math.sqrt(2))
    far = np.log((erfcx(np.maximum(low, 0) / math.sqrt(2)) - tail) / 2) - low * low / 2
    near = np.log(ndtr(-low) - np.exp(-(np.minimum(low, 0) ** 2) / 2) * tail / 2)
    return np.where(low > 0, far, near)


def _epsilon(mu, delta):
    """One epsilon, found as the place low = epsilon/mu - mu/2, which stays of moderate size when mu is large."""
    if mu == 0 or _log_delta(-mu / 2, mu) <= math.log(delta):
        return 0.0
    ends = max(-mu / 2, -40.0), 1 - ndtri(delta)  # beyond 40 deviations nothing is left in double precision
    return mu * (mu / 2 + brentq(lambda low: _log_delta(low, mu) - math.log(delta), *ends, xtol=1e-14))


def _at_least_zero(name, values):
    array = checks.finite(name, values)
    if (array < 0).any() or np.asarray(values).dtype == bool:
        raise ValueError(f"{name} must be a finite number >= 0, or an array of them, but it is {checks.shown(values)}")
    return array
