"""Wrong answers to chapter 9, and the hints they must meet."""

import numpy as np
from scipy.optimize import brentq

from mfcourse import convex, penalties
from mfcourse.exercises import chapter09
from mfcourse.measures import Measure


def rescue(problem, w, theta, rescale=True, where=None):
    values, positions, _ = problem.risk.peaks(w, theta)
    new = np.unique(positions[np.abs(values) > 1 + 1e-6], axis=0) if where is None else where
    m = len(w) + len(new)
    return np.append(w * (m / len(w) if rescale else 1), np.zeros(len(new))), np.vstack([theta, new])


def refit(problem, measure):
    basis = problem.risk.features.matrix(measure.positions)
    return Measure(np.linalg.lstsq(basis, problem.risk.loss.target)[0], measure.positions)


def valley(positions, at, power=2):
    return np.prod(np.sin(np.pi * (at[:, None] - positions)) ** power, axis=1)


def elsewhere(problem, w, theta):
    """Another measure with the same J: the optimum, made too large."""
    best, target = convex.certified_optimum(problem), problem.energy(w, theta)
    factor = brentq(lambda factor: problem.objective(factor * best) - target, 1, 50, xtol=1e-14, rtol=1e-14)
    w, theta = (factor * best).particles()
    return np.append(w * 7 / len(w), np.zeros(7 - len(w))), np.vstack([theta, np.zeros((7 - len(w), 1))])


def wobble(positions, at):
    return 1 - valley(positions, at) * (1 + 0.3 * np.sin(64 * np.pi * at) ** 2)


WRONG = [
    (chapter09.check_one_spike, lambda a, lam: max(a - lam / 15, 0), "the certificate is open"),
    (chapter09.check_one_spike, lambda a, lam: a / (1 + lam / 15), "the certificate is open"),
    (chapter09.check_rescue, elsewhere, "may neither move nor grow"),
    (chapter09.check_rescue, lambda p, w, t: (np.repeat(w, 2), np.repeat(t, 2, axis=0)), "gets stuck again"),
    (chapter09.check_debias, lambda p, mu: convex.certified_optimum(p), "changing the mass there"),
    (chapter09.check_touch, lambda t, at: 1 - valley(np.append(t, t[len(t) - 1 :] + 0.07)[:7], at), "no other"),
    (chapter09.check_touch, wobble, "oscillates faster"),
    (chapter09.check_one_spike, lambda a, lam: a, "the certificate is open"),
    (chapter09.check_one_spike, lambda a, lam: penalties.soft_threshold(a, lam), "What does"),
    (chapter09.check_one_spike, lambda a, lam: a - np.sign(a) * lam / 15, "the certificate is open"),
    (chapter09.check_one_spike, lambda a, lam: None, "a number; yours is None"),
    (chapter09.check_one_spike, lambda a, lam: np.nan, "a number; yours is nan"),
    (chapter09.check_one_spike, lambda a, lam: [a, a], "yours has shape"),
    (chapter09.check_rescue, lambda p, w, t: None, "returns two arrays"),
    (chapter09.check_rescue, lambda p, w, t: (w, t, w), "returns two arrays"),
    (chapter09.check_rescue, lambda p, w, t: ("w", t), "arrays of numbers"),
    (chapter09.check_rescue, lambda p, w, t: (w, t), "more than 6 and at most 30"),
    (chapter09.check_rescue, lambda p, w, t: rescue(p, w, t, rescale=False), "the measure has changed"),
    (chapter09.check_rescue, lambda p, w, t: (w, t[:, 0]), "Return theta of shape"),
    (chapter09.check_rescue, lambda p, w, t: rescue(p, w, t, where=t[:1]), "gets stuck again"),
    (chapter09.check_rescue, lambda p, w, t: rescue(p, w, t, where=np.zeros((40, 1))), "yours are 46"),
    (chapter09.check_debias, lambda p, mu: mu.weights, "returns a Measure"),
    (chapter09.check_debias, lambda p, mu: mu, "Is a price left"),
    (chapter09.check_debias, lambda p, mu: 1.15 * mu, "changing the mass there"),
    (chapter09.check_debias, lambda p, mu: convex.fixed_positions(p, mu.positions), "Is a price left"),
    (chapter09.check_debias, lambda p, mu: refit(p, p.truth), "on the positions of the one you were given"),
    (chapter09.check_debias, lambda p, mu: Measure(len(mu) * refit(p, mu).weights, mu.positions), "has a product"),
    (chapter09.check_touch, lambda t, at: valley(t, at), "they must all be 1"),
    (chapter09.check_touch, lambda t, at: 1 - valley(t, at)[:3], "yours has shape"),
    (chapter09.check_touch, lambda t, at: np.ones_like(at), "away from the spikes"),
    (chapter09.check_touch, lambda t, at: 1 - valley(np.append(t[:6], 0.5), at), "away from the spikes|must all be 1"),
    (chapter09.check_touch, lambda t, at: 1 - 8 * valley(t, at), "leave the band"),
    (chapter09.check_touch, lambda t, at: 1 - np.abs(valley(t, at, 1)), "oscillates faster"),
    (chapter09.check_touch, lambda t, at: 1 - valley(t, at, 4), "oscillates faster"),
    (chapter09.check_touch, lambda t, at: np.cos(2 * np.pi * (at - t.mean())), "they must all be 1"),
]
