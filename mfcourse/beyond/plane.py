"""Gaussian means over the plane of a neuron and its teacher: what a sample x shows of either is a point of that plane.

Along the teacher the sample has the coordinate b = v . x, along the rest of theta the coordinate z, both standard
normal; the neuron sees a = theta . x = m b + sqrt(s) z. The plane is turned so that one axis runs along theta: on it
alone a long theta makes the neuron steep, and there the nodes crowd around 0 as those of sinh do. The trapezoidal rule
is exact to rounding for smooth functions against a Gaussian, where Gauss and Hermite's 40 nodes are wrong by 5e-4.
"""

import numpy as np

EDGE = 15.0  # standard deviations: beyond lies less than 1e-49 of the mass
ALONG = np.linspace(-1, 1, 81)[:, None]
NODES = np.arange(-14, 14.25, 0.25)
WEIGHTS = np.exp(-(NODES**2) / 2) / np.exp(-(NODES**2) / 2).sum()


def points(u):
    """Points for overlaps u (..., 2): a (..., p, 1), b (..., p, q), h = sqrt(s) z (..., p, q), weights along (..., p).

    a = m b + h depends on the first axis alone. The weights of the second axis are `WEIGHTS`.
    """
    m, r = u[..., 0, None, None], np.sqrt(u[..., 1])[..., None, None]
    length = np.hypot(m, r)
    unit = length + (length == 0)  # theta = 0 has no direction, and any will do
    cosine, sine = np.where(length > 0, m / unit, 1), r / unit
    crowded = np.maximum(length, 1)
    t = np.arcsinh(EDGE * crowded) * ALONG
    along = np.sinh(t) / crowded
    weights = np.cosh(t) * np.exp(-(along**2) / 2)
    b, z = cosine * along - sine * NODES, sine * along + cosine * NODES
    return length * along, b, r * z, (weights / weights.sum(axis=-2, keepdims=True))[..., 0]


def mean(values, weights):
    """The mean (...) of values (..., p, q) at those points, given the weights along (..., p)."""
    return (values @ WEIGHTS * weights).sum(axis=-1)
