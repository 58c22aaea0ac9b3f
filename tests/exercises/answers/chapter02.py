"""Wrong answers to chapter 2, and the hints they must meet."""

import numpy as np

from mfcourse import penalties, transport
from mfcourse.exercises import chapter02


def naive_gradient(f, labels):
    return -labels * np.exp(-labels * f) / (1 + np.exp(-labels * f)) / len(f)


def best_on_the_whole_line(problem, mu, nu):
    start, middle, end = (problem.objective(transport.mixture(mu, nu, t)) for t in (0, 0.5, 1))
    return -(-3 * start + 4 * middle - end) / (4 * (start - 2 * middle + end))


def wanted(problem, theta):
    return problem.risk.loss.target @ problem.risk.features.matrix([[theta]])[:, 0] / 15


def place(problem, mu, size=np.abs, turn=-1):
    places = np.arange(2000) / 2000
    eta = problem.risk.potential(*mu.particles(), places[:, None])
    best = np.argmax(size(eta))
    return places[best], turn * np.sign(eta[best])


WRONG = [
    (chapter02.check_logistic_gradient, lambda f, y: -y / (1 + np.exp(y * f)), "R is a mean"),
    (chapter02.check_logistic_gradient, lambda f, y: -1 / (1 + np.exp(y * f)) / len(f), "a factor y_i"),
    (chapter02.check_logistic_gradient, naive_gradient, "the gradient is finite"),
    (chapter02.check_best_mixture, best_on_the_whole_line, "in \\[0, 1\\]"),
    (chapter02.check_best_mixture, lambda problem, mu, nu: 0.5, "Three values of J"),
    (chapter02.check_best_mass, wanted, "a kink at 0"),
    (chapter02.check_best_mass, lambda p, t: penalties.soft_threshold(wanted(p, t), p.risk.loss.scale), "By how much"),
    (chapter02.check_best_place, lambda p, mu: place(p, mu, turn=1), "the sign of -eta"),
    (chapter02.check_best_place, lambda p, mu: place(p, mu, size=lambda x: x), "Both signs may pay"),
]
