"""Wrong answers to chapter 9, and the hints they must meet."""

import numpy as np

from mfcourse import certificates, penalties
from mfcourse.exercises import chapter09


def rescue(problem, w, theta, rescale=True, where=None):
    values, positions = certificates.extremes(problem.risk.features, problem.risk.residual(w, theta))
    new = np.unique(positions[np.abs(values) > 1 + 1e-6], axis=0) if where is None else where
    m = len(w) + len(new)
    return np.append(w * (m / len(w) if rescale else 1), np.zeros(len(new))), np.vstack([theta, new])


WRONG = [
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
]
