"""What a step costs beside its peers, on one core in float64: `python tests/benchmarks/run.py [--quick]`.

The contenders of a case run in turn in one process, so that noise hits them alike, once their results agree with ours.
Ratios ours / peer are medians over the rounds, with quartiles: below 1 we are ahead. Peers come from the extra `bench`;
one that is not installed is skipped by name. The exit code is 1 if a result differs.
"""

import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"), JAX_ENABLE_X64="1", JAX_PLATFORMS="cpu")
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import argparse
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
TARGETS = {"numba": 1.6, "torch": 0.4, "torch, powers": 0.4, "jax": 0.3}  # ours / peer, on the cases that have targets
ROW = "{:28} {:18} {:>11} {:>10} {:>17}  {:18} {}"


def step_cases(quick):
    """Name, problem and particles w, theta of each case."""
    rng = np.random.default_rng(0)
    many = problems.stack([problems.spikes(i % 10) for i in range(350)])
    cases = [(f"circle, m = {m}", problems.spikes(0), (m, 1)) for m in (10, 100, 10**3, 10**4, 10**5, 10**6)]
    cases += [("circle, 350 runs of m = 10", many, (350, 10, 1))]
    cases += [(f"torus, d = 2, m = {m}", problems.spikes(0, dimension=2), (m, 2)) for m in (100, 10**4, 10**5)]
    for name, problem, shape in cases:
        if not quick or math.prod(shape) <= 20_000:
            yield name, problem, rng.normal(size=shape[:-1]), rng.uniform(size=shape)


def ours(problem, w, theta):
    step = flows.forward_backward(problem, STEP_W, STEP_THETA)
    return lambda: step(w, theta)


def moved(w, theta, potential, weighted_gradient):
    """The update that peers share, in the arrays of any library."""
    w = w - STEP_W * potential
    return w - w.clip(-STEP_W, STEP_W), theta - STEP_THETA * weighted_gradient


def naive_exponentials(problem, w, theta):
    """One complex exponential for each particle and frequency, on the circle."""
    if theta.shape[-1] > 1:
        return None
    y, k = problem.risk.loss.target, np.arange(1, problem.risk.features.cutoff + 1)[:, None]

    def step():
        e, one = R2 * np.exp(1j * TAU * k * theta[..., None, :, 0]), np.ones_like(w)[..., None, :]
        rows = np.concatenate([one, e.real, e.imag], -2)
        slopes = np.concatenate([0 * one, -TAU * k * e.imag, TAU * k * e.real], -2)
        residual = ((rows @ w[..., None])[..., 0] / w.shape[-1] - y)[..., None, :] / LAM
        return moved(w, theta, (residual @ rows)[..., 0, :], (w * (residual @ slopes)[..., 0, :])[..., None])

    return step


def kernel_matrices(problem, w, theta):
    """Dirichlet kernels of all pairs of particles, on the circle, as in the experiments of 2019."""
    m, d = theta.shape[-2:]
    if d > 1 or m > 3000:
        return None

    def step():
        z = power = np.exp(1j * TAU * (theta - theta[..., None, :, 0]))
        kernel, slope = np.ones(z.shape), np.zeros(z.shape)
        for k in range(1, problem.risk.features.cutoff + 1):
            kernel, slope, power = kernel + 2 * power.real, slope - 2 * TAU * k * power.imag, power * z
        data, data_slope = problem.risk.features.pull(problem.risk.loss.target, theta)
        potential, gradient = (kernel @ w[..., None])[..., 0] / m - data, slope @ w[..., None] / m - data_slope
        return moved(w, theta, potential / LAM, w[..., None] * gradient / LAM)

    return step


