"""A neuron that learns from one like it, and the two numbers that say how far it is: what is allowed for either."""

from typing import NamedTuple

import numpy as np
from scipy import special

from mfcourse import checks, results

FAR = 1e4  # |theta|^2 beyond which a neuron is lost
TRIED = np.linspace(-3, 3, 7)


class Neuron(NamedTuple):
    """sigma and its slope sigma', functions of arrays, and the deviation tau >= 0 of the noise of labels.

    `neuron._replace(noise=0.5)` is the same neuron with noisy labels. For |theta| up to 2, means over samples are exact
    to 1e-12 if the neuron is no steeper than erf or tanh, and to 1e-8 for a polynomial up to degree 10.
    """

    value: callable
    slope: callable
    noise: float = 0.0


LINEAR = Neuron(np.positive, np.ones_like)
SQUARE = Neuron(np.square, lambda z: 2 * z)  # phase retrieval: the sign of v . x is not seen
ERF = Neuron(special.erf, lambda z: 2 / np.pi**0.5 * np.exp(-(z**2)))


def hermite(degree):
    """The neuron He_k / sqrt(k!) of degree k from 1 to 10: E sigma^2 = 1, and its information exponent is k.

    Raises ValueError for another degree.
    """
    degree = checks.count("degree", degree, at_most=10)
    scaled = np.polynomial.hermite_e.herme2poly([0] * degree + [special.factorial(degree) ** -0.5])[::-1]
    return Neuron(_polynomial(scaled), _polynomial(np.polyder(scaled)))


def _polynomial(coefficients):
    """The polynomial with these coefficients, highest first: np.polyval without its overhead on short arrays."""
    first, *others = map(float, coefficients)

    def polynomial(z):
        total = np.full_like(z, first)
        for coefficient in others:
            total = total * z + coefficient
        return total

    return polynomial


@results.quietly
def demand_neuron(neuron):
    """`neuron`, whose functions must take an array to finite numbers in its shape; ValueError otherwise."""
    checks.having("neuron", neuron, "a Neuron, such as overlaps.SQUARE", *Neuron._fields)
    checks.positive("neuron.noise", neuron.noise, or_zero=True)
    for name in ("value", "slope"):
        made = checks.finite(
            f"neuron.{name}(z)", checks.function(f"neuron.{name}", getattr(neuron, name))(TRIED.copy())
        )
        if made.shape != TRIED.shape:
            raise ValueError(
                f"neuron.{name} must return an array of the shape that it is given, "
                f"but of {TRIED.shape} it makes {made.shape}"
            )
    return neuron


@results.quietly
def demand_overlaps(name, values):
    """Pairs (m, s), shape (..., 2), as floats: s >= 0 and |theta|^2 = m^2 + s within reach; ValueError otherwise."""
    u = checks.finite(name, values).astype(float)
    if u.shape[-1:] != (2,):
        raise ValueError(f"{name} must have shape (..., 2), a pair (m, s) for each run, but its shape is {u.shape}")
    if u[..., 1].min(initial=0) < 0:
        raise ValueError(f"{name} must have s = |theta|^2 - m^2 >= 0 in it, but one s is {u[..., 1].min():g}")
    demand_near(name, u[..., 0] ** 2 + u[..., 1])
    return u


def demand_near(name, squares):
    """Squared lengths of theta, none above FAR; ValueError otherwise."""
    largest = squares.max(initial=0)
    if not largest <= FAR * (1 + 1e-9):
        raise ValueError(f"{name} must have |theta| <= {FAR**0.5:g}, but one is {largest**0.5:.4g}: it is lost already")
