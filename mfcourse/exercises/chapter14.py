"""Checks for chapter 14, noise."""

import numpy as np

from mfcourse.beyond.fokker_planck import Grid, cells, gibbs
from mfcourse.exercises import as_number, exercise
from mfcourse.losses import Squared


def _close(answer, truth, rtol=1e-6):
    return abs(answer - truth) <= rtol * max(abs(truth), 1e-3)


def _judge(answer, truth, case, suspects, hint):
    """Nothing if the answer is right; else AssertionError, with the hint of the first suspect that it looks like."""
    if _close(answer, truth):
        return
    for value, words in suspects:
        if _close(answer, value) and not _close(value, truth):
            raise AssertionError(f"{case}: yours is {answer:.5g}, it is {truth:.5g}. {words}")
    raise AssertionError(f"{case}: yours is {answer:.5g}, it is {truth:.5g}. {hint}")


@exercise("14.1")
def check_resting_variance(resting_variance):
    """`resting_variance(tau, r, step)` is what the variance becomes when it is followed, step by step, to its rest."""
    for tau, r, step in ((0.2, 1.0, 0.1), (0.05, 0.05, 2.0), (1.0, 2.0, 0.5), (0.3, 0.7, 0.01), (0.1, 1.0, 1.5)):
        answer = as_number(resting_variance(tau, r, step), "resting_variance returns a number")
        truth = 0.0
        for _ in range(round(20 / (step * r))):
            truth = (1 - step * r) ** 2 * truth + 2 * step * tau
        _judge(
            answer,
            truth,
            f"tau = {tau}, r = {r}, step {step}",
            (
                (tau / r, "That is the limit of short steps: these are as long as they are."),
                (truth / 2, "The noise is sqrt(2 step tau) xi: is the 2 there?"),
                (step * truth, "The noise is sqrt(2 step tau) xi: the step stands under the root too."),
                (np.sqrt(truth), "That is its root, the width: a variance is asked for."),
                (2 * step * tau, "That is the noise of one step; what remains of the earlier ones comes to it."),
                (tau / (r * (1 + step * r / 2)), "Expand (1 - step r)^2 again: which sign has step r?"),
                (2 * tau / r, "A factor in front of theta is squared in the variance."),
                (
                    2 * step * tau / (1 - np.exp(-2 * step * r)),
                    "(1 - step r)^2 is exp(-2 step r) for short steps only.",
                ),
            ),
            "At rest a step changes nothing: V = (1 - step r)^2 V + variance of the noise. Solve for V.",
        )


@exercise("14.2")
def check_gaussian_gap(gaussian_gap):
    """`gaussian_gap(mean, variance, kappa, y, r, tau)` is the gap that sums over 4000 cells of the line give."""
    places, width = cells(-20, 20, 4000)
    for mean, variance, kappa, y, r, tau in (
        (-2.0, 0.1, 3.0, 1.0, 1.0, 0.2),
        (0.75, 0.2, 3.0, 1.0, 1.0, 0.2),
        (0.5, 0.8, 1.0, -1.0, 2.0, 0.5),
        (2.0, 0.3, 0.5, 0.0, 0.5, 0.3),
    ):
        answer = as_number(gaussian_gap(mean, variance, kappa, y, r, tau), "gaussian_gap returns a number")
        grid = Grid(places[:, None], Squared(np.array([y]), 1 / kappa), r / 2 * places**2, width, tau)
        density = gibbs((places - mean) ** 2 / (2 * variance), width, 1.0)
        truth, best = float(grid.gap(density)), grid.optimum()
        rest, away = kappa * y / (kappa + r), kappa * (mean - y) + r * mean
        spread, ratio = truth - away**2 / (2 * r), tau / (r * variance)
        _judge(
            answer,
            truth,
            f"N({mean}, {variance}), kappa = {kappa}, y = {y}, r = {r}, tau = {tau}",
            (
                (truth / tau, "That is the relative entropy. The gap is in units of energy: tau times it."),
                (
                    float(grid.free_energy(density) - grid.free_energy(best)),
                    "That is the excess L(mu) - L*, which the gap only bounds from above. Take the Gibbs measure of mu "
                    "itself, and not mu*.",
                ),
                (
                    spread + r / 2 * (mean - rest) ** 2,
                    "That is tau KL(mu | mu*), the lower bound. Take the Gibbs measure of mu itself, and not mu*.",
                ),
                (spread, "The means of mu and of its Gibbs measure differ too."),
                (
                    spread + (kappa * (mean - y) / r + mean) ** 2 * tau / (2 * variance),
                    "In KL(N(a, s) | N(b, t)) it is t, the variance of the second, that stands below (a - b)^2.",
                ),
                (away**2 / (2 * r), "The variances of mu and of its Gibbs measure differ too."),
                (
                    tau / 2 * (ratio - 1 - np.log(ratio)) + tau * away**2 / (2 * r**2 * variance),
                    "That is the other way round: KL(mu | p_mu), not KL(p_mu | mu).",
                ),
            ),
            "F'(mu) is kappa (M - y) theta + r theta^2 / 2: what is the Gaussian exp(-F'(mu) / tau) / Z?",
        )


