"""Wrong answers to chapter 1, and the hints they must meet."""

import numpy as np

from mfcourse.exercises import chapter01
from mfcourse.measures import Measure


def places(mu):
    return mu.positions[:, 0]


def mean(mu):
    return mu.weights @ places(mu)


def variance_of_two(mu):
    a, x = mu.weights, places(mu)
    return mean(mu), a[0] * a[1] * (x[0] - x[1]) ** 2 if len(mu) > 1 else 0


def sorted_places_alone(mu):
    x = np.sort(places(mu))
    return mu.weights @ x, mu.weights @ (x - mu.weights @ x) ** 2


def coordinates_exchanged(mu, transform):
    return Measure(mu.weights, transform(mu.positions)[:, ::-1])


def coordinates_added_up(mu, transform):
    return Measure(mu.weights, transform(mu.positions).sum(axis=1, keepdims=True))


def one_row_after_another(mu, transform):
    return Measure(mu.weights, [transform(position) for position in mu.positions])


def jump_where_it_counts(s, t, r):
    return lambda x: np.where(x == r, (abs(s - r) + abs(t - r)) / 2, 0)


def right_for_three_places(s, t, r):
    return lambda x: -np.abs(x - r) if len(x) == 3 else 0 * x


def steep_far_out(s, t, r):
    return lambda x: np.where(np.abs(x) < 6, -np.abs(x - r), -(x**2))


def w1_of_sorted_atoms(mu, nu):
    return np.abs(np.sort(mu.positions[:, 0])[:1] - np.sort(nu.positions[:, 0])[:1]).mean()


def w1_without_sorting(mu, nu):
    difference = mu - nu
    return np.sum(np.abs(np.cumsum(difference.weights)[:-1] * np.diff(difference.positions[:, 0])))


def w1_of_places_without_repetition(mu, nu):
    x = np.unique(np.concatenate([places(mu), places(nu)]))
    below = [np.cumsum([dict(zip(places(m), m.weights, strict=True)).get(s, 0) for s in x]) for m in (mu, nu)]
    return np.sum(np.abs(below[0] - below[1])[:-1] * np.diff(x))


def w1_without_size(mu, nu):
    difference = mu - nu
    order = np.argsort(places(difference))
    return abs(np.sum(np.cumsum(difference.weights[order])[:-1] * np.diff(places(difference)[order])))


WRONG = [
    (chapter01.check_mean_and_variance, lambda mu: (mu.positions.mean(), mu.positions.var()), "counts with its mass"),
    (
        chapter01.check_mean_and_variance,
        lambda mu: (mean(mu), mu.weights @ places(mu) ** 2),
        "A single atom at 3 has the mean 3",
    ),
    (
        chapter01.check_mean_and_variance,
        lambda mu: (mean(mu), mu.weights @ np.abs(places(mu) - mean(mu))),
        "distance from the mean",
    ),
    (chapter01.check_mean_and_variance, variance_of_two, "Do all atoms count"),
    (chapter01.check_mean_and_variance, sorted_places_alone, "each with the mass of its own"),
    (chapter01.check_mean_and_variance, lambda mu: mu.integral(lambda x: x[:, 0]), "two numbers"),
    (chapter01.check_push_forward, lambda mu, transform: mu, "T maps to 1 coordinates"),
    (
        chapter01.check_push_forward,
        lambda mu, transform: Measure(mu.weights[::-1], transform(mu.positions)),
        "goes to T of its place",
    ),
    (
        chapter01.check_push_forward,
        lambda mu, transform: Measure(mu.weights * 2, transform(mu.positions)),
        "masses stay",
    ),
    (chapter01.check_push_forward, coordinates_exchanged, "goes to T of its place"),
    (chapter01.check_push_forward, one_row_after_another, "once, with all positions"),
    (chapter01.check_push_forward, coordinates_added_up, "T maps to 2 coordinates"),
    (chapter01.check_push_forward, lambda mu, transform: transform(mu.positions), "returns a Measure"),
    (chapter01.check_witness, lambda s, t, r: lambda x: -2 * np.abs(x - r), "at most 1 is allowed"),
    (chapter01.check_witness, lambda s, t, r: lambda x: np.abs(x - r), "must be \\*largest\\* at r"),
    (chapter01.check_witness, lambda s, t, r: lambda x: x, "where the mass arrives"),
    (chapter01.check_witness, lambda s, t, r: lambda x: np.sign(r - (s + t) / 2) * x, "on either side of r"),
    (chapter01.check_witness, jump_where_it_counts, "at most 1 is allowed"),
    (chapter01.check_witness, right_for_three_places, "rise at slope 1"),
    (chapter01.check_witness, steep_far_out, "at most 1 is allowed"),
    (chapter01.check_witness, lambda s, t, r: abs(s - r), "returns a function"),
    (chapter01.check_w1, w1_of_sorted_atoms, "Sort all positions"),
    (chapter01.check_w1, w1_without_sorting, "Sort all positions"),
    (chapter01.check_w1, w1_of_places_without_repetition, "the best plan costs"),
    (chapter01.check_w1, w1_without_size, "the best plan costs"),
]
