"""Wrong answers to chapter 6, and the hints they must meet."""

import numpy as np

from mfcourse import certificates
from mfcourse.exercises import chapter06
from mfcourse.measures import Measure


def potential(problem, measure, theta):
    return problem.risk.potential(*measure.particles(), theta)


def unscaled_dual(problem, measure):
    loss = problem.risk.loss
    q = (loss.target - problem.risk.features.push(*measure.particles())) / loss.scale
    return loss.target @ q - loss.scale * q @ q / 2


def half_dual(problem, measure):
    return certificates.certify(problem, measure).dual - 0.1


def escape(problem, measure, turn=-1, threshold=1.0):
    worst = certificates.certify(problem, measure).worst
    eta = potential(problem, measure, worst[None])[0]
    size = problem.risk.loss.scale / 15 * max(abs(eta) - threshold, 0)
    return measure + Measure([turn * np.sign(eta) * size], [worst])


def peak(problem, only_positive=False):
    picture = problem.risk.loss.target @ problem.risk.features.matrix(np.arange(10_000)[:, None] / 10_000)
    return (picture if only_positive else np.abs(picture)).max()


WRONG = [
    (chapter06.check_first_variation, lambda p, mu, w, theta: w * potential(p, mu, theta), "costs |w|"),
    (chapter06.check_first_variation, lambda p, mu, w, theta: potential(p, mu, theta) + np.sign(w), "adds w phi"),
    (chapter06.check_dual_value, unscaled_dual, "must be scaled"),
    (chapter06.check_dual_value, half_dual, "the formula gives"),
    (chapter06.check_escape, lambda p, mu: escape(p, mu, turn=1), "which sign of eta"),
    (chapter06.check_escape, lambda p, mu: escape(p, mu, threshold=0), "plus its price"),
    (chapter06.check_escape, lambda p, mu: mu, "Add one atom"),
    (chapter06.check_dark_sky, lambda p: peak(p) / p.risk.loss.scale, "depend on lambda"),
    (chapter06.check_dark_sky, lambda p: peak(p, only_positive=True) / 1.01, "What is eta"),
]
