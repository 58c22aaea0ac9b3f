"""Closed forms against quadrature, their gradients against finite differences, and vectors that are hard to handle."""

import numpy as np
import pytest
from scipy.special import erf

from mfcourse import kernels
from mfcourse.kernels import arc_cosine, arc_cosine_matrix, arc_sine, arc_sine_matrix

both = pytest.mark.parametrize(
    ("summed", "matrix", "core"),
    [(arc_cosine, arc_cosine_matrix, lambda z: np.maximum(z, 0)), (arc_sine, arc_sine_matrix, erf)],
    ids=["arc-cosine", "arcsine"],
)


def example(q=4, m=5, d=3, runs=(), seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(*runs, q, d)), rng.normal(size=(*runs, m, d)), rng.normal(size=(*runs, m))


@both
def test_the_kernel_is_the_gaussian_mean_by_quadrature(summed, matrix, core):
    """In the plane: the mean over the radius and the angle; an erf or a kink in the angle is met by many points."""
    a, b, masses = example(d=2)
    t = 2 * np.pi * (np.arange(20_000) + 0.5) / 20_000
    r, weight = np.polynomial.legendre.leggauss(80)
    r, weight = 5 * (r + 1), 5 * weight * 5 * (r + 1) * np.exp(-((5 * (r + 1)) ** 2) / 2)
    directions = np.stack([np.cos(t), np.sin(t)])
    mean = np.zeros((4, 5))
    for radius, share in zip(r, weight, strict=True):
        mean += share * core(radius * (a @ directions)) @ core(radius * (b @ directions)).T / len(t)
    np.testing.assert_allclose(matrix(a, b), mean, atol=2e-7)
    np.testing.assert_allclose(summed(a, b, masses)[0], mean @ masses, atol=1e-6)


@both
def test_the_sum_against_masses_is_the_matrix_times_them_and_its_gradient_that_of_the_sum(summed, matrix, core):
    a, b, masses = example(d=6)
    value, gradient = summed(a, b, masses)
    np.testing.assert_allclose(value, matrix(a, b) @ masses, rtol=1e-12, atol=1e-14)
    h = 1e-6
    slopes = [(summed(a + h * e, b, masses)[0] - summed(a - h * e, b, masses)[0]) / (2 * h) for e in np.eye(6)]
    np.testing.assert_allclose(gradient, np.stack(slopes, axis=-1), atol=1e-8)


@both
@pytest.mark.parametrize("runs", [(), (3,)])
def test_each_pair_looked_at_once_gives_the_same_in_one_block_or_in_many(summed, matrix, core, runs, monkeypatch):
    a, _, masses = example(q=200, m=200, runs=runs)
    expected = [*summed(a, a.copy(), masses), *summed(a, a, masses)]
    monkeypatch.setattr(kernels, "PAIRS", 200)  # blocks of 64 rows
    for part, other in zip([*summed(a, a, masses)] * 2, expected, strict=True):
        np.testing.assert_allclose(part, other, rtol=1e-11, atol=1e-12)


@both
def test_a_stack_is_a_loop(summed, matrix, core):
    a, b, masses = example(runs=(2, 3))
    value, gradient = summed(a, b, masses)
    for run in np.ndindex(2, 3):
        alone = summed(a[run], b[run], masses[run])
        np.testing.assert_allclose(value[run], alone[0], rtol=1e-12)
        np.testing.assert_allclose(gradient[run], alone[1], rtol=1e-12)


@both
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e6])
def test_parallel_and_opposite_vectors_have_the_limit_of_close_ones(summed, matrix, core, size):
    a = size * np.random.default_rng(0).normal(size=(1, 5))
    aside = np.random.default_rng(1).normal(size=(1, 5))
    for b in (a, -a, 3 * a):
        exact = summed(a, b, np.ones(1))
        close = summed(a, b + 1e-9 * size * aside, np.ones(1))
        assert np.isfinite(exact[0]).all()
        assert np.isfinite(exact[1]).all()
        np.testing.assert_allclose(exact[0], close[0], rtol=1e-7, atol=1e-14 * size**2)
        assert np.abs(exact[1] - close[1]).max() <= 1e-4 * max(size, 1 / size)


