"""Wrong answers to chapter 2, and the hints they must meet."""

import numpy as np

from mfcourse import penalties, transport
from mfcourse.exercises import chapter02
from mfcourse.losses import Logistic
from mfcourse.measures import Measure

NOTHING = Measure(np.zeros(0), np.zeros((0, 1)))


def naive_gradient(f, labels):
    return -labels * np.exp(-labels * f) / (1 + np.exp(-labels * f)) / len(f)


def difference_quotients(f, labels):
    loss = Logistic(labels)
    return np.array([loss.value(f + d) - loss.value(f - d) for d in 1e-6 * np.eye(len(f))]) / 2e-6


def searched(problem, mu, nu):
    grid = np.linspace(0, 1, 101)
    return grid[np.argmin([problem.objective(transport.mixture(mu, nu, t)) for t in grid])]


def best_for_the_risk_alone(problem, mu, nu):
    mixed = [transport.mixture(mu, nu, t) for t in (0, 0.5, 1)]
    start, middle, end = (problem.objective(x) - x.total_variation for x in mixed)
    return np.clip((3 * start - 4 * middle + end) / (4 * (start - 2 * middle + end)), 0, 1)


def start_if_outside(problem, mu, nu):
    t = best_on_the_whole_line(problem, mu, nu)
    return t if 0 < t < 1 else 0


def best_on_the_whole_line(problem, mu, nu):
    start, middle, end = (problem.objective(transport.mixture(mu, nu, t)) for t in (0, 0.5, 1))
    return -(-3 * start + 4 * middle - end) / (4 * (start - 2 * middle + end))


def wanted(problem, theta):
    return problem.risk.loss.target @ problem.risk.features.matrix([[theta]])[:, 0] / 15


def hard_threshold(problem, theta):
    z = wanted(problem, theta)
    return z if abs(z) > problem.risk.loss.scale / 15 else 0


def shortened_beyond_zero(problem, theta):
    z = wanted(problem, theta)
    return z - np.sign(z) * problem.risk.loss.scale / 15


def place(problem, mu, size=np.abs, turn=-1, number=2000):
    places = np.arange(number) / number
    eta = problem.risk.potential(*mu.particles(), places[:, None])
    best = np.argmax(size(eta))
    return places[best], turn * np.sign(eta[best])


WRONG = [
    (chapter02.check_logistic_gradient, lambda f, y: -y / (1 + np.exp(y * f)), "R is a mean"),
    (chapter02.check_logistic_gradient, lambda f, y: -1 / (1 + np.exp(y * f)) / len(f), "a factor y_i"),
    (chapter02.check_logistic_gradient, naive_gradient, "the gradient is finite"),
    (chapter02.check_logistic_gradient, difference_quotients, "take the derivative on paper"),
    (chapter02.check_best_mixture, best_on_the_whole_line, "in \\[0, 1\\]"),
    (chapter02.check_best_mixture, lambda problem, mu, nu: 0.5, "Three values of J"),
    (chapter02.check_best_mixture, searched, "a search only comes near"),
    (chapter02.check_best_mixture, best_for_the_risk_alone, "Three values of J"),
    (chapter02.check_best_mixture, start_if_outside, "Three values of J"),
    (chapter02.check_best_mass, wanted, "a kink at 0"),
    (chapter02.check_best_mass, hard_threshold, "By how much"),
    (chapter02.check_best_mass, shortened_beyond_zero, "a kink at 0"),
    (chapter02.check_best_mass, lambda p, t: penalties.soft_threshold(wanted(p, t), 2 / 15), "By how much"),
    (chapter02.check_best_mass, lambda p, t: max(wanted(p, t) - p.risk.loss.scale / 15, 0), "more or less mass"),
    (chapter02.check_best_mass, lambda p, t: penalties.soft_threshold(wanted(p, t), p.risk.loss.scale), "By how much"),
    (chapter02.check_best_place, lambda p, mu: place(p, mu, turn=1), "the sign of -eta"),
    (chapter02.check_best_place, lambda p, mu: place(p, mu, size=lambda x: x), "Both signs may pay"),
    (chapter02.check_best_place, lambda p, mu: place(p, mu, size=lambda x: -x), "Both signs may pay"),
    (chapter02.check_best_place, lambda p, mu: place(p, NOTHING), "is possible"),
    (chapter02.check_best_place, lambda p, mu: place(p, mu, number=100), "enough places"),
]
