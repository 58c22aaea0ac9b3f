"""Wrong answers to chapter 8, and the hints they must meet."""

import numpy as np
from scipy.ndimage import label

from mfcourse.exercises import chapter08
from mfcourse.features import Fourier
from mfcourse.intervals import Cosines


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


def diagonal(support):
    """Walks over corners too, like a king on a chessboard."""
    turns, _ = label(~np.tile(support, (1, len(support))), np.ones((3, 3)))
    return not bool((set(turns[0]) & set(turns[-1])) - {0})


def few_rounds(support):
    """A flood that stops after as many rounds as there are rows."""
    wet = np.zeros_like(support)
    wet[0] = ~support[0]
    for _ in support:
        wider = wet | np.roll(wet, 1, axis=1) | np.roll(wet, -1, axis=1)
        wider[1:] |= wet[:-1]
        wider[:-1] |= wet[1:]
        wet = wider & ~support
    return not wet[-1].any()


def three_turns(support):
    """Three copies side by side, from the one in the middle: a longer way around is not seen."""
    width = support.shape[1]
    free, _ = label(~np.tile(support, (1, 3)))
    return not bool((set(free[0, width : 2 * width]) & set(free[-1])) - {0})


def top_is_bottom(support):
    """Rolls in both directions, so that the top row is a neighbour of the bottom row."""
    wet = np.zeros_like(support)
    wet[0] = ~support[0]
    for _ in range(support.size):
        wet = (wet | np.roll(wet, 1, 0) | np.roll(wet, -1, 0) | np.roll(wet, 1, 1) | np.roll(wet, -1, 1)) & ~support
    return not wet[-1].any()


def by_chance(features):
    f = np.random.default_rng(1).normal(size=(1000, features.size))
    f /= np.linalg.norm(f, axis=1, keepdims=True)
    return np.abs(features.pull(f, np.array([[0.0], [1.0]]))[1]).max()


def norms(features):
    """|phi'| at 0 and at 1."""
    return np.linalg.norm(slopes(features), axis=0)


def by_solving(w, theta):
    """Mirror images of a few particles; of many, weights on a grid that give the same cosines and no sines."""
    if len(w) < 8:
        return mirrored()(w, theta)
    new = np.arange(2 * len(w))[:, None] / (2 * len(w))
    wanted = np.r_[Cosines(range(8)).push(w, theta), np.zeros(7)]
    return np.linalg.lstsq(Fourier(7).matrix(new) / len(new), wanted)[0], new


def limits(problem, w, theta):
    residual, x = problem.risk.residual(w, theta), problem.risk.features.x[:, 0]
    return np.array([residual @ (1 - np.sign(x)) / 2, residual @ (1 + np.sign(x)) / 2])


WRONG = [
    (chapter08.check_separates, lambda support: bool(support.any(axis=0).all()), "staircase of two halves"),
    (chapter08.check_separates, lambda support: bool(support.all(axis=1).any()), "A staircase whose|bent ring"),
    (chapter08.check_separates, cut_open, "The first and the last column"),
    (chapter08.check_separates, never_down, "leads up, down and up again"),
    (chapter08.check_separates, diagonal, "step by step, up, down"),
    (chapter08.check_separates, few_rounds, "bent ring|up, down and up again|one hole each"),
    (chapter08.check_separates, three_turns, "thread of a screw"),
    (chapter08.check_separates, top_is_bottom, "A whole row"),
    (chapter08.check_separates, lambda support: not never_down(support), "and yours says the opposite"),
    (chapter08.check_separates, lambda support: int(not support.any()), "returns True or False"),
    (chapter08.check_wall_slope, lambda features: norms(features)[0], "too small"),
    (chapter08.check_wall_slope, lambda features: norms(features)[1], "the other one is steeper"),
    (chapter08.check_wall_slope, lambda features: np.abs(slopes(features)).max(), "Cauchy-Schwarz"),
    (chapter08.check_wall_slope, lambda features: np.abs(slopes(features)).sum(axis=0).max(), "too large"),
    (chapter08.check_wall_slope, lambda features: np.linalg.norm(slopes(features)), "added the two walls up"),
    (chapter08.check_wall_slope, lambda features: norms(features).sum(), "added the two walls up"),
    (chapter08.check_wall_slope, lambda features: np.linalg.norm(slopes(features), 2), "too large"),
    (chapter08.check_wall_slope, lambda features: norms(features).mean(), "too small"),
    (chapter08.check_wall_slope, lambda features: norms(features).max() ** 2, "too large"),
    (chapter08.check_wall_slope, by_chance, "too small"),
    (chapter08.check_unfold, mirrored(factor=0.5), "an average over the particles"),
    (chapter08.check_unfold, mirrored(factor=2.0), "an average over the particles"),
    (chapter08.check_unfold, mirrored(length=1.0), "Which t makes these the same"),
    (chapter08.check_unfold, mirrored(turn=1), "A sine is odd"),
    (chapter08.check_unfold, lambda w, theta: (w, theta / 2), "mirror image"),
    (chapter08.check_unfold, lambda w, theta: (np.tile(w, 2), np.vstack([theta, 1 - theta]) / 2), "A sine is odd"),
    (chapter08.check_unfold, lambda w, theta: (np.tile(w, 2), np.vstack([theta, 2 - theta])), "Which t makes"),
    (chapter08.check_unfold, lambda w, theta: (np.repeat(w, 2), np.vstack([theta, -theta]) / 2), "A sine is odd|Which"),
    (chapter08.check_unfold, lambda w, theta: (np.append(w, 0 * w), np.vstack([theta, -theta]) / 2), "A sine is odd"),
    (chapter08.check_unfold, lambda w, theta: (np.tile(w, 2), np.tile(theta[:, 0], 2)), "shape \\(m, d\\)"),
    (chapter08.check_unfold, by_solving, "Fourier\\(40\\) does"),
    (chapter08.check_at_infinity, far_away, "however small"),
    (chapter08.check_at_infinity, lambda *state: far_away(*state, at=1e300), "however small"),
    (chapter08.check_at_infinity, signs_only, "the sample x = 0"),
    (chapter08.check_at_infinity, lambda *state: limits(*state)[::-1], "left is first"),
    (chapter08.check_at_infinity, lambda problem, w, theta: limits(problem, 0 * w, theta), "no limit of eta"),
    (
        chapter08.check_at_infinity,
        lambda problem, *state: limits(problem, *state) / len(problem.risk.features.x),
        "no li",
    ),
    (chapter08.check_at_infinity, lambda *state: -limits(*state), "no limit of eta"),
    (chapter08.check_at_infinity, lambda *state: 1.1 * limits(*state), "no limit of eta"),
    (chapter08.check_at_infinity, lambda *state: limits(*state).sum(), "two numbers"),
    (chapter08.check_at_infinity, lambda problem, w, theta: (0.0, 1.0), "no limit of eta"),
]
