"""SGD in high dimension: what a neuron shares with its teacher is two numbers, and noise enters how they move.

The neuron x -> sigma(theta . x) learns y = sigma(v . x) + tau xi, where |v| = 1 and x ~ N(0, I_N), from one fresh
sample for each step of size c / N on (sigma(theta . x) - y)^2 / 2. Its overlaps u = (m, s), m = theta . v and
s = |theta|^2 - m^2, are a Markov chain for every N. As N grows they follow u' = drift(u) + c corrector(u) in the time
t = c k / N after k steps (Ben Arous, Gheissari, Jagannath 2022, Thm 2.2).

Shapes: u (..., 2); leading axes are independent runs. A run is lost once |theta| > 100: both its numbers are infinite
from then on and never NaN, so that medians stay right, and `lost` finds it. Each function raises ValueError for a
neuron that is none, for overlaps with s < 0 or |theta| > 100, and for numbers out of range.
"""

import numpy as np
from scipy import integrate, linalg

from mfcourse import checks, results
from mfcourse.beyond import plane
from mfcourse.beyond.chains import chain, demand_times, lost, sgd
from mfcourse.beyond.neurons import ERF, FAR, LINEAR, SQUARE, Neuron, demand_neuron, demand_overlaps, hermite

__all__ = [
    "ERF",
    "LINEAR",
    "SQUARE",
    "Neuron",
    "chain",
    "corrector",
    "critical",
    "drift",
    "effective",
    "fluctuations",
    "follow",
    "hermite",
    "lost",
    "sgd",
]

STILL = 1e-6  # the rate at a fixed point that is known to a few digits
ATTRACTS = -1e-9  # a real part above this may be one of 0, and rounding
H = 3e-4  # for slopes by differences of fourth order, in m, and in s on the side where s >= 0
AROUND, CENTRAL = H * np.arange(-2, 3), np.array([1, -8, 0, 8, -1]) / (12 * H)
AHEAD, FORWARD = H * np.arange(5), np.array([-25, 48, -36, 16, -3]) / (12 * H)


def drift(neuron, u):
    """(-E g b, -2 E g h), shape (..., 2): the gradient flow of the population risk, as overlaps u (..., 2) see it.

    g = (sigma(a) - y) sigma'(a) is the slope of the loss at a = theta . x = m b + h, where b = v . x.
    """
    return effective(neuron, 0)(u)


@results.quietly
def corrector(neuron, u):
    """(0, E g^2), shape (..., 2): a step adds (c / N)^2 g^2 |x|^2 to |theta|^2, and |x|^2 is about N."""
    neuron, u = demand_neuron(neuron), demand_overlaps("u", u)
    _, _, p, q, weights = _slopes(neuron, u)
    square = results.finite(plane.mean(p**2 + q, weights), u=u, noise=neuron.noise)
    return np.stack([np.zeros_like(square), square], axis=-1)


def effective(neuron, c):
    """The function u (..., 2) -> u' = drift + c corrector, for steps of size c / N, or smaller ones: c = 0."""
    neuron, c = demand_neuron(neuron), checks.positive("c", c, or_zero=True)

    @results.quietly
    def rate(u):
        u = demand_overlaps("u", u)
        b, h, p, q, weights = _slopes(neuron, u)
        moves = -plane.mean(p * b, weights), plane.mean(c * (p**2 + q) - 2 * p * h, weights)
        return results.finite(np.stack(moves, axis=-1), u=u, c=c, noise=neuron.noise)

    return rate


