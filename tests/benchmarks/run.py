"""What a step costs beside its peers, on one core in float64: `python tests/benchmarks/run.py [--quick]`.

The contenders of a case run in turn in one process, so that noise hits them alike, once their results agree with ours.
Ratios ours / peer are medians over the rounds, with quartiles: below 1 we are ahead. Peers come from the extra `bench`;
one that is not installed is skipped by name. The exit code is 1 if a result differs.
"""

import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"), JAX_ENABLE_X64="1", JAX_PLATFORMS="cpu")
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import functools
import math
import sys
import time
import tracemalloc

import numpy as np
import ot
from scipy.stats import wasserstein_distance

from mfcourse import features, flows, losses, problems, risks, transport
from mfcourse.measures import Measure

LAM, R2, TAU = 2.0, 2**0.5, 2 * math.pi
STEP_W, STEP_THETA = LAM / 15, 3e-6 * LAM
SECONDS, ROUNDS, SAMPLE = 0.6, 5, 0.004  # for each contender; at least so many rounds; at least so long a sample
TARGETS = {"numba": 1.6, "torch": 0.4, "jax": 0.3}  # ours / peer for the 350 runs and on the circle from m = 10^4
ROW = "{:27} {:19} {:>14} {:>11} {:>17}  {:19} {}"


def ours(problem, w, theta):
    step = flows.forward_backward(problem, STEP_W, STEP_THETA)
    return lambda: step(w, theta)


def moved(w, theta, potential, weighted_gradient):
    """The update that peers share, in the arrays of any library."""
    w = w - STEP_W * potential
    return w - w.clip(-STEP_W, STEP_W), theta - STEP_THETA * weighted_gradient


def naive_exponentials(problem, w, theta):
    """A complex exponential for each particle and frequency, on the circle."""
    k = np.arange(1, problem.risk.features.cutoff + 1)[:, None]

    def step():
        e, one = R2 * np.exp(1j * TAU * k * theta[..., None, :, 0]), np.ones_like(w)[..., None, :]
        rows = np.concatenate([one, e.real, e.imag], -2)
        slopes = np.concatenate([0 * one, -TAU * k * e.imag, TAU * k * e.real], -2)
        prediction = (rows @ w[..., None])[..., 0] / w.shape[-1]
        residual = (prediction - problem.risk.loss.target)[..., None, :] / LAM
        return moved(w, theta, (residual @ rows)[..., 0, :], (w * (residual @ slopes)[..., 0, :])[..., None])

    return step


def kernel_matrices(problem, w, theta):
    """Dirichlet kernels of all pairs of particles, on the circle, as in the experiments of 2019."""

    def step():
        z = power = np.exp(1j * TAU * (theta - theta[..., None, :, 0]))
        kernel, slope = np.ones(z.shape), np.zeros(z.shape)
        for k in range(1, problem.risk.features.cutoff + 1):
            kernel, slope, power = kernel + 2 * power.real, slope - 2 * TAU * k * power.imag, power * z
        data, data_slope = problem.risk.features.pull(problem.risk.loss.target, theta)
        potential, gradient = (kernel @ w[..., None])[..., 0] / w.shape[-1], slope @ w[..., None] / w.shape[-1]
        return moved(w, theta, (potential - data) / LAM, w[..., None] * (gradient - data_slope) / LAM)

    return step


def risk(xp, problem, y, w, theta):
    """R(int phi dmu), summed over runs, in the arrays of a library that differentiates it; powers by recurrence."""
    rows = []
    for t in (theta[..., j] for j in range(theta.shape[-1])):
        c, s = p, q = xp.cos(TAU * t), xp.sin(TAU * t)
        cosines, sines = [p], [q]
        for _ in range(problem.risk.features.cutoff - 1):
            p, q = p * c - q * s, p * s + q * c
            cosines.append(p), sines.append(q)
        rows.append([xp.ones_like(t), *(R2 * p for p in cosines), *(R2 * q for q in sines)])
    if len(rows) == 1:
        f = xp.stack([(w * row).mean(-1) for row in rows[0]], -1)
    else:
        f = (w * xp.stack(rows[0])) @ xp.stack(rows[1]).T / w.shape[-1]
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

    @jax.jit
    def step(w, theta):
        _, slopes = differentiate(w, theta)
        return moved(w, theta, *(w.shape[-1] * slope for slope in slopes))

    return lambda: jax.block_until_ready(step(w, theta))


