"""Where the particles begin: what the theorems ask of a start, and what the paper takes."""

import numpy as np

from mfcourse import checks, results


def grid_start(m, dimension=1, arc=1.0):
    """Weights 0 (m,) on a uniform grid (m, d): the support of the start contains {0} x Theta as m grows (Thm 3.5).

    In d >= 2, m must be a d-th power. `arc` in (0, 1] shrinks the grid to a cube of that side around the centre
    (1/2, ...): a start that separates nothing.
    """
    m, dimension = _sizes(m, dimension)
    if checks.positive("arc", arc) > 1:
        raise ValueError(f"arc must be in (0, 1], but it is {arc!r}")
    return np.zeros(m), _grid("m", m, dimension, arc)


def paired_start(m, dimension=1, weight=0.25):
    """Weights +weight (m / 2,), then -weight (m / 2,), each half on the same uniform grid: positions (m, d).

    A start of both signs everywhere, for flows that keep every sign (`flows.conic_mirror`), and a measure that is 0. m
    must be even, and m / 2 a d-th power.
    """
    m, dimension = _sizes(m, dimension)
    weight = checks.positive("weight", weight)
    if m % 2:
        raise ValueError(f"m must be even, as each place has a particle of both signs, but it is {m}")
    theta = _grid("m / 2", m // 2, dimension)
    return np.repeat([weight, -weight], m // 2), np.concatenate([theta, theta])


def random_start(m, rng, dimension=1):
    """Weights 0 (m,) at independent uniform positions (m, d)."""
    m, dimension = _sizes(m, dimension)
    return np.zeros(m), checks.generator("rng", rng).uniform(size=(m, dimension))


@results.quietly
def sphere_start(m, rng, dimension, radius=0.1, weight=0.1, signs=(-1.0, 1.0)):
    """Weights +-weight (m,) and uniform directions on the sphere of this radius (m, d), for networks (Sec. 4.2).

    `signs` are those to draw from: (1.0,) leaves one out. For ReLU, |w| = |theta| is kept by the flow (balanced).
    """
    m, dimension = _sizes(m, dimension)
    radius, weight = checks.positive("radius", radius), checks.positive("weight", weight, or_zero=True)
    signs = checks.finite("signs", signs)
    if signs.ndim != 1 or not len(signs) or not np.isin(signs, (-1, 1)).all():
        raise ValueError(f"signs must be (-1, 1), (-1,) or (1,), but they are {checks.shown(signs)}")
    theta = checks.generator("rng", rng).standard_normal((m, dimension))
    theta *= radius / np.linalg.norm(theta, axis=-1, keepdims=True)
    return weight * rng.choice(signs, m), results.finite(theta, radius=radius)


def _sizes(m, dimension):
    """Both as whole numbers >= 1 whose product is no more than a computer holds; ValueError otherwise."""
    m, dimension = checks.count("m", m), checks.count("dimension", dimension)
    checks.room(m=m, dimension=dimension)
    return m, dimension


def _grid(name, number, dimension, arc=1.0):
    """Centres (number, d) of equal cells of a cube with side `arc`; ValueError if there is no such grid."""
    side = round(number ** (1 / dimension))
    if side**dimension != number:
        raise ValueError(
            f"{name} must be the power {dimension} of a whole number for a grid in d = {dimension}, not {number}"
        )
    places = np.arange(number)[:, None] // side ** np.arange(dimension)[::-1] % side
    return 0.5 + arc * ((places + 0.5) / side - 0.5)
