"""Where the particles begin: what the theorems ask of a start, and what the paper takes."""

import numpy as np

from mfcourse import checks


def grid_start(m, dimension=1, arc=1.0):
    """Weights 0 (m,) on a uniform grid (m, d): the support of the start contains {0} x Theta as m grows (Thm 3.5).

    In d >= 2, m must be a d-th power. `arc` in (0, 1] shrinks the grid to a cube of that side around the centre
    (1/2, ...): a start that separates nothing.
    """
    m, dimension = checks.count("m", m), checks.count("dimension", dimension)
    if checks.positive("arc", arc) > 1:
        raise ValueError(f"arc must be in (0, 1], but it is {arc!r}")
    side = round(m ** (1 / dimension))
    if side**dimension != m:
        raise ValueError(f"m must be the power {dimension} of a whole number for a grid in d = {dimension}, not {m}")
    cells = np.indices((side,) * dimension).reshape(dimension, m).T
    return np.zeros(m), 0.5 + arc * ((cells + 0.5) / side - 0.5)


def random_start(m, rng, dimension=1):
    """Weights 0 (m,) at independent uniform positions (m, d)."""
    m, dimension = checks.count("m", m), checks.count("dimension", dimension)
    return np.zeros(m), rng.uniform(size=(m, dimension))


def sphere_start(m, rng, dimension, radius=0.1, weight=0.1, signs=(-1.0, 1.0)):
    """Weights +-weight (m,) and uniform directions on the sphere of this radius (m, d), for networks (Sec. 4.2).

    `signs` are those to draw from: (1.0,) leaves one out. For ReLU, |w| = |theta| is kept by the flow (balanced).
    """
    m, dimension = checks.count("m", m), checks.count("dimension", dimension)
    radius, weight = checks.positive("radius", radius), checks.positive("weight", weight, or_zero=True)
    theta = rng.standard_normal((m, dimension))
    theta *= radius / np.linalg.norm(theta, axis=-1, keepdims=True)
    return weight * rng.choice(signs, m), theta
