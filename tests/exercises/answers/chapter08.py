"""Wrong answers to chapter 8, and the hints they must meet."""

import numpy as np
from scipy.ndimage import label

from mfcourse.exercises import chapter08


def cut_open(support):
    """Forgets that the first and the last column are neighbours."""
    free, _ = label(~support)
    return not bool((set(free[0]) & set(free[-1])) - {0})


def never_down(support):
    """Floods row by row, sideways and upwards only."""
    wet = np.ones(support.shape[1], dtype=bool)
    for row in support:
        wet = wet & ~row
        for _ in row:
            wet = (wet | np.roll(wet, 1) | np.roll(wet, -1)) & ~row
    return not wet.any()


def slopes(features):
    return features.pull(np.eye(features.size), np.array([[0.0], [1.0]]))[1][..., 0]


def mirrored(factor=1.0, length=2.0, turn=-1):
    def unfold(w, theta):
        return factor * np.concatenate([w, -turn * w]), np.concatenate([theta, -theta]) / length

    return unfold


def far_away(problem, w, theta, at=1000.0):
    return problem.risk.potential(w, theta, np.array([[-at], [at]]))


def signs_only(problem, w, theta):
    residual, x = problem.risk.residual(w, theta), problem.risk.features.x[:, 0]
    return residual[x < 0].sum(), residual[x > 0].sum()


WRONG = [
    (chapter08.check_separates, lambda support: bool(support.any(axis=0).all()), "staircase of two halves"),
    (chapter08.check_separates, lambda support: bool(support.all(axis=1).any()), "A staircase whose|bent ring"),
    (chapter08.check_separates, cut_open, "The first and the last column"),
    (chapter08.check_separates, never_down, "leads up, down and up again"),
    (chapter08.check_wall_slope, lambda features: np.linalg.norm(slopes(features)[:, 0]), "At both walls"),
    (chapter08.check_wall_slope, lambda features: np.abs(slopes(features)).max(), "Cauchy-Schwarz"),
    (chapter08.check_unfold, mirrored(factor=0.5), "what is each of two halves"),
    (chapter08.check_unfold, mirrored(length=1.0), "twice as long"),
    (chapter08.check_unfold, mirrored(turn=1), "with the same weight"),
    (chapter08.check_unfold, lambda w, theta: (w, theta / 2), "mirror image"),
    (chapter08.check_at_infinity, far_away, "however small"),
    (chapter08.check_at_infinity, signs_only, "x = 0"),
]
