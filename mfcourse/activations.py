"""Activations of one-hidden-layer networks: sigma(z) = offset + amplitude * core(speed * z) (Sec. 4.2).

A core writes its value beside z and turns z into its slope, in place: the matrix of all z is the largest array of a
step, and every pass over it counts.
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from mfcourse import checks


class Activation(NamedTuple):
    """An activation sigma(z) = offset + amplitude * core(speed * z).

    homogeneity: the degree p with phi(r theta) = r^p phi(theta) for r > 0, or 0 for a bounded activation.
    signed_square: the neuron is sigma(s(theta) . x) with s(t) = t |t| on each coordinate, which makes ReLU
    differentiable in theta (App. D.4).
    """

    core: callable
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


def relu(z, value):
    """max(z, 0); the slope at 0 is taken to be 0."""
    np.maximum(z, 0, out=value)
    np.greater(z, 0, out=z)


def tanh(z, value):
    """Hyperbolic tangent."""
    np.tanh(z, out=value)
    np.multiply(value, value, out=z)
    np.subtract(1, z, out=z)


def erf(z, value):
    """Error function: twice the normal distribution function of sqrt2 z, minus 1."""
    special.erf(z, out=value)
    np.multiply(z, z, out=z)
    np.negative(z, out=z)
    np.exp(z, out=z)
    np.multiply(z, 2 / np.pi**0.5, out=z)


ACTIVATIONS = {
    "relu": Activation(relu, homogeneity=1),
    "signed_square_relu": Activation(relu, homogeneity=2, signed_square=True),
    "sigmoid": Activation(tanh, 0.5, 0.5, 0.5),  # the logistic one, 1 / (1 + exp(-z))
    "probit": Activation(erf, 0.5, 0.5, np.pi**0.5 / 4),  # N(sqrt(pi/8) z): the logistic one up to .018, Gaussian
    "tanh": Activation(tanh),
    "erf": Activation(erf),
}


def activation_named(name):
    """The Activation of this name; ValueError if there is none."""
    return ACTIVATIONS[checks.one_of("activation", name, tuple(ACTIVATIONS))]
