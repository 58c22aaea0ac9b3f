"""Activations of one-hidden-layer networks: sigma(z) = offset + amplitude * core(speed * z) (Sec. 4.2).

The table of all z is the largest array of a step, and every pass over it counts: a core turns it into its values in
place, and its slope turns these into slopes, again in place.
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from mfcourse import checks


class Activation(NamedTuple):
    """An activation sigma(z) = offset + amplitude * core(speed * z).

    core(table): z becomes core(z); slope(table, refill): core(z) becomes core'(z); refill() puts z back if need be.
    homogeneity: the degree p with phi(r theta) = r^p phi(theta) for r > 0, or 0 for a bounded activation.
    signed_square: the neuron is sigma(s(theta) . x) with s(t) = t |t| on each coordinate, which makes ReLU
    differentiable in theta (App. D.4).
    """

    core: callable
    slope: callable
    offset: float = 0.0
    amplitude: float = 1.0
    speed: float = 1.0
    homogeneity: int = 0
    signed_square: bool = False

    def direction(self, theta):
        """The vector v with phi(theta) = offset + amplitude * core(v . x), shape (..., m, d)."""
        if self.signed_square:
            return theta * np.abs(theta)
        return theta if self.speed == 1 else theta * theta.dtype.type(self.speed)

    def chain(self, theta, slope):
        """The gradient in theta of a function whose gradient in v = direction(theta) is `slope` (..., m, d)."""
        if self.signed_square:
            return slope * (2 * np.abs(theta))
        return slope if self.speed == 1 else slope * slope.dtype.type(self.speed)


def relu(table):
    """max(z, 0)."""
    np.maximum(table, np.zeros(table.shape[-1:], table.dtype), out=table)  # one zero may be three times as slow


def relu_slope(table, refill):
    """1 where z > 0, else 0: at the kink the slope is taken to be 0."""
    np.greater(table, 0, out=table)


def tanh(table):
    """Hyperbolic tangent."""
    np.tanh(table, out=table)


def tanh_slope(table, refill):
    """1 - tanh(z)^2."""
    np.multiply(table, table, out=table)
    np.subtract(1, table, out=table)


def erf(table):
    """Error function: twice the normal distribution function of sqrt2 z, minus 1."""
    special.erf(table, out=table)


def erf_slope(table, refill):
    """2 exp(-z^2) / sqrt(pi)."""
    refill()
    np.multiply(table, table, out=table)
    np.negative(table, out=table)
    np.exp(table, out=table)
    np.multiply(table, 2 / np.pi**0.5, out=table)


ACTIVATIONS = {
    "relu": Activation(relu, relu_slope, homogeneity=1),
    "signed_square_relu": Activation(relu, relu_slope, homogeneity=2, signed_square=True),
    "sigmoid": Activation(tanh, tanh_slope, 0.5, 0.5, 0.5),  # the logistic one, 1 / (1 + exp(-z))
    "probit": Activation(erf, erf_slope, 0.5, 0.5, np.pi**0.5 / 4),  # N(sqrt(pi/8) z): the logistic one up to .018
    "tanh": Activation(tanh, tanh_slope),
    "erf": Activation(erf, erf_slope),
}


def activation_named(name):
    """The Activation of this name; ValueError if there is none."""
    return ACTIVATIONS[checks.one_of("activation", name, tuple(ACTIVATIONS))]