def test_parallel_relu_neurons_share_half_the_product_of_their_lengths():
    a = np.random.default_rng(0).normal(size=(1, 9))
    value, gradient = arc_cosine(a, 2 * a, np.ones(1))
    np.testing.assert_allclose(value, (a @ a.T)[0], rtol=1e-14)  # E relu(z) relu(2 z) = E z^2
    np.testing.assert_allclose(gradient, a, rtol=1e-14)
    opposite = arc_cosine(a, -a, np.ones(1))
    assert np.abs(opposite[0]).max() < 1e-15
    assert np.abs(opposite[1]).max() < 1e-15


def test_the_slope_of_the_arcsine_is_right_for_long_vectors_in_the_same_direction():
    """Half the derivative of E erf(r z)^2 = (2/pi) asin u in r, where u = 2 r^2 / (1 + 2 r^2)."""
    for r in (10.0, 1e3, 1e6):
        a = np.array([[r, 0.0]])
        _, gradient = arc_sine(a, a.copy(), np.ones(1))
        exact = 2 / np.pi * 2 * r / ((1 + 2 * r**2) * np.sqrt(1 + 4 * r**2))
        np.testing.assert_allclose(gradient[0, 0], exact, rtol=1e-9, atol=1e-15)
        assert gradient[0, 1] == 0


@both
@pytest.mark.parametrize(("size", "sign"), [(1.0, 1), (1.0, -1), (1e9, 1), (1e9, -1)])
def test_rounding_takes_no_parallel_or_opposite_vectors_beyond_a_cosine_of_one(summed, matrix, core, size, sign):
    """Five hundred pairs, of which rounding takes some beyond: kernels and gradients are those of the limit."""
    a = size * np.random.default_rng(0).normal(size=(500, 7))
    b, squared = 2 * sign * a, np.vecdot(a, a)
    directions = [kernels._directions(x)[0] if summed is arc_cosine else kernels._compressed(x)[0] for x in (a, b)]
    assert (size == 1 and summed is arc_sine) or (np.abs(np.vecdot(*directions)) > 1).any()
    together, gradient = summed(a[:, None], b[:, None], np.ones((500, 1)))
    if summed is arc_cosine:
        exact, slope = max(sign, 0) * squared, max(sign, 0) * a  # E relu(z) relu(2 z) = E z^2 and 0
    else:
        shared = 4 * sign * squared / np.sqrt((1 + 2 * squared) * (1 + 8 * squared))
        exact = 2 / np.pi * np.arcsin(shared)
        steep = 1 / ((1 + 2 * squared) * np.sqrt(1 + 10 * squared))  # du/dr / sqrt(1 - u^2), over 2 |b|
        slope = 2 / np.pi * 4 * sign * a * steep[:, None]
    np.testing.assert_allclose(np.diagonal(matrix(a, b)), exact, rtol=1e-7, atol=1e-7 * size**2 * (sign < 0))
    np.testing.assert_allclose(together[:, 0], exact, rtol=1e-7, atol=1e-7 * size**2 * (sign < 0))
    np.testing.assert_allclose(gradient[:, 0], slope, rtol=1e-9, atol=1e-7 * size if summed is arc_cosine else 1e-15)


def test_a_zero_vector_shares_nothing_has_no_pull_and_feels_none():
    a, b, masses = example()
    a[1], b[2] = 0, 0
    value, gradient = arc_cosine(a, b, masses)
    assert value[1] == 0
    assert (gradient[1] == 0).all()
    others = np.delete(b, 2, axis=0), np.delete(masses, 2)
    np.testing.assert_allclose(value, arc_cosine(a, *others)[0], rtol=1e-14)
    assert arc_sine(a, b, masses)[0][1] == 0
    np.testing.assert_allclose(arc_sine(a, b, masses)[1], arc_sine(a, *others)[1], rtol=1e-14)


@both
def test_precision_follows_the_vectors(summed, matrix, core):
    a, b, masses = (x.astype(np.float32) for x in example())
    value, gradient = summed(a, b, masses)
    assert value.dtype == gradient.dtype == np.float32
    np.testing.assert_allclose(value, summed(*example())[0], rtol=1e-4, atol=1e-5)
