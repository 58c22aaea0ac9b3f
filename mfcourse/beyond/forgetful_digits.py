"""A classifier that forgets: even or odd, on scikit-learn's digits, logistic loss and noisy descent.

200 images are private, and 20 of them carry wrong labels and are to be forgotten; others are public. An image is a
vector of length 1 in R^64, so its gradient is no longer than 1, and Theorem U applies with all its constants.
Shapes: weights w (..., 64); leading axes are independent runs.
"""

import functools

import numpy as np
from scipy.special import expit
from sklearn.datasets import load_digits

from mfcourse import checks
from mfcourse.beyond.unlearning import certificate, contraction, gradient_gap, two_worlds

PRIVATE, FORGOTTEN, TEST = 200, 20, 500
PUBLIC = 1797 - PRIVATE - TEST  # at most
STRENGTH = 0.02  # of the penalty |w|^2 / 2
STEP = 1 / (1 / 4 + STRENGTH)
FACTOR = contraction(STEP, STRENGTH, 1 / 4 + STRENGTH)
TEMPERATURE, LEARN = 2e-4, 60


def data(public=0, flip=0.0, seed=0):
    """(x (n, 64), y (n,), x_test, y_test): the 20 to be forgotten come first, then the other private ones, then public.

    Labels are 1 for even and -1 for odd digits; `flip` is the share of public labels that are wrong. Raises ValueError
    if there are not so many public images, or the share is not in [0, 1].
    """
    public = checks.count("public", public, at_least=0, at_most=PUBLIC)
    flip, seed = checks.positive("flip", flip, or_zero=True), checks.count("seed", seed, at_least=0)
    if flip > 1:
        raise ValueError(f"flip must be a share, from 0 to 1, but it is {flip:g}")
    x, y = _shuffled(seed)
    wrong = np.random.default_rng([seed, 7]).uniform(size=PUBLIC) < flip
    labels = y.copy()
    labels[:FORGOTTEN] *= -1
    labels[PRIVATE:-TEST] *= np.where(wrong, -1, 1)
    return x[: PRIVATE + public], labels[: PRIVATE + public], x[-TEST:], y[-TEST:]


def gradient(x, y):
    """The gradient w -> mean of -y x / (1 + exp(y w.x)) + STRENGTH w of the penalised logistic loss."""
    signed = y[:, None] * x

    def slope(w):
        return -expit(-(w @ signed.T)) @ signed / len(signed) + STRENGTH * w

    return slope


def certified(public, unlearn, temperature=TEMPERATURE, learn=LEARN):
    """mu of Theorem U for the 20 images, with so many public ones, after these numbers of steps."""
    gap = gradient_gap(FORGOTTEN, PRIVATE + checks.count("public", public, at_least=0, at_most=PUBLIC))
    return certificate(gap, STEP, temperature, FACTOR, unlearn, learn)


def runs(public, unlearn, temperature=TEMPERATURE, learn=LEARN, number=400, flip=0.0, seed=0, forgotten=FORGOTTEN):
    """(unlearned, retrained), each (len(unlearn), number, 64): weights after these increasing numbers of steps.

    `number` runs learn all and then unlearn, as many others, with independent noise, see the rest alone for as long;
    `forgotten` private images, those with wrong labels first, are not in it. Raises ValueError for a bad argument.
    """
    number = checks.count("number", number, at_most=checks.MOST // 64)
    forgotten = checks.count("forgotten", forgotten, at_most=PRIVATE - 1)
    x, y, *_ = data(public, flip, seed)
    gradients = gradient(x, y), gradient(x[forgotten:], y[forgotten:])
    seeds = 2 * seed * number, (2 * seed + 1) * number  # run r of a stack draws with the seed `seed + r`
    return two_worlds(*gradients, np.zeros((number, 64)), STEP, temperature, learn, unlearn, seeds)


@functools.cache
def _shuffled(seed):
    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(y))
    x = x[order] / np.linalg.norm(x[order], axis=1, keepdims=True)
    y = np.where(y[order] % 2 == 0, 1.0, -1.0)
    for kept in (x, y):
        kept.setflags(write=False)
    return x, y
