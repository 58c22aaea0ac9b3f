"""What a step costs beside its peers, on one core in float64: `python tests/benchmarks/run.py [--quick]`.

The contenders of a case run in turn in one process, so that noise hits them alike, once their results agree with ours.
Ratios ours / peer are medians over the rounds, with quartiles: below 1 we are ahead. Peers come from the extra `bench`;
one that is not installed is skipped by name. The exit code is 1 if a result differs.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1", NUMBA_NUM_THREADS="1")
os.environ.update(JAX_ENABLE_X64="1", JAX_PLATFORMS="cpu")
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import argparse
import functools
import importlib.util
import math
import sys
import time
import timeit
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
ROW = "{:27} {:19} {:>13} {:>11} {:>17}  {:19} {}"


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


def race(name, contenders, particles, before, targets=False):
    """Check each result, a tuple that was `before`, against ours; time all contenders in turn; print a row for each."""
    reference, repeats, samples = contenders["ours"](), {}, []
    for peer, run in contenders.items():
        for x, right, old in zip(run(), reference, before, strict=True):
            if not np.abs(np.asarray(x) - right).max() <= 1e-9 * np.abs(right - old).max():
                sys.exit(f"{name}: the result of {peer} differs from ours")
        repeats[peer] = math.ceil(SAMPLE / timeit.timeit(run, number=1))
    end = time.perf_counter() + SECONDS * len(contenders)
    while len(samples) < ROUNDS or time.perf_counter() < end:
        samples.append([timeit.timeit(run, number=repeats[peer]) / repeats[peer] for peer, run in contenders.items()])
    for peer, times in zip(contenders, np.transpose(samples), strict=True):
        low, ratio, high = np.quantile(np.transpose(samples)[0] / times, (0.25, 0.5, 0.75))
        cells = [name if peer == "ours" else "", peer, f"{np.median(times) / particles * 1e9:.1f}", "", "", "", ""]
        if peer != "ours":
            cells[3:6] = f"{ratio:.3f}", f"{low:.3f} - {high:.3f}", "ours" if ratio <= 1 else peer
        if targets and peer in TARGETS:
            cells[6] = f"<= {TARGETS[peer]}: {'met' if ratio <= TARGETS[peer] else 'MISSED'}"
        print(ROW.format(*cells), flush=True)


def race_steps(name, missing, problem, *shape):
    """One forward-backward step of `problem` from random particles theta of the given shape."""
    rng = np.random.default_rng(0)
    w, theta = rng.normal(size=shape[:-1]), rng.uniform(size=shape)
    makers = {"ours": ours, "numba": numba_fused, "torch": torch_autograd, "jax": jax_jit}
    if shape[-1] == 1:
        makers["naive exponentials"] = exponentials
    if shape[-1] == 1 and shape[-2] <= 3000:
        makers["kernel matrices"] = functools.partial(exponentials, kernels=True)
    contenders = {peer: make(problem, w, theta) for peer, make in makers.items() if peer not in missing}
    race(name, contenders, w.size, (0, theta), shape[-1] == 1 and w.size >= 3500)


def race_transport(n):
    """W_1 of two random measures with n atoms of different masses."""
    rng = np.random.default_rng(0)
    x, y, a, b = *rng.normal(size=(2, n)), *rng.dirichlet(np.ones(n), 2)
    mu, nu = Measure(a, x[:, None]), Measure(b, y[:, None])
    contenders = {
        "ours": lambda: (transport.wasserstein(mu, nu, 1),),
        "POT emd2_1d": lambda: (ot.emd2_1d(x, y, a, b, metric="minkowski", p=1),),
        "POT wasserstein_1d": lambda: (ot.wasserstein_1d(x, y, a, b, p=1),),
        "scipy": lambda: (wasserstein_distance(x, y, a, b),),
    }
    race(f"W1 on the line, n = {n}", contenders, n, (0,))


def report_success_2019():
    """success_deconv1D: cutoff 8, lambda .3, five positive spikes; m = 4..10 x 5 step ratios x 10 instances."""
    maps, stacked = features.Fourier(8), []
    for rng in map(np.random.default_rng, range(10)):
        y = maps.push(*Measure(rng.uniform(size=5), rng.uniform(size=(5, 1))).particles())
        stacked += [problems.Problem(risks.FeatureRisk(maps, losses.Squared(y, 0.3)), 1.0)] * 5
    problem, alpha, start = problems.stack(stacked), 0.002 * 0.3, time.perf_counter()
    step = flows.conic_mirror(problem, alpha, alpha / TAU**2 * np.tile(0.5 ** np.arange(5), 10))
    for m in range(4, 11):
        state = np.full((50, m), 0.25), np.tile(flows.grid_start(m)[1], (50, 1, 1))
        flows.flow(problem, step, state, 1000, record=())
    seconds = time.perf_counter() - start
    print(f"success_deconv1D of 2019, 350 runs of 1000 steps: {seconds:.2f} s (aim: about 1 s; 2 min as published)")


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description="Time our steps beside those of other libraries.")
    parser.add_argument("--quick", action="store_true", help="fewer and smaller cases")
    quick = parser.parse_args().quick
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    missing = [peer for peer in TARGETS if importlib.util.find_spec(peer) is None]
    print("".join(f"{peer}: not installed, skipped\n" for peer in missing), end="")
    print(ROW.format("case", "contender", "ns / particle", "ours / peer", "quartiles", "ahead", "target"))
    for m in [10, 1000, 10**4] if quick else [10**k for k in range(1, 7)]:
        race_steps(f"circle, m = {m}", missing, problems.spikes(0), m, 1)
    many = problems.stack([problems.spikes(i % 10) for i in range(350)])
    race_steps("circle, 350 runs of m = 10", missing, many, 350, 10, 1)
    for m in (100, 10**4) if quick else (100, 10**4, 10**5):
        race_steps(f"torus d = 2, m = {m}", missing, problems.spikes(0, dimension=2), m, 2)
    for n in (1000,) if quick else (1000, 10**5):
        race_transport(n)
    for m, cutoff in ((10**5, 7), (10**6, 7), (10**6, 14)):
        step = ours(problems.spikes(0, cutoff=cutoff), *flows.grid_start(m))
        tracemalloc.start()
        step()
        peak = tracemalloc.get_traced_memory()[1] / m
        tracemalloc.stop()
        print(f"peak extra memory of a step, m = {m}, K = {cutoff}: {peak:.0f} bytes per particle")
    report_success_2019()


if __name__ == "__main__":
    main()