@exercise("14.3")
def check_price(price):
    """`price(grid, lowest)`: added to `lowest` it is F of the density that is its own Gibbs measure."""
    places, width = cells(-8, 8, 400)
    x = np.linspace(-2, 2, 8)
    target = 3 * (0.6 * np.tanh(3 * x) - 0.4 * np.tanh(0.7 * x))
    for tau in (0.01, 0.1, 0.05, 0.2):
        grid, lowest = Grid(3 * np.tanh(np.outer(places, x)), Squared(target, 8), places**2 / 40, width, tau), 0.063976
        if tau in (0.05, 0.2):  # one Gaussian, whose F is known: y^2 kappa r / (kappa + r) / 2, and tau / 2 more
            grid, lowest = Grid(places[:, None], Squared(np.ones(1), 1 / 3), places**2 / 2, width, tau), 0.375
        answer = as_number(price(grid, lowest), "price returns a number")
        best = grid.optimum()
        truth = float(grid.energy(best)) - lowest
        _judge(
            answer,
            truth,
            f"tau = {tau}",
            (
                (
                    float(grid.free_energy(best)) - lowest,
                    "That is L in place of F: the entropy is no error of the network. Who may be below min F?",
                ),
                (truth + lowest, "That is F of the optimum: by how much is it larger than `lowest`?"),
                (-truth, "A price is positive: which of the two is larger?"),
                (truth / tau, "That is the price in units of tau: how much is it?"),
                (tau / 2, "About half a temperature, but not exactly: F of grid.optimum() is known."),
            ),
            "Compare F, the energy without entropy, at the minimiser of the free energy with its least value.",
        )


@exercise("14.4")
def check_one_particle(one_particle):
    """`one_particle(m, kappa, r, tau)` is an entry of tau A^-1, the covariance of m particles at rest, pulled by A."""
    for m, kappa, r, tau in ((5, 3.0, 1.0, 0.2), (1, 3.0, 1.0, 0.2), (20, 0.5, 2.0, 0.7), (3, 10.0, 0.1, 0.05)):
        answer = as_number(one_particle(m, kappa, r, tau), "one_particle returns a number")
        pull = r * np.eye(m) + kappa / m * np.ones((m, m))
        truth = float(tau * np.linalg.inv(pull)[0, 0])
        _judge(
            answer,
            truth,
            f"m = {m}, kappa = {kappa}, r = {r}, tau = {tau}",
            (
                (tau / r, "That is the variance for infinitely many: m matters."),
                ((1 - 1 / m) * tau / r, "That is the variance around the mean of all; the mean fluctuates too."),
                (tau / (m * (kappa + r)), "That is the variance of the mean alone."),
                (tau / (kappa + r), "kappa pulls at the mean only, with 1/m of it at each particle."),
                (tau / r + tau / (m * (kappa + r)), "Counted double: around their mean m particles have less by 1/m."),
                (tau / (m * r), "The noise is per particle: it is not divided by m."),
                (tau / (r + kappa / m), "As if the others stood still: when the mean moves, all move with it."),
            ),
            "Split a particle into the mean of all, which feels kappa + r and a noise 1/m as strong, and the rest.",
        )
