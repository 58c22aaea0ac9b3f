"""Activations: values and slopes against formulas and finite differences; signed squares."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from mfcourse.activations import ACTIVATIONS, activation_named
from mfcourse.features import Neurons

FORMULAS = {
    "relu": lambda z: np.maximum(z, 0),
    "signed_square_relu": lambda z: np.maximum(z, 0),
    "sigmoid": expit,
    "probit": lambda z: norm.cdf(np.sqrt(np.pi / 8) * z),
    "tanh": np.tanh,
    "erf": lambda z: 2 * norm.cdf(np.sqrt(2) * z) - 1,
}
every_activation = pytest.mark.parametrize("name", sorted(ACTIVATIONS))


def sigma(name, z):
    """The activation as the neurons have it, at the numbers z: one-dimensional samples seen by theta = 1."""
    return Neurons(np.asarray(z)[:, None], name).push(np.ones(1), np.ones((1, 1)))


@every_activation
def test_values_are_those_of_the_formula(name):
    z = np.r_[-30, -1e-300, 0, 1e-300, 30, np.linspace(-4, 4, 41)]
    np.testing.assert_allclose(sigma(name, z), FORMULAS[name](z), rtol=1e-13, atol=1e-15)


@every_activation
def test_the_slope_that_values_turn_into_is_the_derivative(name):
    activation, z, h = ACTIVATIONS[name], np.linspace(-3.05, 3, 30), 1e-6
    table, above, below = z.copy(), z + h, z - h
    for part in (table, above, below):
        activation.core(part)
    activation.slope(table, lambda: np.copyto(table, z))
    np.testing.assert_allclose(table, (above - below) / (2 * h), atol=1e-8)


def test_probit_is_within_18_thousandths_of_the_logistic_sigmoid():
    z = np.linspace(-20, 20, 4001)
    assert 0.017 < np.abs(sigma("probit", z) - sigma("sigmoid", z)).max() < 0.018


def test_homogeneous_activations_are_so_and_bounded_ones_are_not():
    x, theta = np.random.default_rng(0).normal(size=(7, 3)), np.random.default_rng(1).normal(size=(1, 3))
    for name, activation in ACTIVATIONS.items():
        once, thrice = (Neurons(x, name).push(np.ones(1), r * theta) for r in (1, 3))
        if activation.homogeneity:
            np.testing.assert_allclose(thrice, 3.0**activation.homogeneity * once, rtol=1e-12)
        else:
            assert np.abs(thrice).max() <= 1


def test_signed_squares_are_relu_at_theta_times_its_size():
    x, theta = np.random.default_rng(0).normal(size=(7, 3)), np.random.default_rng(1).normal(size=(4, 3))
    squared, plain = Neurons(x, "signed_square_relu"), Neurons(x, "relu")
    np.testing.assert_allclose(squared.matrix(theta), plain.matrix(theta * np.abs(theta)), rtol=1e-13)


def test_an_unknown_activation_is_named():
    with pytest.raises(ValueError, match=r"activation must be one of 'relu', .* but it is 'gelu'"):
        activation_named("gelu")
