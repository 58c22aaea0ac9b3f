"""Stochastic gradient descent: each step looks at a few samples, fresh ones or the next ones of your data (Sec. 4.2).

The batch of step k is a function of (seed, k), so the state of a run is (w, theta, k) and nothing else: it saves,
resumes and repeats to the same bits. Shapes: w (..., m), theta (..., m, d); leading axes are independent runs.
"""

import functools
from dataclasses import replace

import numpy as np

from mfcourse import checks
from mfcourse.features import Neurons
from mfcourse.losses import Logistic, Squared
from mfcourse.risks import FeatureRisk, PopulationRisk
from mfcourse.steps import sizes_for, step_sizes

BATCHES = 1  # keeps these draws apart from those of a start, default_rng([seed, m])
LAST = 2**62  # number of a step, so that it stays in the integers of NumPy


def stochastic(problem, step_w, step_theta, batch, seed=0, decay=0):
    """A gradient step on the mini-batch of `batch` samples; its state is (w, theta, k), started with k = 0 by `begin`.

    For a population risk the samples are fresh, x ~ N(0, I_d) and y = f*(x); for data, every epoch goes once through
    the samples in a new random order, and a last batch too small is left out. The step sizes are divided by
    1 + decay * k. problem: a network without penalty or with one; in a stack all runs see the same draws of x.

    Raises ValueError if the batch is empty or larger than the data, or the features are not neurons; the step raises it
    for a state without its number k.
    """
    checks.having("problem", problem, "a Problem", "risk", "descent", "allowed")
    sizes = step_sizes(step_w=step_w, step_theta=step_theta)
    decay, seed = checks.positive("decay", decay, or_zero=True), checks.count("seed", seed, at_least=0)
    batch_risk = batches(problem.risk, checks.count("batch", batch, at_most=checks.MOST), seed)

    def step(w, theta, k=None):
        number = step_number(k, "mini-batches")
        _, potential, gradient = batch_risk(number)(w, theta)
        a, b = (size / (1 + decay * number) for size in sizes_for(w, sizes))
        speed_w, speed_theta = problem.descent(w, theta, potential, gradient)
        moved = problem.allowed(w + a * speed_w), theta + b * speed_theta
        return *(new.astype(old.dtype, copy=False) for new, old in zip(moved, (w, theta), strict=True)), k + 1

    return step


def begin(w, theta):
    """The state (w, theta, 0) before the first step. Raises ValueError if w and theta do not fit or are not finite."""
    return *checks.particles(checks.finite("w", w), checks.finite("theta", theta)), np.array(0)


def step_number(k, what):
    """The number k of a step as a whole number; ValueError if it is none, or the state of `what` comes without it."""
    if k is None:
        raise ValueError(f"start must be (w, theta, k) for {what}, as stochastic.begin(w, theta) makes it")
    return checks.count("k", k[()] if isinstance(k, np.ndarray) and not k.ndim else k, at_least=0, at_most=LAST)


def batches(risk, size, seed):
    """The function k -> the risk on the k-th batch, a FeatureRisk; kept memory is shared by all of them."""
    size, seed = checks.count("size", size, at_most=checks.MOST), checks.count("seed", seed, at_least=0)
    if isinstance(risk, PopulationRisk):
        neurons = Neurons(np.zeros((1, risk.dimension)), risk.activation)

        def fresh(k):
            k = checks.count("k", k, at_least=0)
            x = np.random.default_rng([seed, k, BATCHES]).standard_normal((size, risk.dimension))
            return FeatureRisk(neurons.on(x), Squared(risk.taught(x), size))

        return fresh
    if not isinstance(getattr(risk, "features", None), Neurons) or risk.features.x.ndim != 2:
        raise ValueError("problem must be a network, with a population risk or on samples (n, d), for mini-batches")
    number = risk.features.size // size
    if number == 0:
        raise ValueError(f"batch must be at most the {risk.features.size} samples there are, but it is {size}")

    @functools.lru_cache(maxsize=1)
    def order(epoch):
        return np.random.default_rng([seed, epoch, BATCHES]).permutation(risk.features.size)

    def next_ones(k):
        k = checks.count("k", k, at_least=0)
        epoch, place = divmod(k, number)
        chosen = order(epoch)[place * size : (place + 1) * size]
        return FeatureRisk(risk.features.subset(chosen), _loss_on(risk.loss, chosen))

    return next_ones


def sampled(problem, size, seed):
    """The teacher problem on `size` samples drawn once: the empirical risk in place of the population's.

    Raises ValueError if the problem has no population risk.
    """
    if not isinstance(getattr(problem, "risk", None), PopulationRisk):
        raise ValueError("problem must have a population risk to draw samples from")
    return replace(problem, risk=batches(problem.risk, size, seed)(0))


def _loss_on(loss, chosen):
    if isinstance(loss, Logistic):
        return Logistic(loss.labels[chosen])
    return Squared(loss.target[chosen], loss.scale * len(chosen) / len(loss.target))
