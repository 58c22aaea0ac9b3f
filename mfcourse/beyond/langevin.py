"""Noisy descent: every step follows the velocity and is shaken, theta <- theta + step v + sqrt(2 step tau) xi.

The step is that of the mean-field velocity (Def. 2.2), so the temperature tau is per particle: many particles follow
the Fokker-Planck equation of `fokker_planck`. Noise is a function of the seed, the number k of the step and the run, so
that stacked and looped, saved and resumed runs are the same to the bit.
Shapes: w (..., m), theta (..., m, d), vectors (..., d); leading axes are independent runs.
"""

import math

import numpy as np

from mfcourse import checks, results
from mfcourse.motion import velocity
from mfcourse.stochastic import LAST, step_number

NOISE = 2  # keeps these draws apart from those of mini-batches, default_rng([seed, k, 1])


def noise(seed, k, shape, runs=()):
    """Independent standard normal numbers (*runs, *shape) for step number k.

    Run number r, counted through the axes `runs` in C order, gets what a run of its own gets with the seed seed + r.
    seed, k: whole numbers >= 0. Raises ValueError otherwise.
    """
    seed, k = checks.count("seed", seed, at_least=0), checks.count("k", k, at_least=0, at_most=LAST)
    shape, runs = _axes("shape", shape), _axes("runs", runs)
    checks.room(runs=math.prod(runs), shape=math.prod(shape))
    draws = [np.random.default_rng([seed + r, k, NOISE]).standard_normal(shape) for r in range(math.prod(runs))]
    return np.reshape(draws, (*runs, *shape))


def noisy(problem, step, temperature, confinement=0.0, seed=0, weights=False):
    """A step of noisy particles; its state is (w, theta, k), started with k = 0 by `stochastic.begin`.

    theta moves by step (v - confinement theta) + sqrt(2 step tau) xi, where v is the problem's own velocity: noisy
    gradient descent on F + (confinement / 2) int |theta|^2 dmu. With weights=True, w moves in the same way; else it
    stays. The energy that `flows.flow` records is F alone, without confinement and entropy.

    step > 0; temperature: tau >= 0, or a function k -> tau, `cooling` for one; confinement >= 0. Raises ValueError
    otherwise, and for a confinement of positions on a torus, which have no distance from 0; the step raises it for a
    state without its number k.
    """
    checks.having("problem", problem, "a Problem", "risk", "descent", "allowed")
    step, confinement = checks.positive("step", step), checks.positive("confinement", confinement, or_zero=True)
    tau, seed, weights = _schedule(temperature), checks.count("seed", seed, at_least=0), checks.flag("weights", weights)
    if confinement and problem.risk.period is not None:
        raise ValueError(
            f"confinement must be 0 for positions on a torus (period {problem.risk.period:g}), which is bounded "
            f"already and has no centre to be pulled to, but it is {confinement:g}"
        )

    def move(w, theta, k=None):
        number = step_number(k, "noisy particles")
        speed_w, speed_theta = velocity(problem, w, theta)
        *runs, m, d = theta.shape
        size, scale = m * d, math.sqrt(2 * step * tau(number))
        xi = scale * noise(seed, number, (size + weights * m,), tuple(runs)) if scale else np.zeros(size + m)
        shift = xi[..., :size].reshape(*xi.shape[:-1], m, d)
        moved = theta + step * (speed_theta - confinement * theta) + shift
        if weights:
            w = problem.allowed(w + step * (speed_w - confinement * w) + xi[..., size:]).astype(w.dtype, copy=False)
        return w, moved.astype(theta.dtype, copy=False), k + 1

    return move


@results.quietly
def noisy_descent(gradient, step, temperature, start, steps, seed=0, first=0, radius=None):
    """Where x <- x - step gradient(x) + sqrt(2 step tau) xi leads from `start` (..., d) in this number of steps.

    gradient: a function (..., d) -> (..., d); step > 0; temperature: tau >= 0, or a function k -> tau; first: number of
    steps made before, which continues a descent to the same bits; radius: every step ends with the projection on the
    ball of this radius around 0. Raises ValueError for a bad argument, NotFinite (one too) if a step leaves the finite
    numbers, as it does where it is too large.
    """
    checks.function("gradient", gradient)
    step, tau = checks.positive("step", step), _schedule(temperature)
    x, seed = checks.finite("start", start), checks.count("seed", seed, at_least=0)
    steps = checks.count("steps", steps, at_least=0, at_most=LAST)
    first = checks.count("first", first, at_least=0, at_most=LAST - steps)
    radius = math.inf if radius is None else checks.positive("radius", radius)
    if x.ndim < 1 or not x.size:
        raise ValueError(f"start must have shape (..., d) with d >= 1, but its shape is {x.shape}")
    for k in range(first, first + steps):
        slope = checks.floats("gradient(x)", gradient(x))
        if slope.shape != x.shape:
            raise ValueError(f"gradient(x) must have the shape {x.shape} of x, but its shape is {slope.shape}")
        scale = math.sqrt(2 * step * tau(k))
        moved = x - step * slope
        if scale:
            moved = moved + scale * noise(seed, k, x.shape[-1:], x.shape[:-1])
        length = np.sqrt(np.vecdot(moved, moved))[..., None]
        if not np.isfinite(length).all():
            raise results.NotFinite(f"step must be small enough for x to stay finite, which it does not at number {k}")
        x = np.where(length > radius, moved * (radius / np.where(length > 0, length, 1)), moved).astype(x.dtype)
    return x.copy() if x is start else x


def cooling(start, floor, factor):
    """The temperature k -> max(start factor^k, floor): hot first, to get anywhere, then cold, to stay where it is good.

    start > 0; floor from 0 to start; factor in (0, 1]. Raises ValueError otherwise.
    """
    start, floor = checks.positive("start", start), checks.positive("floor", floor, or_zero=True)
    factor = checks.positive("factor", factor)
    if floor > start:
        raise ValueError(f"floor must be at most start = {start:g}, but it is {floor:g}")
    if factor > 1:
        raise ValueError(f"factor must be in (0, 1], or it would heat, but it is {factor:g}")

    def temperature(k):
        return max(start * factor ** checks.count("k", k, at_least=0, at_most=LAST), floor)

    return temperature


def _schedule(temperature):
    """The function k -> tau of a temperature, which may be a number; ValueError if it is bad, at once or when asked."""
    if callable(temperature):
        return lambda k: checks.positive(f"temperature({k})", temperature(k), or_zero=True)
    tau = checks.positive("temperature", temperature, or_zero=True)
    return lambda k: tau


def _axes(name, shape):
    """A shape as a tuple of whole numbers >= 0; ValueError otherwise."""
    if not isinstance(shape, tuple | list):
        raise ValueError(f"{name} must be a tuple of whole numbers, but it is {checks.shown(shape)}")
    return tuple(checks.count(name, axis, at_least=0) for axis in shape)
