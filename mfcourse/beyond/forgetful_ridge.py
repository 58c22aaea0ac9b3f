"""Ridge regression that forgets: an instance whose noisy descent is Gaussian, so that what it leaks is known exactly.

Inputs lie on the unit sphere of R^5, labels are linear with noise; those to be forgotten have the wrong sign.
"""

import math

import numpy as np

from mfcourse import checks
from mfcourse.beyond.gaussians import gaussian_law, renyi

DIMENSION, NOISE, STRENGTH = 5, 0.3, 0.1
STEP = 1 / (1 + STRENGTH)
MOST_PUBLIC = 50_000


def pair(public, private=200, forgotten=20, replaced=True, seed=0):
    """((H, b), (H', b')): the quadratics w'Hw/2 - b'w of all the data, and of the data after forgetting.

    Of the `private` samples the last `forgotten` ones are replaced by fresh ones, or only removed; the `public` ones,
    at most 50,000, are the first of a fixed list. Raises ValueError if a number is out of range.
    """
    public = checks.count("public", public, at_least=0, at_most=MOST_PUBLIC)
    private = checks.count("private", private, at_least=2, at_most=MOST_PUBLIC)
    forgotten = checks.count("forgotten", forgotten, at_least=0, at_most=private - 1)
    replaced, seed = checks.flag("replaced", replaced), checks.count("seed", seed, at_least=0)
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal(DIMENSION) / math.sqrt(DIMENSION)
    (x, y), (x_public, y_public), fresh = (_samples(rng, truth, n) for n in (private, MOST_PUBLIC, forgotten))
    y[private - forgotten :] *= -1
    kept = x[: private - forgotten], y[: private - forgotten]
    after = tuple(np.concatenate(parts) for parts in zip(kept, fresh, strict=True)) if replaced else kept
    return tuple(_quadratic(*own, x_public[:public], y_public[:public]) for own in ((x, y), after))


def divergence(public, unlearn=0, temperature=2.5e-3, order=2.0, **sizes):
    """Renyi divergence of unlearned from retrained, after very long learning; `sizes` are those of `pair`. Exact."""
    everything, rest = pair(public, **sizes)
    nothing = np.zeros(DIMENSION), np.zeros((DIMENSION, DIMENSION))
    learned = gaussian_law(*everything, STEP, temperature, *nothing, math.inf)
    unlearned = gaussian_law(*rest, STEP, temperature, *learned, unlearn)
    return float(renyi(order, *unlearned, *gaussian_law(*rest, STEP, temperature, *nothing, math.inf)))


def _samples(rng, truth, number):
    x = rng.standard_normal((number, DIMENSION))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return x, x @ truth + NOISE * rng.standard_normal(number)


def _quadratic(x, y, *more):
    x, y = np.concatenate([x, more[0]]), np.concatenate([y, more[1]])
    return x.T @ x / len(y) + STRENGTH * np.eye(DIMENSION), x.T @ y / len(y)
