"""Checks for chapter 1, measures."""

import functools

import numpy as np

from mfcourse.exercises import as_array, as_measure, as_number, exercise, shown
from mfcourse.measures import Measure
from mfcourse.transport import wasserstein


def _probability(rng, m, steps=None):
    """A probability of m atoms on the line; with steps, at multiples of 1 / steps, where many atoms share a place."""
    masses, positions = rng.uniform(0.1, 1, m), rng.normal(size=(m, 1))
    return Measure(masses / masses.sum(), positions if steps is None else np.round(positions * steps) / steps)


def _wave(direction, positions):
    return np.cos(positions @ direction + 1)


def _of_all(transform, positions):
    """transform(positions), or a hint: a solution may call it with one row after another."""
    assert np.ndim(positions) == 2, (
        f"transform maps positions of shape (m, d), and you called it with shape {np.shape(positions)}. Call it once, "
        "with all positions."
    )
    return transform(positions)


@exercise("1.1")
def check_mean_and_variance(mean_and_variance):
    """`mean_and_variance(mu)` for probabilities on the line.

    Two atoms of masses p and 1 - p at distance r have the variance p (1 - p) r^2, one atom has none. Of any number of
    atoms, in any order, the mean is the place around which the first moment is 0, and the variance is half the mean
    square of the distance of two independent draws.
    """
    expected = "mean_and_variance returns two numbers, the mean and the variance"
    alone = as_array(mean_and_variance(Measure([1.0], [[3.0]])), expected, (2,))
    assert np.allclose(alone, (3, 0)), f"A single atom at 3 has the mean 3 and the variance 0; yours are {alone}."
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
    mean, variance = as_array(mean_and_variance(mu), expected, (2,))
    around = mu.integral(lambda x: x[:, 0] - mean)
    assert np.isclose(around, 0, atol=1e-9), (
        f"Seven atoms: the integral of theta minus your mean is {around:.4f}, and around the mean it is 0. Do all "
        "atoms count, each with the mass of its own?"
    )
    draws = mu.weights @ (mu.positions - mu.positions.T) ** 2 @ mu.weights / 2
    assert np.isclose(variance, draws), (
        f"Seven atoms: your variance is {variance:.4f}, half the mean square of the distance of two draws {draws:.4f}. "
        "Do all atoms count?"
    )


@exercise("1.2")
def check_push_forward(push_forward):
    """`push_forward(mu, transform)` obeys int f d(T#mu) = int f(T) dmu, for signed mu and maps between dimensions."""
    rng = np.random.default_rng(0)
    maps = (lambda x: x[:, :1] + 1, lambda x: 2 * x % 1, lambda x: np.stack([x[:, 0], x[:, 0] ** 2], axis=-1))
    for m, transform in zip((1, 4, 9), maps, strict=True):
        mu = Measure(rng.normal(size=m), rng.normal(size=(m, 2)))
        moved = push_forward(mu, functools.partial(_of_all, transform))
        moved = as_measure(moved, "push_forward returns a Measure")
        target = transform(mu.positions).shape[1]
        assert moved.dimension == target, f"T maps to {target} coordinates; your positions have {moved.dimension}."
        assert np.isclose(moved.mass, mu.mass), f"Total mass was {mu.mass:.3f} and is {moved.mass:.3f}: masses stay."
        for direction in rng.normal(size=(4, target)):  # all integrals of such f together determine a measure
            wave = functools.partial(_wave, direction)
            left, right = moved.integral(wave), Measure(mu.weights, transform(mu.positions)).integral(wave)
            assert np.isclose(left, right), (
                f"int f d(T#mu) is {left:.4f}, int f(T) dmu is {right:.4f}: each atom keeps its mass and goes to T of "
                "its place."
            )


@exercise("1.3")
def check_witness(witness):
    """`witness(s, t, r)` is a function of slopes at most 1 that proves W_1 of (delta_s + delta_t)/2 and delta_r."""
    for s, t, r in ((0.1, 1.0, 3.0), (0.0, 1.3, -2.0), (-1.0, 2.0, 0.7), (2.0, -1.0, 1.1), (-0.6, -0.6, 0.2)):
        f = witness(s, t, r)
        assert callable(f), f"witness returns a function of an array of positions; yours is {shown(f):.60}."
        x = np.unique(np.concatenate([np.linspace(-5, 5, 2001) + 1e-3, [-100, s, t, r, 100]]))  # also far out
        values = as_array(f(x), "The function returns one value for each position, an array", x.shape)
        steepest = np.abs(np.diff(values) / np.diff(x)).max()
        assert steepest <= 1 + 1e-9, f"Your function has a slope of {steepest:.3f}; at most 1 is allowed."
        at_s, at_t, at_r = values[np.searchsorted(x, [s, t, r])]
        proved = at_r - (at_s + at_t) / 2
        cost = wasserstein(Measure([0.5, 0.5], [[s], [t]]), Measure([1.0], [[r]]), p=1)
        assert proved >= -1e-9, (
            f"s, t, r = {s:g}, {t:g}, {r:g}: int f dnu - int f dmu is {proved:.3f}, which proves nothing: costs "
            "are not negative. nu counts with plus, mu with minus: f must be *largest* at r, where the mass arrives."
        )
        assert np.isclose(proved, cost), (
            f"s, t, r = {s:g}, {t:g}, {r:g}: your function proves a cost of at least {proved:.3f}, and W1 is "
            f"{cost:.3f}. It should rise at slope 1 along every way that mass takes, also if s and t lie on either "
            "side of r."
        )


@exercise("1.4")
def check_w1(w1):
    """`w1(mu, nu)` equals the cost of the optimal plan, for atoms in any order, also several at one place."""
    rng = np.random.default_rng(0)
    pairs = [(_probability(rng, m), _probability(rng, n)) for m, n in ((1, 1), (2, 2), (5, 3), (30, 40))]
    pairs += [(_probability(rng, m, steps=4), _probability(rng, n, steps=4)) for m, n in ((3, 4), (12, 9))]
    pairs += [(nu, mu) for mu, nu in pairs]
    for mu, nu in pairs:
        m, n = len(mu), len(nu)
        answer, cost = as_number(w1(mu, nu), "w1 returns a number"), wasserstein(mu, nu, p=1)
        assert np.isclose(answer, cost), (
            f"{m} atoms against {n}: yours is {answer:.4f}, the best plan costs {cost:.4f}. Sort all positions, "
            "and take the masses along; the cumulated difference counts with the length of the piece that follows."
        )
