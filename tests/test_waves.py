"""The table of cosines and sines is right in every way it is made, and so are the polynomials beneath it."""

from fractions import Fraction
from math import factorial, pi

import numpy as np
import pytest

from mfcourse import waves
from mfcourse.waves import BLOCK, DEGREE, FEW, MANY, PADE, Waves

CUTOFF = 7


def sizes():
    """Numbers of positions on both sides of every change of method."""
    return [1, FEW // CUTOFF, FEW // CUTOFF + 1, MANY - 1, MANY, BLOCK, BLOCK + 1, 2 * BLOCK + 1]


@pytest.mark.parametrize("m", sizes())
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_table_holds_cosines_and_sines(m, dtype):
    t = np.random.default_rng(m).uniform(-1, 1, m).astype(dtype)
    t[: 5 * (m > 5)] = np.array([0, 0.5, -0.5, 0.25, 1e3 + 0.125][: 5 * (m > 5)], dtype)
    angles = 2 * np.pi * np.arange(CUTOFF + 1)[:, None] * (t - np.rint(t)).astype(np.float64)
    table = Waves(CUTOFF).table(t)
    assert table.shape == (2 * CUTOFF + 1, m)
    assert table.dtype == dtype
    right = np.concatenate([np.cos(angles), np.sin(angles[1:])])
    np.testing.assert_allclose(table, right, rtol=0, atol=6 * CUTOFF * np.finfo(dtype).eps)


def test_positions_of_any_shape():
    t, one = np.random.default_rng(0).uniform(size=(3, 2, 2000)), Waves(CUTOFF)
    table = one.table(t).copy()
    for run, axis in np.ndindex(3, 2):
        np.testing.assert_allclose(table[:, run, axis], one.table(t[run, axis]), rtol=0, atol=1e-14)


@pytest.mark.parametrize("cutoff", [1, 2, 3, 64, 100])
def test_powers_to_any_cutoff(cutoff):
    t = np.random.default_rng(cutoff).uniform(size=2000)
    k = np.arange(1, cutoff + 1)[:, None]
    table = Waves(cutoff).table(t)
    np.testing.assert_allclose(table[1 : cutoff + 1], np.cos(2 * np.pi * k * t), rtol=0, atol=1e-14 * cutoff)
    np.testing.assert_allclose(table[cutoff + 1 :], np.sin(2 * np.pi * k * t), rtol=0, atol=1e-14 * cutoff)


def exact(x, odd):
    """sin x or cos x for a Fraction x, |x| <= 3.2, up to 1e-30."""
    return sum((-1) ** j * x ** (2 * j + odd) / factorial(2 * j + odd) for j in range(24))


@pytest.mark.parametrize("turns", [Fraction(n, 32) for n in (1, 5, 8, 11, 15, 16)])
def test_the_error_of_pade_in_exact_arithmetic(turns):
    """exp(ix) N(-ix) - N(ix), where N has the coefficients n! (2n - j)! / ((2n)! j! (n - j)!), relative to |N|."""
    n, x = DEGREE, turns * 2 * Fraction(pi)
    a = [
        Fraction(factorial(n) * factorial(2 * n - j), factorial(2 * n) * factorial(j) * factorial(n - j))
        for j in range(n + 1)
    ]
    real = sum(a[j] * (-1) ** (j // 2) * x**j for j in range(0, n + 1, 2))
    imaginary = sum(a[j] * (-1) ** (j // 2) * x**j for j in range(1, n + 1, 2))
    cosine, sine = exact(x, 0), exact(x, 1)
    error = (cosine * real + sine * imaginary - real, sine * real - cosine * imaginary - imaginary)
    assert error[0] ** 2 + error[1] ** 2 < Fraction(2) ** -110 * (real**2 + imaginary**2)
    coefficients = [float(c) * (-1) ** (j // 2) * (2 * pi) ** j for j, c in enumerate(a)]
    np.testing.assert_allclose(PADE, coefficients, rtol=1e-14)


def test_tangents():
    turn = np.linspace(-0.5, 0.5, 2001)
    out, other, powers = np.empty_like(turn), np.empty_like(turn), np.empty((DEGREE // 2, len(turn)))
    waves.tangent(turn, out, other, powers)
    np.testing.assert_allclose(np.arctan(out), np.pi * turn, rtol=0, atol=1e-15)
