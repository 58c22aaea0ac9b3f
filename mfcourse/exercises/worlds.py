"""Two worlds, unlearned and retrained: the runs of noisy descent that an attack in lab E has to tell apart."""

import numpy as np

from mfcourse.beyond import forgetful_digits as digits
from mfcourse.beyond.langevin import noisy_descent


def of_digits(forgotten, when, seed=0, number=400):
    """A pair (unlearned, retrained), each (number, 64), for each K in `when`, which increases.

    So many of the 200 private images are forgotten, those with wrong labels first; none are public. Steps, temperature
    and T are those of chapter 15; the seed chooses the images, and the noise.
    """
    x, y, *_ = digits.data(seed=seed)
    gradients = digits.gradient(x, y), digits.gradient(x[forgotten:], y[forgotten:])
    return _pairs(*gradients, np.zeros((number, 64)), when, (2 * seed * number, (2 * seed + 1) * number))


def of_means(pull, when, seed=0, number=1500):
    """The same for means, each (number,), which learning pulls by `pull`, the gap of the gradients.

    f is a parabola, as steep as the digits' penalty: here the best attack reaches the bound of Theorem U.
    """

    def rest(w):
        return digits.STRENGTH * w

    return _pairs(lambda w: rest(w) - pull, rest, np.zeros(number), when, (2 * seed, 2 * seed + 1))


def _pairs(gradient, rest, start, when, seeds):
    """From the same start, T steps of learning with each gradient, then the steps of `when` with `rest`."""
    settings, done, pairs = (digits.STEP, digits.TEMPERATURE), digits.LEARN, []
    both = zip((gradient, rest), seeds, strict=True)
    runs = [noisy_descent(side, *settings, start, done, seed) for side, seed in both]
    for K in when:
        both, more = zip(runs, seeds, strict=True), digits.LEARN + K - done
        runs = [noisy_descent(rest, *settings, w, more, seed, first=done) for w, seed in both]
        done += more
        pairs.append(tuple(runs))
    return pairs
