"""Wrong answers to chapter 13, and the hints they must meet."""

import numpy as np

from mfcourse.exercises import chapter13

GRID = np.linspace(-8, 8, 65)


def critical_step(beta, factor=2.0):
    b = beta**2
    return factor * np.pi * (1 + 8 * b) ** 0.5 / (4 * b * (1 + 4 * b) ** 0.5)


def fold(tau, noise=60, root=1):
    a = 144 + noise * tau**2
    return (-24 + root * (576 + 36 * a) ** 0.5) / (2 * a)


def floor(c, tau, dimension, extra=2.0, beyond=np.inf):
    rest = 2 - c * (1 + extra / dimension)
    return c * tau**2 / rest if rest > 0 else beyond


def corrector(value, slope, m, s, grid=GRID, push=0, scale=1.0):
    weight = np.exp(-(grid**2) / 2)
    weight = weight / weight.sum()
    b, z = grid[:, None], grid
    a = m * b + s**0.5 * z
    g = (value(a) - value(b)) * slope(a)
    square = scale * (weight @ (g**2) @ weight)
    return np.array([push * square, square])


def without_slope(value, slope, m, s):
    return corrector(value, np.ones_like, m, s)


def without_root(value, slope, m, s):
    return corrector(value, slope, m, s**2)


def scan(tau):
    return max(c for c in np.linspace(0.001, 0.3, 3000) if 9 - 24 * c - (144 + 60 * tau**2) * c**2 >= 0)


WRONG = [
    (chapter13.check_critical_step, lambda beta: critical_step(beta / 2**0.5) / 2, "what is k"),
    (chapter13.check_fold, scan, "Be exact"),
    (chapter13.check_fold, lambda tau: fold(tau**0.5), "one more term"),
    (chapter13.check_floor, lambda c, tau, n: c * tau**2 / (2 - c * (1 + 2 / n)) if c < 2 else np.inf, "no floor"),
    (chapter13.check_floor, lambda c, tau, n: c * tau**2 / max(0, 2 - c * (1 + 2 / n)), "just balances the kicks"),
    (chapter13.check_floor, lambda c, tau, n: abs(c * tau**2 / (2.0001 - c * (1 + 2 / n))), "one step changes"),
    (chapter13.check_corrector, without_root, "g = "),
    (chapter13.check_corrector, lambda value, slope, m, s: np.array([0, (m - 1) ** 2 + s]), r"sigma\(z\) = z\^2"),
    (chapter13.check_critical_step, lambda beta: 2.0, "small s"),
    (chapter13.check_critical_step, lambda beta: 1 / critical_step(beta), "in this order"),
    (chapter13.check_critical_step, lambda beta: critical_step(beta, 1.0), "what is k"),
    (chapter13.check_critical_step, lambda beta: 3 * np.pi / (2 * 5**0.5) / beta**2, "beta = 0.5"),
    (chapter13.check_critical_step, lambda beta: -critical_step(beta), "is positive"),
    (chapter13.check_fold, lambda tau: 1 / 6, "some radius rests|no radius rests"),
    (chapter13.check_fold, lambda tau: fold(tau, root=-1), "two roots"),
    (chapter13.check_fold, lambda tau: fold(0), "one more term"),
    (chapter13.check_fold, lambda tau: fold(tau, noise=15), "Add the noise"),
    (chapter13.check_floor, lambda c, tau, n: c * tau**2 / (2 - c), "one step changes"),
    (chapter13.check_floor, lambda c, tau, n: floor(c, tau, n, extra=1.0), r"\(N \+ 2\)"),
    (chapter13.check_floor, lambda c, tau, n: floor(c, tau, n) / 2, "one step changes"),
    (chapter13.check_floor, lambda c, tau, n: c * tau**2 / (2 - c * (1 + 2 / n) + 1e-300), "no floor"),
    (chapter13.check_floor, lambda c, tau, n: floor(c, tau, n, beyond=None), "np.inf where"),
    (chapter13.check_corrector, lambda *all_of: corrector(*all_of, push=1), "nothing of this kind to m"),
    (chapter13.check_corrector, lambda *all_of: corrector(*all_of, grid=GRID / 3), "wide enough"),
    (chapter13.check_corrector, lambda *all_of: corrector(*all_of, scale=2.0), "add up to 1"),
    (chapter13.check_corrector, lambda *all_of: corrector(*all_of)[1], "two numbers"),
    (chapter13.check_corrector, without_slope, "g = "),
]
