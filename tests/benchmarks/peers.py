"""The contenders: functions of (problem, w, theta) that return one forward-backward step on the circle or the torus.

Each returns a function without arguments that makes the step and returns the new (w, theta). All of them use the same
step sizes; whatever a peer can do once (tensors, compilation, work arrays) it does before it is timed.
"""

import functools
import math

import numpy as np

from mfcourse import flows

LAM, R2, TAU = 2.0, 2**0.5, 2 * math.pi
STEP_W, STEP_THETA = LAM / 15, 3e-6 * LAM


def ours(problem, w, theta):
    """The step of the library."""
    step = flows.forward_backward(problem, STEP_W, STEP_THETA)
    return lambda: step(w, theta)


def moved(w, theta, potential, weighted_gradient):
    """The update that peers share, in the arrays of any library."""
    w = w - STEP_W * potential
    return w - w.clip(-STEP_W, STEP_W), theta - STEP_THETA * weighted_gradient


def exponentials(problem, w, theta, kernels=False):
    """NumPy on the circle, an exponential for each frequency; Dirichlet kernels of all pairs of particles if asked."""
    k, y, m = np.arange(1, problem.risk.features.cutoff + 1)[:, None], problem.risk.loss.target[..., None], w.shape[-1]

    def step():
        e, one = R2 * np.exp(1j * TAU * k * theta[..., None, :, 0]), np.ones_like(w)[..., None, :]
        rows, v = np.concatenate([one, e.real, e.imag], -2), w[..., None]
        slopes = np.concatenate([0 * one, -TAU * k * e.imag, TAU * k * e.real], -2)
        sides = [np.swapaxes(x, -1, -2) / LAM for x in (rows, slopes)]
        if kernels:
            potential, gradient = ((side @ rows) @ v / m - side @ y for side in sides)
        else:
            potential, gradient = (side @ (rows @ v / m - y) for side in sides)
        return moved(w, theta, potential[..., 0], v * gradient)

    return step


def risk(xp, problem, y, w, theta):
    """R(int phi dmu), summed over runs, in the arrays of a library that differentiates it; powers by recurrence."""
    tables = []
    for t in (TAU * theta[..., j] for j in range(theta.shape[-1])):
        powers = [(xp.cos(t), xp.sin(t))]
        for _ in range(problem.risk.features.cutoff - 1):
            (p, q), (c, s) = powers[-1], powers[0]
            powers.append((p * c - q * s, p * s + q * c))
        tables.append([xp.ones_like(t), *(R2 * p for p, _ in powers), *(R2 * q for _, q in powers)])
    if len(tables) == 1:
        f = xp.stack([(w * row).mean(-1) for row in tables[0]], -1)
    else:
        f = (w * xp.stack(tables[0])) @ xp.stack(tables[1]).T / w.shape[-1]
    return ((f.reshape(y.shape) - y) ** 2).sum() / (2 * LAM)


def torch_autograd(problem, w, theta):
    import torch

    torch.set_num_threads(1)
    y, w, theta = (torch.tensor(x) for x in (problem.risk.loss.target, w, theta))

    def step():
        a, b = w.clone().requires_grad_(), theta.clone().requires_grad_()
        risk(torch, problem, y, a, b).backward()
        return moved(w, theta, w.shape[-1] * a.grad, w.shape[-1] * b.grad)

    return step


def jax_jit(problem, w, theta):
    import jax

    y, w, theta = (jax.numpy.array(x) for x in (problem.risk.loss.target, w, theta))
    differentiate = jax.value_and_grad(functools.partial(risk, jax.numpy, problem, y), (0, 1))
    step = jax.jit(lambda w, theta: moved(w, theta, *(w.shape[-1] * slope for slope in differentiate(w, theta)[1])))
    return lambda: jax.block_until_ready(step(w, theta))


