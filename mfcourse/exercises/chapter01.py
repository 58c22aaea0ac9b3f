"""Checks for chapter 1, measures."""

import numpy as np

from mfcourse.exercises import as_array, as_measure, as_number, exercise, shown
from mfcourse.measures import Measure
from mfcourse.transport import wasserstein


def _probability(rng, m):
    masses = rng.uniform(0.1, 1, m)
    return Measure(masses / masses.sum(), rng.normal(size=(m, 1)))


@exercise("1.1")
def check_mean_and_variance(mean_and_variance):
    """`mean_and_variance(mu)` for probabilities on the line.

    Two atoms of masses p and 1 - p at distance r have the variance p (1 - p) r^2; a shift moves the mean alone, a
    scaling by k multiplies the variance by k^2.
    """
    expected = "mean_and_variance returns two numbers, the mean and the variance"
    for p, x, r in ((0.5, 0.0, 1.0), (0.2, -1.0, 3.0), (0.9, 2.0, 0.5)):
        mean, variance = as_array(mean_and_variance(Measure([p, 1 - p], [[x], [x + r]])), expected, (2,))
        assert np.isclose(mean, x + (1 - p) * r), (
            f"Masses {p:g} and {1 - p:g} at {x:g} and {x + r:g}: your mean is {mean:.4f}. Each position counts with "
            "its mass."
        )
        assert np.isclose(variance, p * (1 - p) * r**2), (
            f"Masses {p:g} and {1 - p:g} at distance {r:g}: your variance is {variance:.4f}. Integrate the squared "
            "distance from the mean against mu."
        )
    mu = _probability(np.random.default_rng(0), 7)
    mean, variance = mean_and_variance(mu)
    shifted = as_array(mean_and_variance(Measure(mu.weights, 3 * mu.positions + 1)), expected, (2,))
    assert np.allclose(shifted, (3 * mean + 1, 9 * variance)), "3 theta + 1 has the mean 3 mean + 1 and 9 variances."


@exercise("1.2")
def check_push_forward(push_forward):
    """`push_forward(mu, transform)` obeys int f d(T#mu) = int f(T) dmu, for signed mu and maps between dimensions."""
    rng = np.random.default_rng(0)
    maps = (lambda x: x[:, :1] + 1, lambda x: 2 * x % 1, lambda x: np.stack([x[:, 0], x[:, 0] ** 2], axis=-1))
    for m, transform in zip((1, 4, 9), maps, strict=True):
        mu = Measure(rng.normal(size=m), rng.normal(size=(m, 2)))
        moved = as_measure(push_forward(mu, transform), "push_forward returns a Measure")
        assert np.isclose(moved.mass, mu.mass), f"Total mass was {mu.mass:.3f} and is {moved.mass:.3f}: masses stay."
        for k in range(1, 4):
            left = moved.integral(lambda x, k=k: np.cos(k * x.sum(axis=1)))
            right = mu.integral(lambda x, k=k, transform=transform: np.cos(k * transform(x).sum(axis=1)))
            assert np.isclose(left, right), (
                f"int f d(T#mu) is {left:.4f}, int f(T) dmu is {right:.4f}: each atom keeps its mass and goes to T of "
                "its place."
            )


@exercise("1.3")
def check_witness(witness):
    """`witness(s, t, r)` is a function of slopes at most 1 that proves W_1 of (delta_s + delta_t)/2 and delta_r."""
    x = np.linspace(-5, 5, 2001)
    for s, t, r in ((0.0, 1.0, 3.0), (0.0, 1.0, -2.0), (-1.0, 2.0, 0.5), (2.0, -1.0, 1.0)):
        f = witness(s, t, r)
        assert callable(f), f"witness returns a function of an array of positions; yours is {shown(f):.60}."
        values = as_array(f(x), "The function returns one value for each position, an array", x.shape)
        steepest = np.abs(np.diff(values) / np.diff(x)).max()
        assert steepest <= 1 + 1e-9, f"Your function has a slope of {steepest:.3f}; at most 1 is allowed."
        at_s, at_t, at_r = as_array(f(np.array([s, t, r])), "The function returns one value for each position", (3,))
        proved = at_r - (at_s + at_t) / 2
        cost = wasserstein(Measure([0.5, 0.5], [[s], [t]]), Measure([1.0], [[r]]), p=1)
        assert np.isclose(proved, cost), (
            f"s, t, r = {s:g}, {t:g}, {r:g}: your function proves a cost of at least {proved:.3f}, and W1 is "
            f"{cost:.3f}. It should rise at slope 1 along every way that mass takes, also if s and t lie on either "
            "side of r."
        )


@exercise("1.4")
def check_w1(w1):
    """`w1(mu, nu)` equals the cost of the optimal plan, for atoms in any order and in different numbers."""
    rng = np.random.default_rng(0)
    for m, n in ((1, 1), (2, 2), (5, 3), (30, 40)):
        mu, nu = _probability(rng, m), _probability(rng, n)
        answer, cost = as_number(w1(mu, nu), "w1 returns a number"), wasserstein(mu, nu, p=1)
        assert np.isclose(answer, cost), (
            f"{m} atoms against {n}: yours is {answer:.4f}, the best plan costs {cost:.4f}. Sort all positions, "
            "and take the masses along; the cumulated difference counts with the length of the piece that follows."
        )
