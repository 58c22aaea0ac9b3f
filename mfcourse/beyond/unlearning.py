"""Certified unlearning: noisy gradient descent forgets data, and one number says how well.

Learn: w <- w - step grad f_D(w) + sqrt(2 step temperature) xi on the data D. Unlearn: the same steps on D', which is D
without what is to be forgotten. Retrain: D' alone, from the same start and for as long as both together. The number mu
of Theorem U certifies that no test tells unlearned from retrained better than N(mu, 1) from N(0, 1).
"""

import math

import numpy as np

from mfcourse import checks, results
from mfcourse.beyond.attacks import attack, attack_bound, delta, epsilon
from mfcourse.beyond.gaussians import LONGEST, duration, gaussian_law, geometric, renyi
from mfcourse.beyond.langevin import noisy_descent
from mfcourse.beyond.public import best_weight, weight_costs

__all__ = [
    "attack",
    "attack_bound",
    "best_weight",
    "certificate",
    "contraction",
    "delta",
    "epsilon",
    "gaussian_law",
    "gradient_gap",
    "renyi",
    "steps_needed",
    "temperature_needed",
    "two_worlds",
    "weight_costs",
]


def contraction(step, convex, smooth):
    """Lipschitz constant of w -> w - step grad f(w): the larger of |1 - step convex| and |1 - step smooth|.

    All eigenvalues of the Hessian of f lie between `convex` and `smooth`; a negative `convex` allows for valleys.
    Raises ValueError unless step > 0 and convex <= smooth.
    """
    step, convex, smooth = checks.positive("step", step), _number("convex", convex), _number("smooth", smooth)
    if convex > smooth:
        raise ValueError(f"convex must be at most smooth = {smooth:g}, but it is {convex:g}")
    return max(abs(1 - step * convex), abs(1 - step * smooth))


def gradient_gap(forgotten, size, bound=1.0):
    """Bound of |grad f_D - grad f_D'| where `forgotten` of the `size` samples of D are replaced, or removed: 2 S M / n.

    f_D is the mean loss, plus a penalty without data; `bound`, M, is the length of one sample's gradient at most.
    Raises ValueError if the counts are no whole numbers with 0 <= forgotten <= size, or bound < 0.
    """
    size = checks.count("size", size, at_most=LONGEST)
    forgotten = checks.count("forgotten", forgotten, at_least=0, at_most=size)
    return 2 * checks.positive("bound", bound, or_zero=True) * forgotten / size


@results.quietly
def certificate(gap, step, temperature, factor, unlearn, learn=math.inf):
    """mu of Theorem U: unlearned and retrained are as hard to tell apart as N(mu, 1) and N(0, 1), or harder.

    gap: sup over w of |grad f_D - grad f_D'|, see `gradient_gap`; factor: Lipschitz constant c of one step without
    noise on D', see `contraction`; unlearn, learn: numbers of steps K and T, of which T may be math.inf if c < 1. With
    c = 1 nothing contracts, and K helps only like 1 / sqrt(T + K) (U3).

    Raises ValueError if an argument is out of its range, for c > 1, and for no temperature where there is a gap.
    """
    gap, step = checks.positive("gap", gap, or_zero=True), checks.positive("step", step)
    temperature = checks.positive("temperature", temperature, or_zero=True)
    factor = checks.positive("factor", factor, or_zero=True)
    unlearn = checks.count("unlearn", unlearn, at_least=0, at_most=LONGEST)
    learn = duration("learn", learn)
    if factor > 1:
        raise ValueError(
            f"factor must be at most 1, but it is {factor:g}: such steps may drive two runs apart, so what was learnt "
            "need not fade however long one unlearns. A shorter step, or a stronger penalty on |w|^2, makes it contract"
        )
    if factor == 1 and learn == math.inf:
        raise ValueError(
            "learn must be finite where factor is 1, but it is inf: without contraction differences pile up"
        )
    if temperature == 0 and gap > 0:
        raise ValueError("temperature must be > 0 where gap > 0, but it is 0: without noise two results just differ")
    if gap == 0 or learn == 0:
        return 0.0
    together = learn + unlearn
    reach = factor**unlearn * geometric(factor, learn)
    spread = geometric(factor, together) * (1 + factor**together) / (1 + factor)  # the sum of c^2k, k < T + K
    mu = gap * reach * np.sqrt(step / temperature / (2 * spread))
    return float(results.finite(np.asarray(mu), gap=gap, step=step))


def steps_needed(mu, gap, step, temperature, factor, learn=math.inf):
    """The least number of unlearning steps with which `certificate` is at most mu > 0.

    Raises ValueError as `certificate` does, and if even LONGEST steps are too few.
    """
    mu = checks.positive("mu", mu)

    def enough(unlearn):
        return certificate(gap, step, temperature, factor, unlearn, learn) <= mu

    if enough(0):
        return 0
    low, high = 0, 1
    while not enough(high):
        if high == LONGEST:
            raise ValueError(f"mu must be larger, but it is {mu:g}: with factor {factor:g} no number of steps will do")
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def temperature_needed(mu, gap, step, factor, unlearn, learn=math.inf):
    """The least temperature with which `certificate` is mu > 0. Raises ValueError as `certificate` does."""
    return (certificate(gap, step, 1.0, factor, unlearn, learn) / checks.positive("mu", mu)) ** 2


def two_worlds(gradient, rest, start, step, temperature, learn, unlearn, seeds):
    """(unlearned, retrained), each (len(unlearn), ..., d): the two processes of Theorem U, run.

    Both begin at `start` (..., d) with `learn` steps, one with the function `gradient` of all data and one with that of
    the `rest`, and go on with `rest`; they are looked at after the numbers of steps in `unlearn`, which increase.
    seeds: one for each, so far apart that no two runs of the stacks share their noise. Raises ValueError as
    `noisy_descent` does, or if `unlearn` does not increase.
    """
    learn, unlearn = checks.count("learn", learn, at_least=0), checks.counts("unlearn", unlearn, at_least=0)
    if unlearn != sorted(unlearn):
        raise ValueError(f"unlearn must be increasing numbers of steps, but they are {checks.shown(unlearn)}")
    if not isinstance(seeds, tuple | list) or len(seeds) != 2:
        raise ValueError(f"seeds must be two numbers, one for each of the two processes, but it is {seeds!r:.80}")
    worlds = []
    for first, seed in zip((gradient, rest), seeds, strict=True):
        x, done, seen = noisy_descent(first, step, temperature, start, learn, seed), learn, []
        for steps in unlearn:
            x = noisy_descent(rest, step, temperature, x, learn + steps - done, seed, first=done)
            done = learn + steps
            seen.append(x)
        worlds.append(np.stack(seen))
    return tuple(worlds)


def _number(name, value):
    if not checks.is_real(value) or not abs(value) < 2**1023:
        raise ValueError(f"{name} must be a finite number, but it is {checks.shown(value)}")
    return float(value)
