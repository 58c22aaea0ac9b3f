"""A network that forgets as a measure: tanh neurons on a line, noisy samples, a few of them with the wrong sign.

f(x) = int 3 tanh(theta x) dmu(theta) is fitted to 40 private and some public samples, with confinement and temperature:
the minimisers of the free energy with and without the 4 samples to be forgotten are known on the grid (Theorem M).
"""

from typing import NamedTuple

import numpy as np

from mfcourse import checks
from mfcourse.beyond.fokker_planck import Grid, kl, renyi
from mfcourse.beyond.tanh_line import CONFINEMENT, HEIGHT, POSITIONS, WIDTH, curve
from mfcourse.losses import Squared

TEMPERATURE = 0.05
PRIVATE, FORGOTTEN, PUBLIC = 40, 4, 10240  # so many public samples at most
KEPT = 1e-13  # of the eigenvalues of the features, relative to the largest


class Leak(NamedTuple):
    """What mu_D, the minimiser on all data, tells about the forgotten: four numbers, each at most the next."""

    kl: float  # KL(mu_D | mu_D')
    excess: float  # (L_D'(mu_D) - min L_D') / tau
    proximal: float  # KL(mu_D | p'), p' the proximal Gibbs measure of mu_D on D'
    bound: float  # osc^2 / (8 tau^2), osc that of the difference of the two first variations
    renyi: float  # of order 2, of mu_D from mu_D'


def grids(public, temperature=TEMPERATURE):
    """(Grid of D, Grid of D'): the free energies with and without the 4 samples to be forgotten, up to a constant.

    Hundreds of samples are no more than the grid can tell apart: |F'mu - y|^2 / (2n) = |B'mu - t|^2 / 2 + constant with
    BB' = FF'/n of few columns. Raises ValueError unless 0 <= public <= 10240 and temperature > 0.
    """
    public = checks.count("public", public, at_least=0, at_most=PUBLIC)
    (x, y), (x_public, y_public) = _samples(0, PRIVATE), _samples(1, PUBLIC)
    y[:FORGOTTEN] *= -1
    x, y = np.concatenate([x, x_public[:public]]), np.concatenate([y, y_public[:public]])
    return tuple(_grid(x[first:], y[first:], temperature) for first in (0, FORGOTTEN))


def leak(public, temperature=TEMPERATURE):
    """The Leak with this number of public samples."""
    with_them, without = grids(public, temperature)
    learned, retrained = with_them.optimum(), without.optimum()
    difference = with_them.variation(learned) - without.variation(learned)
    return Leak(
        float(kl(learned, retrained, WIDTH)),
        float(without.free_energy(learned) - without.free_energy(retrained)) / temperature,
        float(without.gap(learned)) / temperature,
        float(np.ptp(difference) ** 2 / (8 * temperature**2)),
        float(renyi(learned, retrained, WIDTH, 2.0)),
    )


def _samples(seed, number):
    rng = np.random.default_rng([seed, number])
    x = rng.uniform(-2, 2, number)
    return x, curve(x) + 0.2 * rng.standard_normal(number)


def _grid(x, y, temperature):
    features = HEIGHT * np.tanh(np.outer(POSITIONS, x))
    values, frame = np.linalg.eigh(features @ features.T / len(y))
    kept = values > KEPT * values[-1]
    roots, frame = np.sqrt(values[kept]), frame[:, kept]
    target = frame.T @ (features @ y) / (len(y) * roots)
    confinement = CONFINEMENT / 2 * POSITIONS**2
    return Grid(frame * roots, Squared(target, 1.0), confinement, WIDTH, temperature)
