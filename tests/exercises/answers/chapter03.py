"""Wrong answers to chapter 3, and the hints they must meet."""

import numpy as np

from mfcourse.exercises import chapter03


def lift(measure, m, scale=None, pair=0.0):
    idle = m - len(measure)
    weights = measure.weights * (m if scale is None else scale)
    others = np.zeros(idle)
    others[:2] = (pair, -pair)[: min(idle, 2)]
    return np.append(weights, others), np.vstack([measure.positions, np.zeros((idle, 1))])


def cut(measure, m):
    """Each atom twice, with weights of opposite signs: the right deposit, and too dear."""
    if m < 2 * len(measure):
        return lift(measure, m)
    weights = np.concatenate([2 * m * measure.weights, -m * measure.weights, np.zeros(m - 2 * len(measure))])
    places = np.vstack([measure.positions, measure.positions, np.zeros((m - 2 * len(measure), 1))])
    return weights, places


def sorted_places(measure, m):
    w, theta = lift(measure, m)
    return w, np.sort(theta, axis=0)


def balance(w, theta, power=0.5, keep=False):
    r = (np.abs(w) / np.linalg.norm(theta, axis=1)) ** power
    return w if keep else w / r, r[:, None] * theta


def twice_the_truth(problem):
    w, theta = problem.truth.particles()
    return (w, theta), (2 * w, theta)


def predict(x, sphere, divide=False, masses=True):
    values = sphere.positions[:, :1] * np.maximum(sphere.positions[:, 1:] @ x.T, 0)
    total = (sphere.weights if masses else np.ones(len(sphere))) @ values
    return total / len(sphere) if divide else total


WRONG = [
    (chapter03.check_lift, lambda mu, m: lift(mu, m, scale=1), "leaves the mass w / m"),
    (chapter03.check_lift, lambda mu, m: mu.particles(), "lift returns m = 7"),
    (chapter03.check_lift, lambda mu, m: lift(mu, m, pair=1.0), "opposite weights share"),
    (chapter03.check_lift, lambda mu, m: lift(mu, m, scale=len(mu)), "leaves the mass w / m"),
    (chapter03.check_lift, cut, "opposite weights share"),
    (chapter03.check_lift, sorted_places, "leaves another measure"),
    (chapter03.check_balance_fibres, lambda w, theta: balance(np.abs(w), theta), "has changed"),
    (chapter03.check_balance_fibres, lambda w, theta: balance(w, theta, power=-0.5), "and .* is possible"),
    (chapter03.check_balance_fibres, lambda w, theta: balance(w, theta, power=1), "its own stretch"),
    (chapter03.check_balance_fibres, lambda w, theta: balance(w, theta, keep=True), "divided by the same r"),
    (chapter03.check_balance_fibres, lambda w, theta: (w, theta), "and .* is possible"),
    (chapter03.check_not_convex, twice_the_truth, "which other list"),
    (chapter03.check_not_convex, lambda p: (p.truth.particles(), p.truth.particles()), "which other list"),
    (chapter03.check_not_convex, lambda p: p.truth.particles(), "Each cloud of not_convex returns"),
    (
        chapter03.check_not_convex,
        lambda p: (p.truth.particles(), (-p.truth.particles()[0], p.truth.positions)),
        "half-way",
    ),
    (chapter03.check_h2_prediction, lambda x, mu: np.abs(predict(x, mu)), "Integrate w relu"),
    (chapter03.check_h2_prediction, lambda x, mu: predict(x, mu, divide=True), "1/m already"),
    (chapter03.check_h2_prediction, lambda x, mu: predict(x, mu, divide=True, masses=False), "Integrate w relu"),
]
