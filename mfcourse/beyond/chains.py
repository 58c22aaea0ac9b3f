"""Online SGD of one neuron, as its two overlaps see it: in all coordinates, and as the Markov chain that they are."""

import itertools

import numpy as np

from mfcourse import checks, results
from mfcourse.beyond.neurons import FAR, demand_near, demand_neuron, demand_overlaps

LARGEST = 10**9  # most dimensions, and most steps
DRAWN = 2**16  # samples drawn at once, over all runs


@results.quietly
def chain(neuron, c, dimension, start, times, seed):
    """The overlaps of SGD itself, exactly in law: (T, R, 2) at increasing `times` (T,) >= 0, R runs from start (R, 2).

    In the plane of theta and v a sample has two coordinates, and beyond it only its length matters, the root of a
    chi-squared number with N - 2 degrees of freedom: a step costs the same in every dimension N >= 2. c > 0. A time
    that is no multiple of c / N is rounded to the nearest. When a run is looked at does not change it. A run is lost,
    infinite, from the step on at which |theta| passes 100. Raises ValueError for what is not allowed.
    """
    neuron, start = demand_neuron(neuron), _runs("start", demand_overlaps("start", start), "2")
    dimension = checks.count("dimension", dimension, 2, LARGEST)
    size, rng = _size(c, dimension), _generator(seed)
    steps, path = _records(times, size, len(start))
    (m, s), samples = start.T, _samples(neuron, dimension, len(start), rng)
    longest = m**2 + s
    for record, number in enumerate(steps):
        for b, z, y, rest in itertools.islice(samples, number):
            r = np.sqrt(s)
            a = m * b + r * z
            g = size * (neuron.value(a) - y) * neuron.slope(a)
            m, s = m - g * b, (r - g * z) ** 2 + g**2 * rest
            longest = np.maximum(longest, m**2 + s)
        path[record] = _kept(m, s, longest)
    return path


@results.quietly
def sgd(neuron, c, theta, times, seed):
    """The same (T, R, 2) from SGD with all its coordinates: R runs from theta (R, N), N >= 2. The teacher is e_1."""
    neuron, theta = demand_neuron(neuron), _runs("theta", checks.finite("theta", theta).astype(float), "N")
    size, rng = _size(c, theta.shape[1]), _generator(seed)
    steps, path = _records(times, size, len(theta))
    longest = np.vecdot(theta, theta)
    demand_near("theta", longest)
    for record, number in enumerate(steps):
        for _ in range(number):
            x = rng.standard_normal(theta.shape)
            a, y = np.vecdot(theta, x), neuron.value(x[:, 0]) + neuron.noise * rng.standard_normal(len(x))
            theta -= (size * (neuron.value(a) - y) * neuron.slope(a))[:, None] * x
            longest = np.maximum(longest, np.vecdot(theta, theta))
        path[record] = _kept(theta[:, 0], np.vecdot(theta[:, 1:], theta[:, 1:]), longest)
    return path


def lost(path):
    """Which runs of a path (..., 2) are lost by then, True or False in the shape (...). ValueError for a NaN in it."""
    path = checks.floats("path", path)
    if path.shape[-1:] != (2,) or np.isnan(path).any():
        told = "a NaN is in it" if path.shape[-1:] == (2,) else f"its shape is {path.shape}"
        raise ValueError(f"path must be pairs (m, s), shape (..., 2), which may be infinite, but {told}")
    return np.isinf(path).any(axis=-1)


def demand_times(values):
    """Increasing times (T,) >= 0 as floats; ValueError otherwise."""
    times = checks.finite("times", values).astype(float)
    if times.ndim != 1 or not len(times):
        raise ValueError(f"times must be a list of one or more numbers, but its shape is {times.shape}")
    back = np.flatnonzero(np.diff(times, prepend=-1) <= 0)
    if times[0] < 0 or len(back):
        told = (
            f"{times[back[0]]:g} comes after {times[back[0] - 1]:g}" if times[0] >= 0 else f"the first is {times[0]:g}"
        )
        raise ValueError(f"times must be >= 0 and increase, but {told}")
    return times


def _runs(name, values, columns):
    if values.ndim != 2 or not len(values) or values.shape[1] < 2:
        told = "" if columns == "2" else f" and {columns} >= 2"
        raise ValueError(f"{name} must have shape (R, {columns}) with R >= 1{told}, but its shape is {values.shape}")
    return values


def _size(c, dimension):
    return checks.positive("c", c) / dimension


def _generator(seed):
    return np.random.default_rng(checks.count("seed", seed, at_least=0))


def _records(times, size, runs):
    """How many steps lead from each record to the next (T,), and an array (T, runs, 2) for them."""
    times = demand_times(times)
    if not times[-1] <= LARGEST * size:
        raise ValueError(
            f"times must be reached in at most {LARGEST:g} steps of c / N = {size:g}, but one is {times[-1]:g}"
        )
    checks.room(times=len(times), runs=2 * runs)
    return np.diff(np.rint(times / size).astype(int), prepend=0), np.empty((len(times), runs, 2))


def _samples(neuron, dimension, runs, rng):
    """For each step what the runs see: b, z, the label y, and |x|^2 beyond the plane, all of shape (runs,)."""
    block = DRAWN // runs + 1
    while True:
        b, z, noise = rng.standard_normal((3, block, runs))
        rest = rng.chisquare(dimension - 2, (block, runs)) if dimension > 2 else np.zeros((block, runs))
        yield from zip(b, z, neuron.value(b) + neuron.noise * noise, rest, strict=True)


def _kept(m, s, longest):
    """Overlaps (R, 2), infinite where a run has been too far away."""
    u = np.stack([m, s], axis=-1)
    u[~(longest <= FAR)] = np.inf
    return u