def numba_loop(problem, w, theta):
    """Loops compiled for this cutoff and dimension, with work arrays that are kept."""
    (m, d), cutoff, y = theta.shape[-2:], problem.risk.features.cutoff, np.atleast_2d(problem.risk.loss.target)
    if d == 1:
        loop = numba_circle(cutoff, next(lanes for lanes in (16, 8, 10, 1) if m % lanes == 0))
        w_runs, theta_runs, work = w.reshape(-1, m), theta.reshape(-1, m), np.empty((2, m))
    else:
        loop, w_runs, theta_runs = numba_torus(cutoff), w, theta
        y, work = y.reshape(2 * cutoff + 1, -1), np.zeros((2, -(-m // 256), 2 * cutoff + 1, 256))

    def step():
        new_w, new_theta = loop(w_runs, theta_runs, y, *work)
        return new_w.reshape(w.shape), new_theta.reshape(theta.shape)

    return step


@functools.cache
def numba_circle(cutoff, lanes):
    """Fused, run after run; sums over particles are kept in lanes that fill vector registers."""
    import numba

    @numba.njit(fastmath=True)
    def loop(w, theta, y, cos, sin):
        new_w, new_theta, r = np.empty_like(w), np.empty_like(theta), np.empty(2 * cutoff + 1)
        for run in range(len(w)):
            for i in range(w.shape[1]):
                cos[i], sin[i] = math.cos(TAU * theta[run, i]), math.sin(TAU * theta[run, i])
            sums = np.zeros((2 * cutoff + 1, lanes))
            for start in range(0, w.shape[1], lanes):
                for lane in range(lanes):
                    i = start + lane
                    p, q = w[run, i] * cos[i], w[run, i] * sin[i]
                    sums[0, lane] += w[run, i]
                    for k in range(1, cutoff + 1):
                        sums[k, lane] += p
                        sums[cutoff + k, lane] += q
                        p, q = p * cos[i] - q * sin[i], p * sin[i] + q * cos[i]
            for k in range(2 * cutoff + 1):
                scale = R2 if k else 1.0
                r[k] = scale * (scale * sums[k].sum() / w.shape[1] - y[run, k]) / LAM
            for i in range(w.shape[1]):
                p, q, potential, slope = cos[i], sin[i], r[0], 0.0
                for k in range(1, cutoff + 1):
                    potential += r[k] * p + r[cutoff + k] * q
                    slope += k * (r[cutoff + k] * p - r[k] * q)
                    p, q = p * cos[i] - q * sin[i], p * sin[i] + q * cos[i]
                x = w[run, i] - STEP_W * potential
                new_w[run, i] = x - min(max(x, -STEP_W), STEP_W)
                new_theta[run, i] = theta[run, i] - STEP_THETA * TAU * w[run, i] * slope
        return new_w, new_theta

    return loop


@functools.cache
def numba_torus(cutoff):
    """Blocks of particles whose tables fit in the cache; matrix products contract the second axis first."""
    import numba

    @numba.njit(fastmath=True)
    def fill(table, t):
        for i in range(len(t)):
            c, s = math.cos(TAU * t[i]), math.sin(TAU * t[i])
            table[0, i], p, q = 1.0, R2 * c, R2 * s
            for k in range(1, cutoff + 1):
                table[k, i], table[cutoff + k, i] = p, q
                p, q = p * c - q * s, p * s + q * c

    @numba.njit(fastmath=True)
    def loop(w, theta, y, first, second):
        new_w, new_theta, f = np.empty_like(w), np.empty_like(theta), np.zeros_like(y)
        blocks, rows, block = first.shape
        weighted, slopes = np.zeros((rows, block)), np.zeros((2 * rows, rows))
        for b in range(blocks):
            part = slice(b * block, (b + 1) * block)
            fill(first[b], theta[part, 0]), fill(second[b], theta[part, 1])
            weighted[:] = 0
            weighted[:, : len(w[part])] = first[b][:, : len(w[part])] * w[part]
            f += weighted @ second[b].T
        slopes[:rows] = (f / len(w) - y) / LAM
        for k in range(1, cutoff + 1):
            slopes[rows:, k] = TAU * k * slopes[:rows, cutoff + k]
            slopes[rows:, cutoff + k] = -TAU * k * slopes[:rows, k]
        for b in range(blocks):
            x, inner = first[b], slopes @ second[b]
            for i in range(min(block, len(w) - b * block)):
                at, potential, slope_1, slope_2 = b * block + i, inner[0, i], 0.0, inner[rows, i]
                for k in range(1, cutoff + 1):
                    potential += x[k, i] * inner[k, i] + x[cutoff + k, i] * inner[cutoff + k, i]
                    slope_1 += k * (x[k, i] * inner[cutoff + k, i] - x[cutoff + k, i] * inner[k, i])
                    slope_2 += x[k, i] * inner[rows + k, i] + x[cutoff + k, i] * inner[rows + cutoff + k, i]
                v = w[at] - STEP_W * potential
                new_w[at] = v - min(max(v, -STEP_W), STEP_W)
                new_theta[at, 0] = theta[at, 0] - STEP_THETA * w[at] * TAU * slope_1
                new_theta[at, 1] = theta[at, 1] - STEP_THETA * w[at] * slope_2
        return new_w, new_theta

    return loop
