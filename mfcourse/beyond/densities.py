"""Densities on a line: their cells, Gibbs measures, and how different two of them are.

A density is given by its values (..., q) >= 0 in q equal cells between two walls; its mass is 1. Potentials are
(..., q) too; leading axes are independent runs. All raise ValueError if an argument is out of range.
"""

import numpy as np
from scipy.special import logsumexp

from mfcourse import checks, results

MASS = 1e-6  # how far from 1 the mass of a density may be
FAINT = 0.1  # a density at the walls, as a share of its peak: beyond, the walls would decide


def cells(low, high, number):
    """Midpoints (q,) of q = `number` >= 2 equal cells from low to high, and their width. ValueError if low >= high."""
    low, high = checks.finite("low", low), checks.finite("high", high)
    number = checks.count("number", number, at_least=2, at_most=checks.MOST)
    if low.ndim or high.ndim or not low < high:
        raise ValueError(f"low and high must be numbers, low < high, but they are {low} and {high}")
    width = float(high - low) / number
    return low + width * (np.arange(number) + 0.5), width


def gibbs(potential, width, temperature):
    """exp(-potential / temperature), scaled to mass 1: shape (..., q)."""
    return np.exp(log_gibbs(potential, width, temperature))


@results.quietly
def log_gibbs(potential, width, temperature):
    """The logarithm of the Gibbs measure, which tells apart what is 0 in floating point: shape (..., q)."""
    width, temperature = checks.positive("width", width), checks.positive("temperature", temperature)
    potential = on_cells("potential", potential)
    exponent = (potential.min(axis=-1, keepdims=True) - potential) / temperature
    return exponent - logsumexp(exponent, axis=-1, keepdims=True) - np.log(width)


@results.quietly
def kl(p, q, width):
    """The relative entropy int p log(p / q) of two densities, shape (...); infinite where p > 0 = q."""
    p, q, width = _pair(p, q, width)
    return relative_entropy(p, np.log(q), width)


def relative_entropy(p, log_q, width):
    """int p (log p - log_q), with 0 log 0 = 0: shape (...). It is never negative, while its rounding may be."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p > 0, p * (np.log(p) - log_q), 0)
    return np.maximum(width * terms.sum(axis=-1), 0)


@results.quietly
def renyi(p, q, width, order):
    """The Renyi divergence log(int p^a q^(1 - a)) / (a - 1) of order a > 1, shape (...); infinite where p > 0 = q."""
    p, q, width = _pair(p, q, width)
    if checks.positive("order", order) <= 1:
        raise ValueError(f"order must be > 1, but it is {order:g}; in the limit 1 the divergence is kl")
    powers = np.where(p > 0, order * np.log(p) + (1 - order) * np.log(q), -np.inf)
    return np.maximum((logsumexp(powers, axis=-1) + np.log(width)) / (order - 1), 0)


def on_cells(name, values, cells=None):
    """Values (..., q) at q >= 2 cells, as many as `cells` (q,) says if it is given; ValueError otherwise."""
    values = checks.finite(name, values)
    if values.ndim < 1 or values.shape[-1] < 2 or cells not in (None, values.shape[-1:]):
        wanted = f"(..., {cells[0]})" if cells else "(..., q) with q >= 2"
        raise ValueError(f"{name} must have shape {wanted}, a value for each cell, but its shape is {values.shape}")
    return values


def of_mass_one(name, values, width, cells=None):
    """A density (..., q); ValueError if it is negative somewhere, or its mass is not 1, or the shape is wrong."""
    values = on_cells(name, values, cells)
    if (values < 0).any():
        raise ValueError(f"{name} must be >= 0, but its least value is {values.min():.3g}")
    masses = np.ravel(width * values.sum(axis=-1))
    if (wrong := masses[~(abs(masses - 1) <= MASS)]).size:
        raise ValueError(f"{name} must have mass 1, but it has {wrong[0]:.6g}: divide it by {name}.sum() * width")
    return values


def with_room(density):
    """The density (..., q), if it fades towards both walls; ValueError otherwise, as it needs a longer domain."""
    share = (density[..., [0, -1]].max(axis=-1) / density.max(axis=-1)).max()
    if share > FAINT:
        raise ValueError(
            f"the domain must be long enough for the density to fade towards its walls, but there it is {share:.1%} of "
            "its peak: make more room, or confine it more"
        )
    return density


def _pair(p, q, width):
    width = checks.positive("width", width)
    p = of_mass_one("p", p, width)
    q = of_mass_one("q", q, width, p.shape[-1:])
    checks.same_runs(p=p.shape[:-1], q=q.shape[:-1])
    return p, q, width