def risk(xp, by_powers, problem, y, w, theta):
    """R(int phi dmu), summed over runs, in the arrays of a library that differentiates it.

    Features (..., n, m) come from a cosine and a sine for each frequency, or for the first one and by recurrence.
    """
    tables, ks = [], range(1, problem.risk.features.cutoff + 1)
    for j in range(theta.shape[-1]):
        t = TAU * theta[..., j]
        if by_powers:
            z = [(xp.cos(t), xp.sin(t))]
            for (a, b), (c, s) in ((z[-1], z[0]) for _ in ks[1:]):
                z.append((a * c - b * s, a * s + b * c))
            tables.append([xp.ones_like(t), *(R2 * c for c, _ in z), *(R2 * s for _, s in z)])
        else:
            angle = xp.stack([k * t for k in ks], -2)
            tables.append(xp.concatenate([xp.ones_like(t)[..., None, :], R2 * xp.cos(angle), R2 * xp.sin(angle)], -2))
    if by_powers and len(tables) == 1:
        f = xp.stack([(w * row).mean(-1) for row in tables[0]], -1)
    else:
        tables = [xp.stack(rows, -2) for rows in tables] if by_powers else tables
        f = xp.einsum("m,im,jm->ij" if len(tables) == 2 else "...m,...im->...i", w, *tables) / w.shape[-1]
    return ((f.reshape(y.shape) - y) ** 2).sum() / (2 * LAM)


def torch_autograd(problem, w, theta, by_powers=False):
    import torch

    torch.set_num_threads(1)
    y, w, theta = (torch.tensor(x) for x in (problem.risk.loss.target, w, theta))

    def step():
        for x in (w, theta):
            x.grad = None
            x.requires_grad_()
        risk(torch, by_powers, problem, y, w, theta).backward()
        with torch.no_grad():
            return moved(w, theta, w.shape[-1] * w.grad, w.shape[-1] * theta.grad)

    return step


def jax_jit(problem, w, theta):
    import jax

    y, w, theta = (jax.numpy.array(x) for x in (problem.risk.loss.target, w, theta))
    differentiate = jax.value_and_grad(functools.partial(risk, jax.numpy, True, problem, y), (0, 1))

    @jax.jit
    def step(w, theta):
        _, slopes = differentiate(w, theta)
        return moved(w, theta, *(w.shape[-1] * slope for slope in slopes))

    return lambda: jax.block_until_ready(step(w, theta))


def numba_loop(problem, w, theta):
    """Fused loops over particles, compiled for the cutoff and with work arrays that are kept."""
    m, d = theta.shape[-2:]
    n = 2 * problem.risk.features.cutoff + 1
    if d == 1:
        lanes = next(number for number in (16, 8, 10, 1) if m % number == 0)
        loop, work, y, shape = numba_circle(n // 2, lanes), np.empty((2, m)), problem.risk.loss.target, (-1, m)
    else:
        shape, y = (m, d), problem.risk.loss.target

    def step():
        new_w, new_theta = loop(w.reshape(-1, m), theta.reshape(-1, m), np.atleast_2d(y), *work)
        return new_w.reshape(w.shape), new_theta.reshape(theta.shape)

    return step


@functools.cache
def numba_circle(cutoff, lanes):
    """Runs one after the other; sums over particles are kept in so many lanes, to fill vector registers."""
    import numba

    @numba.njit(fastmath=True)
    def loop(w, theta, y, cos, sin):
        runs, m = w.shape
        new_w, new_theta = np.empty_like(w), np.empty_like(theta)
        r, sums = np.empty(2 * cutoff + 1), np.empty((2 * cutoff + 1, lanes))
        for run in range(runs):
            for i in range(m):
                cos[i], sin[i] = math.cos(TAU * theta[run, i]), math.sin(TAU * theta[run, i])
            sums[:] = 0
            for start in range(0, m, lanes):
                for lane in range(lanes):
                    i = start + lane
                    p, q = w[run, i] * cos[i], w[run, i] * sin[i]
                    sums[0, lane] += w[run, i]
                    for k in range(1, cutoff + 1):
                        sums[k, lane] += p
                        sums[cutoff + k, lane] += q
                        p, q = p * cos[i] - q * sin[i], p * sin[i] + q * cos[i]
            for k in range(2 * cutoff + 1):
                total, scale = 0.0, R2 if k else 1.0
                for lane in range(lanes):
                    total += sums[k, lane]
                r[k] = scale * (scale * total / m - y[run, k]) / LAM
            for i in range(m):
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
