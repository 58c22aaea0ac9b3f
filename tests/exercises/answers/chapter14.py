"""Wrong answers to chapter 14, and the hints they must meet."""

import numpy as np

from mfcourse.exercises import chapter14


def resting(tau, r, step):
    return tau / (r * (1 - step * r / 2))


def gap(mean, variance, kappa, y, r, tau, centre=None, steep=None):
    """tau times the relative entropy against a Gaussian of variance tau / r: of mu's own Gibbs measure by default."""
    centre = -kappa * (mean - y) / r if centre is None else centre
    ratio = variance * r / tau
    return tau * (ratio - 1 - np.log(ratio)) / 2 + (r if steep is None else steep) / 2 * (mean - centre) ** 2


def rest(kappa, y, r):
    return kappa * y / (kappa + r)


def excess(mean, variance, kappa, y, r, tau):
    return gap(mean, variance, kappa, y, r, tau, rest(kappa, y, r), kappa + r)


def other_way(mean, variance, kappa, y, r, tau):
    centre, ratio = -kappa * (mean - y) / r, tau / (r * variance)
    return tau * ((ratio - 1 - np.log(ratio)) / 2 + (mean - centre) ** 2 / (2 * variance))


def price(grid, lowest):
    return grid.energy(grid.optimum()) - lowest


def below(mean, variance, kappa, y, r, tau):
    centre, ratio = -kappa * (mean - y) / r, variance * r / tau
    return tau * ((ratio - 1 - np.log(ratio)) / 2 + (mean - centre) ** 2 / (2 * variance))


WRONG = [
    (chapter14.check_resting_variance, lambda tau, r, step: 2 * tau / r, "squared in the variance"),
    (
        chapter14.check_resting_variance,
        lambda tau, r, step: 2 * step * tau / (1 - np.exp(-2 * step * r)),
        "for short steps only",
    ),
    (chapter14.check_resting_variance, lambda tau, r, step: tau / r * (1 + step * r / 2), "a step changes nothing"),
    (chapter14.check_gaussian_gap, below, "the variance of the second"),
    (chapter14.check_price, lambda grid, lowest: grid.gap(grid.optimum()), "with its least value"),
    (chapter14.check_price, lambda grid, lowest: grid.energy(grid.optimum()) - 0.063976, "tau = 0.05"),
    (chapter14.check_one_particle, lambda m, kappa, r, tau: tau / (r + kappa / m), "move with it"),
    (chapter14.check_one_particle, lambda m, kappa, r, tau: tau / (m * r) + (1 - 1 / m) * tau / (kappa + r), "Split a"),
    (chapter14.check_resting_variance, lambda tau, r, step: tau / r, "limit of short steps"),
    (chapter14.check_resting_variance, lambda tau, r, step: resting(tau, r, step) / 2, "is the 2 there"),
    (chapter14.check_resting_variance, lambda tau, r, step: step * resting(tau, r, step), "under the root too"),
    (chapter14.check_resting_variance, lambda tau, r, step: np.sqrt(resting(tau, r, step)), "a variance is asked for"),
    (chapter14.check_resting_variance, lambda tau, r, step: 2 * step * tau, "noise of one step"),
    (chapter14.check_resting_variance, lambda tau, r, step: tau / (r * (1 + step * r / 2)), "which sign has step r"),
    (chapter14.check_resting_variance, lambda tau, r, step: 3 * tau, "a step changes nothing"),
    (chapter14.check_gaussian_gap, lambda *a: gap(*a) / a[-1], "tau times it"),
    (chapter14.check_gaussian_gap, excess, "the excess"),
    (chapter14.check_gaussian_gap, lambda m, v, k, y, r, t: gap(m, v, k, y, r, t, rest(k, y, r)), "the lower bound"),
    (chapter14.check_gaussian_gap, lambda m, v, k, y, r, t: gap(m, v, k, y, r, t, m), "The means of mu"),
    (chapter14.check_gaussian_gap, lambda m, v, k, y, r, t: (k * (m - y) + r * m) ** 2 / (2 * r), "The variances of"),
    (chapter14.check_gaussian_gap, other_way, "the other way round"),
    (
        chapter14.check_gaussian_gap,
        lambda m, v, k, y, r, t: gap(m, v, k, y, r, t, k * (m - y) / r),
        "what is the Gauss",
    ),
    (chapter14.check_price, lambda grid, lowest: grid.free_energy(grid.optimum()) - lowest, "L in place of F"),
    (chapter14.check_price, lambda grid, lowest: grid.energy(grid.optimum()), "by how much is it larger"),
    (chapter14.check_price, lambda grid, lowest: -price(grid, lowest), "A price is positive"),
    (chapter14.check_price, lambda grid, lowest: price(grid, lowest) / grid.temperature, "units of tau"),
    (chapter14.check_price, lambda grid, lowest: grid.temperature / 2, "but not exactly"),
    (chapter14.check_price, lambda grid, lowest: grid.temperature, "with its least value"),
    (chapter14.check_one_particle, lambda m, kappa, r, tau: tau / r, "m matters"),
    (chapter14.check_one_particle, lambda m, kappa, r, tau: (1 - 1 / m) * tau / r, "the mean fluctuates too"),
    (chapter14.check_one_particle, lambda m, kappa, r, tau: tau / (m * (kappa + r)), "of the mean alone"),
    (chapter14.check_one_particle, lambda m, kappa, r, tau: tau / (kappa + r), "pulls at the mean only"),
    (chapter14.check_one_particle, lambda m, kappa, r, tau: tau / r + tau / (m * (kappa + r)), "Counted double"),
    (chapter14.check_one_particle, lambda m, kappa, r, tau: tau / (m * r), "not divided by m"),
    (chapter14.check_one_particle, lambda m, kappa, r, tau: m * tau, "Split a particle"),
]