@results.quietly
def follow(rate, start, times):
    """The overlaps (T, ..., 2) at increasing `times` (T,) >= 0 of u' = rate(u), from start (..., 2) at time 0.

    rate: a function of u (2,) that returns two finite numbers; ValueError otherwise. Each run is followed on its own,
    to a relative error of about 1e-9. One that blows up is lost.
    """
    rate, start, times = checks.function("rate", rate), demand_overlaps("start", start), demand_times(times)

    def slope(_, u):
        m, s = u[0], max(u[1], 0.0)  # which rounding may have below 0
        nearer = min(1.0, (FAR / (m**2 + s + 1)) ** 0.5)  # a step may try what lies beyond the edge
        here = np.array([nearer * m, nearer**2 * s])
        moved = checks.finite("rate(u)", rate(here))
        if moved.shape != (2,):
            raise ValueError(f"rate(u) must be two numbers for u of shape (2,), but its shape is {moved.shape}")
        return moved

    def room(_, u):
        return FAR - u[0] ** 2 - u[1]

    room.terminal = True
    starts = start.reshape(-1, 2)
    path = np.full((len(times), *starts.shape), np.inf)
    for run, u in enumerate(starts):
        solved = integrate.solve_ivp(slope, (0, times[-1]), u, "DOP853", times, events=room, rtol=1e-11, atol=1e-13)
        if not solved.success:
            raise ValueError(f"rate must be smooth where the runs go, but from {u} {solved.message.lower()}")
        reached = np.reshape(solved.y, (2, -1)).T
        path[: len(reached), run] = reached
    path[times == 0] = starts
    path[..., 1] = np.maximum(path[..., 1], 0)
    return path.reshape(len(times), *start.shape)


@results.quietly
def fluctuations(neuron, c, fixed):
    """J, Sigma and S (2, 2): near a fixed point u* (2,), sqrt(N) (u - u*) becomes du = J u dt + Sigma^(1/2) dB.

    c > 0. S, the stationary covariance of this Ornstein-Uhlenbeck process, solves J S + S J' + Sigma = 0, and is None
    where J does not attract. Raises ValueError where `effective` is not 0.
    """
    rate, c, fixed = effective(neuron, c), checks.positive("c", c), demand_overlaps("fixed", fixed)
    if fixed.shape != (2,) or np.abs(rate(fixed)).max() > STILL:
        told = f"there it is {rate(fixed)}" if fixed.shape == (2,) else f"its shape is {fixed.shape}"
        raise ValueError(f"fixed must be one point (m, s) where effective(neuron, c) is 0, but {told}")
    along = CENTRAL @ rate(fixed + np.outer(AROUND, [1, 0])), FORWARD @ rate(fixed + np.outer(AHEAD, [0, 1]))
    jacobian = np.stack(along, axis=1)
    b, h, p, q, weights = _slopes(neuron, fixed)
    square, cube, fourth = p**2 + q, p**3 + 3 * p * q, p**4 + 6 * p**2 * q + 3 * q**2  # E g^2, g^3, g^4 over the noise
    pull, mixed = square * b**2, 2 * square * b * h - c * cube * b
    spread = 4 * square * h**2 - 4 * c * cube * h + c**2 * fourth
    sigma = c * plane.mean(np.array([[pull, mixed], [mixed, spread]]), weights)
    results.finite((jacobian, sigma), fixed=fixed, c=c, noise=neuron.noise)
    attracts = np.linalg.eigvals(jacobian).real.max() < ATTRACTS
    return jacobian, sigma, linalg.solve_continuous_lyapunov(jacobian, -sigma) if attracts else None


@results.quietly
def critical(neuron):
    """c* = 2 E sigma'(b)^2 / E sigma'(b)^4: without noise of labels, (1, 0) attracts for c < c* and repels beyond."""
    square = demand_neuron(neuron).slope(plane.NODES) ** 2
    if not square.any():
        raise ValueError("neuron must have a slope, but it is constant: there is nothing to learn, and no c*")
    size = 2 * (plane.WEIGHTS @ square) / (plane.WEIGHTS @ square**2)
    return float(results.finite(size, slope_of_neuron=square))


def _slopes(neuron, u):
    """At points of the plane: b, h, p and q, and the weights of the first axis; g = p - xi sqrt(q), xi ~ N(0, 1).

    p = (sigma(a) - sigma(b)) sigma'(a) is the slope of the loss without noise of labels, and q = (tau sigma'(a))^2.
    """
    a, b, h, weights = plane.points(u)
    slope = neuron.slope(a)
    return b, h, (neuron.value(a) - neuron.value(b)) * slope, np.square(neuron.noise * slope), weights
