"""Wrong answers to chapter 5, and the hints they must meet."""

import numpy as np

from mfcourse import flows
from mfcourse.exercises import chapter05


def searched(s, tau):
    sigma = np.linspace(1e-3, 10, 200_001)
    return sigma[np.argmin((sigma - s) ** 2 / (2 * tau) - np.log(sigma) + sigma**2 / 2)]


WRONG = [
    (chapter05.check_gaussian_w2, lambda m, s, n, t: abs(m - n) + abs(s - t), "then the root"),
    (chapter05.check_gaussian_w2, lambda m, s, n, t: np.sqrt((m - n) ** 2 + abs(s**2 - t**2)), "squared distance"),
    (chapter05.check_gaussian_w2, lambda m, s, n, t: (m - n) ** 2 + (s - t) ** 2, "then the root"),
    (chapter05.check_gaussian_w2, lambda m, s, n, t: np.sqrt((m - n) ** 2 + s**2 + t**2), "squared distance"),
    (chapter05.check_geodesic, lambda x, y, t: (1 - t) * x + t * y, "keeps the order"),
    (chapter05.check_geodesic, lambda x, y, t: np.sort(x), "has gone"),
    (chapter05.check_geodesic, lambda x, y, t: t * np.sort(x) + (1 - t) * np.sort(y), "has gone"),
    (chapter05.check_geodesic, lambda x, y, t: np.sort((1 - t) * x + t * y), "keeps the order"),
    (chapter05.check_geodesic, lambda x, y, t: (1 - t**2) * np.sort(x) + t**2 * np.sort(y), "has gone"),
    (chapter05.check_geodesic, lambda x, y, t: x + t * (y.mean() - x.mean()), "has gone"),
    (chapter05.check_rate, lambda p, w, theta: 2 * np.sum(w * flows.velocity(p, w, theta)[0]), "mean over particles"),
    (chapter05.check_rate, lambda p, w, theta: np.mean(flows.velocity(p, w, theta)[0] ** 2), "grad psi"),
    (
        chapter05.check_rate,
        lambda p, w, theta: -np.abs(np.mean(2 * w * flows.velocity(p, w, theta)[0])),
        "12 particles",
    ),
    (chapter05.check_rate, lambda p, w, theta: np.mean(-2 * w * p.risk(w, theta)[1]), "grad psi"),
    (chapter05.check_jko_ornstein, lambda s, tau: (s + np.sqrt(s**2 + 4 * tau)) / 2, "The spring adds"),
    (chapter05.check_jko_ornstein, lambda s, tau: (s - np.sqrt(s**2 + 4 * tau)) / 2, "A width is positive"),
    (chapter05.check_jko_ornstein, lambda s, tau: np.sqrt(1 + (s**2 - 1) * np.exp(-2 * tau)), "at the best width"),
    (chapter05.check_jko_ornstein, lambda s, tau: s + tau * (1 / s - s), "the derivative of what is minimised"),
    (chapter05.check_jko_ornstein, lambda s, tau: searched(s, tau), "solve for sigma exactly"),
]
