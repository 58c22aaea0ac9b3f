"""Wrong answers to chapter 11, and the hints they must meet."""

import numpy as np
from scipy.special import expit

from mfcourse.exercises import chapter11
from mfcourse.measures import Measure


def edge_forgotten(residual, x, theta):
    return (theta @ x.T > 0) @ residual


def signs(residual, x, theta):
    return np.sign(theta @ x.T) @ residual


def turned(measure, constant=True, positions=-1, masses=-1):
    w = measure.weights
    factor = np.where(w > 0, masses, 1), np.where(w > 0, positions, 1)[:, None]
    return w[w > 0].sum() if constant else 0.0, Measure(w * factor[0], measure.positions * factor[1])


def affine(teacher, share=0.5, shrink=False):
    length = np.linalg.norm(teacher.positions, axis=1)
    slope = 0.25 / np.sqrt(1 + np.pi / 8 * length) if shrink else np.full(len(teacher), 0.25)
    return share * teacher.mass, (teacher.weights * slope) @ teacher.positions


WRONG = [
    (chapter11.check_at_infinity, lambda r, x, theta: expit(1e4 * theta @ x.T) @ r, "length of theta does not matter"),
    (chapter11.check_at_infinity, lambda r, x, theta: np.heaviside(theta @ x.T, 0.5) @ r / len(r), "Far out on the"),
    (chapter11.check_one_sign, lambda mu: (mu.mass, -1 * mu), "Turn those neurons around"),
    (chapter11.check_one_sign, lambda mu: (mu.mass, turned(mu)[1]), "leaves a 1 behind"),
    (chapter11.check_best_affine, lambda mu: affine(mu, share=1.0), "1/2 on average"),
    (chapter11.check_potential, lambda f, y, values: values @ (-y * expit(y * f)) / len(y), "its derivative in f"),
    (chapter11.check_at_infinity, edge_forgotten, "on the edge"),
    (chapter11.check_at_infinity, signs, "What does sigma"),
    (chapter11.check_at_infinity, lambda r, x, theta: expit(theta @ x.T) @ r, "Far out on the ray"),
    (chapter11.check_one_sign, lambda mu: (0.0, mu), "Turn those neurons around"),
    (chapter11.check_one_sign, lambda mu: turned(mu, constant=False), "leaves a 1 behind"),
    (chapter11.check_one_sign, lambda mu: turned(mu, positions=1), "do not differ by a constant"),
    (chapter11.check_best_affine, lambda mu: affine(mu, share=0.0), "1/2 on average"),
    (chapter11.check_best_affine, affine, "smaller as |theta| grows".replace("|", r"\|")),
    (chapter11.check_best_affine, lambda mu: affine(mu, shrink=True), "By parts"),
    (chapter11.check_potential, lambda f, y, values: values @ (-y * expit(-y * f)), "what is averaged"),
    (chapter11.check_potential, lambda f, y, values: values @ (expit(f) - y) / len(y), "its derivative in f"),
]
