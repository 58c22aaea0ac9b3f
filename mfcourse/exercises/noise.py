"""SGD on noisy labels, for many sequences of step sizes at once: the race of lab C."""

import numpy as np

from mfcourse.features import Neurons
from mfcourse.losses import Squared
from mfcourse.measures import Measure
from mfcourse.risks import FeatureRisk

NOTHING = Measure(np.zeros(0), np.zeros((0, 2)))
BATCH, NOISE, RUNS = 20, 0.5, 4


def noisy_risk(problem, start, sizes, seed=0):
    """Relative risk (q,) that SGD on noisy labels ends with, for q sequences of step sizes (q, steps).

    Batches of 20 fresh samples, labels f*(x) + .5 * standard normal; start: (w (m,), theta (m, d)). The exact risk is
    averaged over four runs and over the last tenth of the steps. All sequences see the same samples.
    """
    number, steps = sizes.shape
    w, theta = (np.repeat(part[None], number * RUNS, axis=0) for part in start)
    neurons, values = Neurons(np.zeros((1, problem.risk.dimension)), "relu"), []
    for k in range(steps):
        rng = np.random.default_rng([seed, k])
        x = rng.standard_normal((RUNS, BATCH, problem.risk.dimension))
        y = problem.risk.taught(x) + NOISE * rng.standard_normal((RUNS, BATCH))
        batch = FeatureRisk(neurons.on(np.tile(x, (number, 1, 1))), Squared(np.tile(y, (number, 1)), BATCH))
        _, potential, slope = batch(w, theta)
        size = np.repeat(sizes[:, k], RUNS)[:, None]
        w, theta = w - size * potential, theta - (size * w)[..., None] * slope
        if k >= 0.9 * steps and k % 10 == 0:
            values.append(problem.energy(w, theta))
    return np.mean(values, axis=0).reshape(number, RUNS).mean(axis=1) / problem.objective(NOTHING)
