"""One example for noise and forgetting: neurons 3 tanh(theta x) with theta on a line, fitted to samples of a curve.

A neuron is its position theta alone, so that the measure is a density that one can draw. Without noise the
best measure has two atoms; all particles from one point stay one atom, whose energy is more than twice as large.
"""

import numpy as np
from scipy.optimize import minimize

from mfcourse.beyond.fokker_planck import Grid, cells
from mfcourse.problems import from_data

HEIGHT, CONFINEMENT = 3.0, 0.05  # the fixed weight of each neuron, and r in V = r theta^2 / 2
POSITIONS, WIDTH = cells(-8, 8, 400)
SAMPLES = np.linspace(-2, 2, 8)
CLOSED = 1e-9  # the duality gap at which the least energy is found


def curve(x):
    """What is to be learnt: a steep neuron and a flat one of the other sign, at x of any shape."""
    return HEIGHT * (0.6 * np.tanh(3 * x) - 0.4 * np.tanh(0.7 * x))


def problem():
    """The Problem of eight samples of the curve, for particles of weight HEIGHT: R(f) = |f - y|^2 / 16, no penalty."""
    return from_data(SAMPLES[:, None], curve(SAMPLES), "tanh", bias=False)


def grid(temperature):
    """The Grid of the same problem on POSITIONS, 400 cells of [-8, 8], with its confinement. ValueError unless > 0."""
    features, loss = HEIGHT * np.tanh(np.outer(POSITIONS, SAMPLES)), problem().risk.loss
    return Grid(features, loss, CONFINEMENT * POSITIONS**2 / 2, WIDTH, temperature)


def least_energy():
    """min F over probability measures on the cells, without noise: atoms come where F' is least, and share the mass."""
    cold = grid(1.0)  # whose temperature plays no part in F
    chosen = [len(POSITIONS) // 2]
    while True:
        features, price = cold.features[chosen], cold.confinement[chosen]
        found = minimize(
            lambda a, f, v: (cold.loss.value(a @ f) + a @ v, f @ cold.loss.gradient(a @ f) + v),
            np.full(len(chosen), 1 / len(chosen)),
            (features, price),
            "SLSQP",
            jac=True,
            bounds=[(0, 1)] * len(chosen),
            constraints={"type": "eq", "fun": lambda a, *_: a.sum() - 1, "jac": lambda a, *_: np.ones_like(a)},
            options={"ftol": 1e-14, "maxiter": 500},
        )
        slope = cold.features @ cold.loss.gradient(found.x @ features) + cold.confinement
        if found.x @ slope[chosen] - slope.min() < CLOSED:
            return float(found.fun)
        chosen = sorted({*np.array(chosen)[found.x > CLOSED], int(slope.argmin())})
