"""Wrong answers to chapter 1, and the hints they must meet."""

import numpy as np

from mfcourse.exercises import chapter01
from mfcourse.measures import Measure


def w1_of_sorted_atoms(mu, nu):
    return np.abs(np.sort(mu.positions[:, 0])[:1] - np.sort(nu.positions[:, 0])[:1]).mean()


def w1_without_sorting(mu, nu):
    difference = mu - nu
    return np.sum(np.abs(np.cumsum(difference.weights)[:-1] * np.diff(difference.positions[:, 0])))


WRONG = [
    (chapter01.check_mean_and_variance, lambda mu: (mu.positions.mean(), mu.positions.var()), "counts with its mass"),
    (
        chapter01.check_mean_and_variance,
        lambda mu: (mu.integral(lambda x: x[:, 0]), mu.integral(lambda x: x[:, 0] ** 2)),
        "distance from the mean",
    ),
    (chapter01.check_mean_and_variance, lambda mu: mu.integral(lambda x: x[:, 0]), "two numbers"),
    (chapter01.check_push_forward, lambda mu, transform: mu, "goes to T of its place"),
    (
        chapter01.check_push_forward,
        lambda mu, transform: Measure(mu.weights * 2, transform(mu.positions)),
        "masses stay",
    ),
    (chapter01.check_push_forward, lambda mu, transform: transform(mu.positions), "returns a Measure"),
    (chapter01.check_witness, lambda s, t, r: lambda x: -2 * np.abs(x - r), "at most 1 is allowed"),
    (chapter01.check_witness, lambda s, t, r: lambda x: x, "rise at slope 1"),
    (chapter01.check_witness, lambda s, t, r: abs(s - r), "returns a function"),
    (chapter01.check_w1, w1_of_sorted_atoms, "Sort all positions"),
    (chapter01.check_w1, w1_without_sorting, "Sort all positions"),
]