def numba_fused(problem, w, theta):
    """The loops one would write by hand: one pushes, one pulls and moves; compiled, with work arrays that are kept."""
    (m, d), cutoff = theta.shape[-2:], problem.risk.features.cutoff
    loop, n = (numba_circle if d == 1 else numba_torus)(cutoff), problem.risk.features.size
    work = np.empty((2, m)) if d == 1 else np.empty((4, m, 2 * cutoff + 1))
    state = w.reshape(-1, m), theta.reshape(-1, m, d), problem.risk.loss.target.reshape(-1, n)
    return lambda: [new.reshape(x.shape) for new, x in zip(loop(*state, *work), (w, theta), strict=True)]


@functools.cache
def numba_circle(cutoff):
    """Run after run: a cosine and a sine for each particle, powers by recurrence, nothing stored but these."""
    import numba

    @numba.njit(fastmath=True)
    def loop(w, theta, y, cos, sin):
        new_w, new_theta, m = np.empty_like(w), np.empty_like(theta), w.shape[1]
        r = np.empty(2 * cutoff + 1)
        for run in range(len(w)):
            r[:] = 0
            for i in range(m):
                cos[i], sin[i] = math.cos(TAU * theta[run, i, 0]), math.sin(TAU * theta[run, i, 0])
                p, q = w[run, i] * cos[i], w[run, i] * sin[i]
                r[0] += w[run, i]
                for k in range(1, cutoff + 1):
                    r[k] += p
                    r[cutoff + k] += q
                    p, q = p * cos[i] - q * sin[i], p * sin[i] + q * cos[i]
            for k in range(2 * cutoff + 1):
                scale = R2 if k else 1.0
                r[k] = scale * (scale * r[k] / m - y[run, k]) / LAM
            for i in range(m):
                p, q, potential, slope = cos[i], sin[i], r[0], 0.0
                for k in range(1, cutoff + 1):
                    potential += r[k] * p + r[cutoff + k] * q
                    slope += k * (r[cutoff + k] * p - r[k] * q)
                    p, q = p * cos[i] - q * sin[i], p * sin[i] + q * cos[i]
                x = w[run, i] - STEP_W * potential
                new_w[run, i] = x - min(max(x, -STEP_W), STEP_W)
                new_theta[run, i, 0] = theta[run, i, 0] - STEP_THETA * w[run, i] * TAU * slope
        return new_w, new_theta

    return loop


@functools.cache
def numba_torus(cutoff):
    """Values and slopes of both axes are stored; the residual is contracted along the second axis first."""
    import numba

    @numba.njit(fastmath=True)
    def fill(row, slope, t):
        row[0], slope[0], c, s = 1.0, 0.0, math.cos(TAU * t), math.sin(TAU * t)
        p, q = R2 * c, R2 * s
        for k in range(1, cutoff + 1):
            row[k], row[cutoff + k], slope[k], slope[cutoff + k] = p, q, -TAU * k * q, TAU * k * p
            p, q = p * c - q * s, p * s + q * c

    @numba.njit(fastmath=True)
    def loop(w, theta, y, first, first_slope, second, second_slope):
        new_w, new_theta, n, m = np.empty_like(w), np.empty_like(theta), 2 * cutoff + 1, w.shape[1]
        f = np.zeros((n, n))
        for i in range(m):
            fill(first[i], first_slope[i], theta[0, i, 0])
            fill(second[i], second_slope[i], theta[0, i, 1])
            for a in range(n):
                x = w[0, i] * first[i, a]
                for b in range(n):
                    f[a, b] += x * second[i, b]
        r = (f / m - y.reshape(n, n)) / LAM
        for i in range(m):
            potential = slope_1 = slope_2 = 0.0
            for a in range(n):
                inner = inner_slope = 0.0
                for b in range(n):
                    inner += r[a, b] * second[i, b]
                    inner_slope += r[a, b] * second_slope[i, b]
                potential += first[i, a] * inner
                slope_1 += first_slope[i, a] * inner
                slope_2 += first[i, a] * inner_slope
            x = w[0, i] - STEP_W * potential
            new_w[0, i] = x - min(max(x, -STEP_W), STEP_W)
            new_theta[0, i, 0] = theta[0, i, 0] - STEP_THETA * w[0, i] * slope_1
            new_theta[0, i, 1] = theta[0, i, 1] - STEP_THETA * w[0, i] * slope_2
        return new_w, new_theta

    return loop
